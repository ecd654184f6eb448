"""A row that cannot be read ends alone: nobody else waits for it, and its owner is told."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bots.discord.address import DiscordAddress
from bots.telegram.address import TelegramAddress
from bots.telegram.request_form import RequestForm
from core.domain.decoding import UndecodableError, parse_object
from core.domain.jobs import Failure, JobState, ReplyTo
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Asker, Requester
from core.domain.policy import Policy
from core.domain.requests import from_json, make_request, to_json
from core.duration.machine import Rates
from core.duration.workload import Part
from core.errors import DeliveryImpossible, JobUnknown, PolicyForbids, RequestUnreadable
from core.i18n.messages import explain
from core.queue.job_queue import JobQueue
from core.storage import jobs
from core.storage.moderation import load_rules
from core.storage.runs import Fit, RunPlace, load_fit, save_fit
from core.testing.doubles import t2v, tiny
from webui.api.parsing import options_from_program

ANNA = Requester("discord", "anna")
IMAGE = MediaFile("a" * 64, ".png", MediaKind.IMAGE, 10, 640, 480)
REQUESTS = (
    to_json(t2v()),
    to_json(make_request(Mode.I2V, "waves", tiny(), {"image": IMAGE})),
)
STRANGE = (
    {},
    [],
    None,
    7,
    "turbo",
    {**REQUESTS[0], "mode": "hologram"},
    {**REQUESTS[0], "sampling": {**REQUESTS[0]["sampling"], "preset": "turbo"}},
    {**REQUESTS[0], "sampling": {**REQUESTS[0]["sampling"], "width": 1e300}},
    {**REQUESTS[0], "sampling": {**REQUESTS[0]["sampling"], "camera": "crane"}},
    {**REQUESTS[1], "media": {}},
    {**REQUESTS[1], "media": {"image": {"kind": "smell"}}},
)


async def store(room, job_id: str, request: object) -> None:
    async with room.database.transaction() as connection:
        await connection.execute(
            text("UPDATE job SET request = :request WHERE id = :id"),
            {"request": json.dumps(request), "id": job_id},
        )


@pytest.mark.parametrize("request_json", STRANGE)
async def test_a_waiting_job_that_cannot_be_read_fails_refunded_and_the_others_run(
    room, request_json
):
    bad = await room.submit("anna", 1000)
    good = [await room.submit(who, 1000) for who in ("ben", "cora", "anna")]
    await store(room, bad.id, request_json)
    told: list[str] = []
    clips = room.folder / "clips"
    queue = JobQueue(room.database, room.rules, clips, room.clock, on_set_aside=told.append)

    ran = []
    while (job := await queue.claim(lambda _: True)) is not None:
        ran.append((await room.finish(job)).id)

    ended = await room.jobs.get(bad.id)
    assert sorted(ran) == sorted(job.id for job in good)
    assert (ended.state, ended.charged_ms) == (JobState.FAILED, 0)
    assert ended.failure.code == "request_unreadable"
    assert explain(ended.failure)
    assert told == [bad.id]
    assert bad.id in {owed.job.id for owed in await room.outbox.due()}


async def test_a_whole_queue_of_unreadable_jobs_ends_in_one_claim(room):
    jobs = [await room.submit(who) for who in ("anna", "anna", "ben", "cora") for _ in (1, 2)]
    for job in jobs:
        await store(room, job.id, {})

    assert await room.queue.claim() is None
    assert {(await room.jobs.get(job.id)).state for job in jobs} == {JobState.FAILED}


async def test_a_promoted_job_that_cannot_be_read_any_more_fails_as_well(room):
    await room.submit("anna")
    job = await room.start()
    await store(room, job.id, {})
    assert await room.queue.requeue(job.id, job.token)

    assert await room.queue.claim() is None
    assert (await room.jobs.get(job.id)).failure.code == "request_unreadable"


@pytest.mark.sqlite  # a server takes no such bytes
@pytest.mark.parametrize(
    "column", ["request", "reply_address", "idem_key", "place", "fingerprint", "parent_action"]
)
async def test_bytes_that_are_no_text_spoil_one_value_and_hold_up_nobody(room, column):
    bad = await room.submit("anna")
    good = await room.submit("ben")
    broken = "CAST(x'7b22ff223a317d' AS TEXT)"  # {"?":1}
    async with room.database.transaction() as connection:
        await connection.execute(
            text(f"UPDATE job SET {column} = {broken} WHERE id = :id"), {"id": bad.id}
        )

    ran = []
    while (job := await room.queue.claim(lambda _: True)) is not None:
        ran.append((await room.finish(job)).id)

    assert good.id in ran
    assert {one.id for one in await room.jobs.jobs_of(ANNA)} == {bad.id}
    assert (await room.jobs.get(bad.id)).state.terminal
    assert {owed.job.id for owed in await room.outbox.due()} == {good.id, bad.id}


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ("UPDATE job SET attempt = :number WHERE user_key = 'discord:anna'", 2**63 - 1),
        ("UPDATE job SET cost = :number WHERE user_key = 'discord:anna'", 2**63 - 1),
        ("UPDATE job SET tag = :number, rank = :number WHERE user_key = 'discord:anna'", 2**63 - 1),
        ("UPDATE job SET tag = :number, rank = :number WHERE user_key = 'discord:anna'", -(2**63)),
        ("UPDATE sched SET vtime = :number", 2**63 - 1),
        ("UPDATE flow SET finish = :number", 2**63 - 1),
        ("UPDATE flow SET finish = :number", -(2**63)),
    ],
)
async def test_numbers_that_no_count_reaches_are_brought_back_at_a_start(room, change, number):
    jobs = [await room.submit(who) for who in ("anna", "ben")]
    async with room.database.transaction() as connection:
        await connection.execute(text(change), {"number": number})

    report = await room.recovery.recover()
    jobs.append(await room.submit("cora"))
    ran = []
    while (job := await room.queue.claim(lambda _: True)) is not None:
        ran.append((await room.finish(job)).id)

    assert sorted(ran) == sorted(job.id for job in jobs)
    assert report.violations == ()


@pytest.mark.parametrize(
    ("rates", "spread"),
    [
        (Rates(1e-12, 0.0, 0.0), float("inf")),
        (Rates(1e-12, 0.0, 0.0), 1e308),
        (Rates(float("inf"), 0.0, 0.0), 0.1),
        (Rates(1e-12, 1e308, 0.0), 0.1),
        (Rates(1e-12, 0.0, 0.0, float("inf")), 0.1),
    ],
)
async def test_a_fit_that_no_device_has_is_none(room, rates, spread):
    place = RunPlace("a card", "bf16", "pin")
    async with room.database.transaction() as connection:
        await save_fit(connection, place, Fit({Part.STAGE1: Rates(1e-12, 0.0, 0.0)}, 0.1, 9), 0)
        assert await load_fit(connection, place) is not None
        await save_fit(connection, place, Fit({Part.STAGE1: rates}, spread, 9), 0)

        assert await load_fit(connection, place) is None


async def test_it_is_listed_forecast_cancelled_and_deleted_without_being_read(room):
    job = await room.submit("anna")
    await store(room, job.id, STRANGE[5])

    assert [one.asked for one in await room.jobs.in_order()] == [None]
    assert [one.id for one in await room.jobs.live_of(ANNA)] == [job.id]
    assert [one.id for one in (await room.forecasts.standing(ANNA)).jobs] == [job.id]
    assert await room.queue.next_up() is None
    assert (await room.queue.cancel(job.id, ANNA)).state is JobState.CANCELLED
    assert (await room.queue.erase(job.id, ANNA)).asked is None


async def test_finished_jobs_that_cannot_be_read_hold_up_nobodys_delivery(room):
    done = []
    for who in ("anna", "ben", "cora"):
        await room.submit(who)
        done.append(await room.finish(await room.start()))
    await store(room, done[0].id, STRANGE[6])

    due = await room.outbox.due()

    assert {owed.job.id for owed in due} == {job.id for job in done}
    assert all(owed.job.clip for owed in due)


async def test_the_files_of_an_unreadable_job_are_named_when_it_is_deleted(room):
    new = room.new("anna")
    request = make_request(Mode.I2V, "waves", tiny(), {"image": IMAGE})
    object.__setattr__(new, "request", request)
    job = (await room.queue.submit(new)).job
    await store(room, job.id, {})
    await room.queue.cancel(job.id, ANNA)

    assert (await room.queue.erase(job.id, ANNA)).unread_files == (IMAGE.name,)


def test_what_an_unreadable_job_asks_for_is_a_sentence_not_a_guess():
    with pytest.raises(UndecodableError):
        from_json({})
    assert explain(RequestUnreadable(), "de") != explain(RequestUnreadable(), "en")


# every kind of stored record, and the reader of each
FORM = RequestForm(Mode.I2V, Options(prompt="x", seconds=3.0), {"image": IMAGE}, (IMAGE,)).to_json()
DISCORD = DiscordAddress(1, 2, 3, 4, 5, "token", 6.0, 7).to_reply().address
TELEGRAM = TelegramAddress(1, 2, 3, 4, 5).to_reply().address
POLICY = Policy(("1",), ("2",), ("t2v",), 5.0, 1000, ("a",), ("b",)).to_json()
READERS: dict[str, tuple[dict[str, Any], Any, tuple[type[Exception], ...]]] = {
    "request": (REQUESTS[1], from_json, (UndecodableError,)),
    "form": (json.loads(json.dumps(FORM)), RequestForm.from_json, (UndecodableError,)),
    "discord": (DISCORD, lambda at: DiscordAddress.of(ReplyTo("d", at)), (DeliveryImpossible,)),
    "telegram": (TELEGRAM, lambda at: TelegramAddress.of(ReplyTo("t", at)), (DeliveryImpossible,)),
    "policy": (json.loads(json.dumps(POLICY)), Policy.from_json, ()),
}
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.just([]), st.just({}), st.just("9" * 5000), st.just(10**400),
)  # fmt: skip


def paths(data: object, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(data, dict):
        return []
    return [p for key in data for p in ((*at, key), *paths(data[key], (*at, key)))]


def changed(data: Any, path: tuple[str, ...], value: object, *, drop: bool) -> Any:
    copy = json.loads(json.dumps(data))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    if drop:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copy


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_changed_field_of_any_record_is_read_or_refused_in_one_way(name, data):
    whole, read, refusals = READERS[name]
    path = data.draw(st.sampled_from([*paths(whole), ("unknown_field",)]))
    drop = path[-1] in str(paths(whole)) and data.draw(st.booleans())
    value = data.draw(st.text() if name in {"discord", "telegram"} else VALUES)
    with suppress(*refusals):
        read(changed(whole, path, value, drop=drop and path != ("unknown_field",)))


@pytest.mark.parametrize("name", READERS)
def test_an_unknown_field_changes_nothing(name):
    whole, read, _ = READERS[name]

    assert read({**whole, "from_the_future": "1"}) == read(whole)


def test_an_unreadable_rule_of_a_place_forbids_until_it_is_set_again():
    read = Policy.from_json({"channels": ["1"], "max_seconds": "long", "modes": 3})

    assert read.channels == ("1",)
    with pytest.raises(PolicyForbids) as refused:
        read.check(t2v(), Asker("1"))
    assert refused.value.detail == "modes, max_seconds"
    half = Policy.from_json(read.changed("modes", "t2v").to_json())
    with pytest.raises(PolicyForbids):
        half.check(t2v(), Asker("1"))
    half.changed("max_seconds", "").check(t2v(), Asker("1"))


async def test_rules_whose_text_is_damaged_are_not_taken_for_none(room):
    insert = "INSERT INTO policy (place, rules, updated_at) VALUES ('discord:1', '{\"words', 1)"
    async with room.database.transaction() as connection:
        await connection.exec_driver_sql(insert)
        rules = await load_rules(connection, "discord:1")

    with pytest.raises(PolicyForbids):
        Policy.from_json(rules).check(t2v(), Asker())


@pytest.mark.parametrize("words", ["", "[1]", "null", "{", '{"a": NaN}', "[" * 100_000])
def test_stored_text_that_is_no_object_is_an_empty_one(words):
    assert parse_object(words) == {}


@pytest.mark.parametrize("missing", ["message", "application", "token", "token_until", "locale"])
def test_an_address_that_lacks_a_key_still_leads_to_the_person(missing):
    at = {key: value for key, value in DISCORD.items() if key != missing}

    assert DiscordAddress.of(ReplyTo("discord", at)).user_id == 3


def test_an_address_of_a_version_with_a_flag_is_not_silent():
    at = {**TELEGRAM, "silent": "0"}

    assert not TelegramAddress.of(ReplyTo("telegram", at)).silent


@pytest.mark.parametrize("job_id", ["", "\ud800", "\0", "a" * 5000, "…", "9" * 5000, "../x"])
async def test_what_cannot_be_an_id_names_no_job(room, job_id):
    with pytest.raises(JobUnknown):
        await room.jobs.get(job_id)
    with pytest.raises(JobUnknown):
        await room.queue.cancel(job_id, ANNA)
    with pytest.raises(JobUnknown):
        await room.queue.erase(job_id, ANNA)
    assert not await room.queue.beat(job_id[:64].encode("ascii", "ignore").decode(), "token")


def test_half_a_character_from_a_program_reaches_no_sentence():
    options = options_from_program({"prompt": "a\ud800b", "preset": "\udfff"}, RequestLimits())

    assert (options.prompt, options.preset) == ("a?b", "?")


@pytest.mark.parametrize("code", ["of_the_future", "worker_lost", "out_of_range", ""])
def test_a_stored_failure_always_has_a_sentence(code):
    assert explain(Failure(code, {"attempts": "many"}))
    assert explain(Failure(code), "de")


async def test_a_switch_of_another_version_is_a_pause_that_can_be_ended(room):
    async with room.database.transaction() as connection:
        await jobs.write_setting(connection, "intake", "members only")

    assert await room.intake.intake() == "paused"
    await room.intake.set_intake("open")
    await room.submit("anna")
