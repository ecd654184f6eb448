"""Every limit of the table, and kinds that are not in it yet, keep the same promises."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import event, text

from core.accounts.community import Community
from core.accounts.limit_ledger import LimitLedger
from core.accounts.limits import (
    DAY,
    LIMITS,
    Limit,
    QuotaRules,
    Window,
    of_everybody,
    of_guests,
    of_network,
    of_person,
    of_place,
)
from core.domain.jobs import Failure
from core.domain.people import Payer, Requester
from core.domain.quota import Unit
from core.domain.time_units import HOUR_MS
from core.errors import QuotaExceeded, TooManyJobs
from core.i18n.messages import languages, sentences
from core.storage.ledger import reservations_of
from core.storage.write_batch import WriteBatch
from tests.support.plans import tables_read_whole

ANNA, BEN = Requester("discord", "anna"), Requester("discord", "ben")
PLACE = "discord:100"
OTHERS = (
    Limit("hourly", of_person, lambda *_: 0, lambda _: Window(HOUR_MS), Unit.JOBS),
    Limit("daily", of_place, lambda *_: 0, lambda _: DAY, Unit.JOBS),
    Limit("machine", of_everybody, lambda *_: 0, lambda _: DAY),
    Limit("crowd", of_guests, lambda *_: 0, lambda _: Window(HOUR_MS), Unit.JOBS),
    Limit("nets", of_network, lambda *_: 0, lambda _: Window(HOUR_MS), Unit.JOBS),
)
EVERY = pytest.mark.parametrize("limit", [*LIMITS, *OTHERS], ids=lambda limit: limit.name)
COST_MS = 1000  # of a job here
JOBS = 3  # that a limit allows


def table(limit: Limit, jobs: int = JOBS) -> tuple[Limit, ...]:
    """The table where ``limit`` allows ``jobs`` jobs, and every other one plenty."""
    amount = jobs * limit.unit.need(COST_MS)
    plenty = tuple(
        replace(one, amount=lambda *_: 10**9) for one in LIMITS if one.name != limit.name
    )
    own = replace(limit, amount=lambda *_: amount)
    first = [one for one in plenty if one.name in {"own", "guests"}]
    rest = [one for one in plenty if one not in first]
    return (own, *first, *rest) if limit.name in {"own", "guests"} else (*first, own, *rest)


def payer_of(limit: Limit, user: str = "anna", place: str = PLACE) -> Payer:
    """Somebody to whom ``limit`` applies."""
    person, guest = Payer(f"discord:{user}", place=place), Payer.guest("home")
    return person if limit.account(person) is not None else guest


def job(room, limit: Limit, cost_ms: int = COST_MS):
    payer = payer_of(limit)
    requester = Requester("studio", "guest-a") if payer.shared else ANNA
    return replace(room.new(estimate_ms=cost_ms), requester=requester, payer=payer)


async def balance(room, limit: Limit, payer: Payer | None = None):
    view = await room.quotas.quota(ANNA, payer or payer_of(limit))
    return next(one for one in view.balances if one.name == limit.name)


@pytest.fixture
def limited(room) -> Callable[..., None]:
    def limited(limit: Limit, jobs: int = JOBS) -> None:
        room.limit(quota=QuotaRules(table=table(limit, jobs)), max_queued=100)

    return limited


def test_names_are_unique_and_refer_to_earlier_rows() -> None:
    names = [limit.name for limit in LIMITS]

    assert len(set(names)) == len(names)
    for number, limit in enumerate(LIMITS):
        assert limit.within in {"", *names[:number]}


@pytest.mark.parametrize("payer", [Payer("discord:1"), Payer.guest("home"), Payer.guest("")])
def test_somebody_pays_for_every_job(payer: Payer) -> None:
    first = LIMITS[:2]

    assert sum(limit.account(payer) is not None for limit in first) == 1
    assert all(limit.unit is Unit.GPU_MS for limit in first)
    assert all(limit.amount(QuotaRules(), payer) is not None for limit in first)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_every_limit_has_words_for_whose_it_is(limit: Limit, language: str) -> None:
    assert f"names.{limit.name}" in sentences(language)


@EVERY
async def test_of_many_at_once_as_many_are_taken_as_fit_and_refusals_say_which_limit(
    room, limited, limit: Limit
) -> None:
    limited(limit)

    answers = await asyncio.gather(
        *(room.queue.submit(job(room, limit)) for _ in range(10)), return_exceptions=True
    )

    refused = [one for one in answers if isinstance(one, Exception)]
    kind = QuotaExceeded if limit.unit is Unit.GPU_MS else TooManyJobs
    assert {type(one) for one in refused} == {kind}
    assert len(refused) == 10 - JOBS
    whole, need = JOBS * limit.unit.need(COST_MS), limit.unit.need(COST_MS)
    resets_at_ms = (await balance(room, limit)).resets_at_ms
    assert resets_at_ms is not None
    assert {tuple(one.data().values()) for one in refused} == {
        (need, 0, whole, resets_at_ms, limit.name)
    }


@EVERY
async def test_deleting_jobs_frees_nothing(room, limited, limit: Limit) -> None:
    limited(limit)
    made = [(await room.queue.submit(job(room, limit))).job for _ in range(JOBS)]
    for _ in made:
        await room.finish(await room.start())
    before = await balance(room, limit)
    assert (before.left, before.reserved) == (0, 0)

    for one in made:
        await room.queue.erase(one.id, one.requester)

    assert await balance(room, limit) == before
    with pytest.raises((QuotaExceeded, TooManyJobs)):
        await room.queue.submit(job(room, limit))


@EVERY
async def test_what_was_not_made_is_given_back_in_every_limit(room, limited, limit: Limit) -> None:
    limited(limit)
    one, _ = [(await room.queue.submit(job(room, limit))).job for _ in range(2)]
    await room.queue.cancel(one.id, one.requester)
    running = await room.start()
    assert (await balance(room, limit)).used == 0
    assert (await balance(room, limit)).reserved == limit.unit.need(COST_MS)

    assert await room.queue.fail(running.id, running.token, Failure("disk_full"))

    after = await balance(room, limit)
    assert (after.used, after.reserved) == (0, 0)


@EVERY
async def test_a_window_ends_when_it_was_said_to(room, limited, limit: Limit) -> None:
    limited(limit)
    for _ in range(JOBS):
        await room.queue.submit(job(room, limit))
        await room.finish(await room.start())
    ends = (await balance(room, limit)).resets_at_ms

    room.clock.at_ms = ends - 1
    assert (await balance(room, limit)).left == 0
    room.clock.at_ms = ends
    assert (await balance(room, limit)).used == 0

    await room.recovery.expire()
    await room.queue.submit(job(room, limit))
    await room.queue.submit(job(room, limit))


@EVERY
async def test_a_job_of_an_earlier_window_is_settled_in_it(room, limited, limit: Limit) -> None:
    limited(limit)
    room.limit(wait_limit_ms=1000 * HOUR_MS)
    await room.queue.submit(job(room, limit))
    room.clock.forward(25 * 3600)
    assert (await balance(room, limit)).reserved == 0
    await room.queue.submit(job(room, limit))

    await room.finish(await room.start(), 700)

    now = await balance(room, limit)
    assert (now.used, now.reserved) == (0, limit.unit.need(COST_MS))


@EVERY
async def test_a_refusal_by_one_limit_reserves_in_none(room, limited, limit: Limit) -> None:
    limited(limit, 0)

    with pytest.raises((QuotaExceeded, TooManyJobs)):
        await room.queue.submit(job(room, limit))

    async with room.database.transaction() as connection:
        for name in ("account", "ledger", "pseudonym", "job"):
            assert await connection.scalar(text(f"SELECT count(*) FROM {name}")) == 0


@EVERY
async def test_a_replaced_job_moves_its_reservation(room, limited, limit: Limit) -> None:
    limited(limit, 1)
    old = (await room.queue.submit(job(room, limit))).job

    made = await room.queue.replace(old.id, old.requester, job(room, limit))

    assert (await balance(room, limit)).left == 0
    assert made.job.place == payer_of(limit).place


@EVERY
async def test_a_grant_is_an_entry_of_this_window(room, limited, limit: Limit) -> None:
    limited(limit)
    amount = limit.unit.need(COST_MS)
    async with room.database.transaction() as connection:
        ledger = LimitLedger(connection, room.rules.quota, room.clock())
        await ledger.grant(payer_of(limit), amount, limit.name)

    for _ in range(JOBS + 1):
        await room.queue.submit(job(room, limit))
    assert (await balance(room, limit)).left == 0
    room.clock.forward(25 * 3600)
    assert (await balance(room, limit)).limit == JOBS * amount


@EVERY
async def test_check_refuses_and_refund_gives_back_like_a_job(room, limited, limit: Limit) -> None:
    limited(limit, 1)
    payer = payer_of(limit)
    async with room.database.transaction() as connection:
        ledger = LimitLedger(connection, room.rules.quota, room.clock())
        await ledger.check(payer, COST_MS)
        batch = WriteBatch()
        await ledger.reserve(batch, payer, "some", COST_MS)
        await batch.send(connection)
        with pytest.raises((QuotaExceeded, TooManyJobs)):
            await ledger.check(payer, COST_MS)

        held = await reservations_of(connection, "some")
        ledger.settle(batch, "some", held, 0)
        await batch.send(connection)
        await ledger.forget_unused(held)

        await ledger.check(payer, COST_MS)


JOINED = [limit for limit in (*LIMITS, *OTHERS) if limit.joined]


@pytest.mark.parametrize("limit", JOINED, ids=lambda limit: limit.name)
async def test_all_keys_of_a_person_have_one_limit_also_after_they_part(
    room, limited, limit: Limit
) -> None:
    limited(limit)
    people = Community.on(room.database, room.clock, frozenset(), room.rules.quota).accounts
    await people.link(BEN, await people.link_code(ANNA))
    for user in ("anna", "ben"):
        await room.queue.submit(replace(room.new(user), payer=payer_of(limit, user)))
    need = limit.unit.need(COST_MS)
    assert (await balance(room, limit)).left == need

    await people.leave(BEN)

    for user in ("anna", "ben"):
        assert (await balance(room, limit, payer_of(limit, user))).left == need


MOVED = [limit for limit in (*LIMITS, *OTHERS) if limit.moved]


@pytest.mark.parametrize("limit", MOVED, ids=lambda limit: limit.name)
async def test_a_place_takes_what_it_spent_to_its_new_name(room, limited, limit: Limit) -> None:
    limited(limit)
    moderation = Community.on(room.database, room.clock, frozenset(), room.rules.quota).moderation
    await room.queue.submit(job(room, limit))

    for old, new in ((PLACE, "discord:200"), (PLACE, "discord:200"), ("discord:200", "discord:3")):
        await moderation.move_place(old, new)

    for place in ("discord:200", "discord:3"):
        there = await balance(room, limit, payer_of(limit, "ben", place))
        assert there.left == (JOBS - 1) * limit.unit.need(COST_MS)


async def test_a_job_knows_its_place(room) -> None:
    new = replace(room.new(), payer=Payer(ANNA.key, place=PLACE))

    made = (await room.queue.submit(new)).job

    assert (made.place, (await room.jobs.get(made.id)).place) == (PLACE, PLACE)
    assert (await room.submit("ben")).place == ""


async def test_without_the_setting_a_place_has_no_limit(room) -> None:
    await room.queue.submit(replace(room.new(), payer=Payer(ANNA.key, place=PLACE)))

    view = await room.quotas.quota(ANNA, Payer(ANNA.key, place=PLACE))

    assert [one.name for one in view.balances] == ["own"]
    async with room.database.transaction() as connection:
        names = set(await connection.scalars(text("SELECT limit_name FROM ledger")))
    assert names == {"own"}


async def test_everybody_in_a_place_shares_its_day_and_nobody_elsewhere(room) -> None:
    room.limit(quota=QuotaRules(place_ms=2 * COST_MS))
    for user in ("anna", "ben"):
        new = replace(room.new(user), payer=Payer(f"discord:{user}", place=PLACE))
        await room.queue.submit(new)

    cora = replace(room.new("cora"), payer=Payer("discord:cora", place=PLACE))
    with pytest.raises(QuotaExceeded) as refused:
        await room.queue.submit(cora)

    day = 24 * HOUR_MS
    assert refused.value.resets_at_ms == (room.clock() // day + 1) * day
    for place in ("discord:200", "telegram:100", ""):
        await room.queue.submit(
            replace(
                cora,
                id=f"at {place}",
                idempotency_key=place,
                payer=Payer("discord:cora", place=place),
            )
        )


@pytest.mark.parametrize("place", ["studio", "cli", ""])
async def test_what_guests_do_in_the_studio_uses_up_no_place(room, place: str) -> None:
    room.limit(quota=QuotaRules(place_ms=0))
    guest = replace(Payer.guest("home"), place=place)

    await room.queue.submit(
        replace(room.new(), requester=Requester("studio", "guest-a"), payer=guest)
    )
    await room.queue.submit(replace(room.new("ben"), payer=Payer("studio:user-ben", place=place)))


async def test_of_several_limits_one_that_no_smaller_job_keeps_is_told_first(room) -> None:
    hourly = replace(OTHERS[0], amount=lambda *_: 0)
    room.limit(quota=QuotaRules(limit_ms=5, table=(*LIMITS, hourly)))

    with pytest.raises(TooManyJobs) as refused:
        await room.submit("anna", 1000)

    assert refused.value.scope == "hourly"
    assert (await room.quotas.quota(ANNA)).left_ms == 0


async def test_the_ledger_never_names_a_network(room) -> None:
    room.limit(quota=QuotaRules())
    new = replace(room.new(), requester=Requester("studio", "guest-a"), payer=Payer.guest("home"))
    await room.queue.submit(new)
    await room.finish(await room.start())

    async with room.database.transaction() as connection:
        for name in ("account", "ledger"):
            keys = await connection.scalars(text(f"SELECT account_key FROM {name}"))
            assert "home" not in set(keys)


async def test_no_statement_of_a_jobs_life_reads_a_whole_table_of_limits(room) -> None:
    everything = tuple(replace(one, amount=lambda *_: 10**9) for one in (*LIMITS, *OTHERS))
    room.limit(quota=QuotaRules(table=everything))
    seen: dict[str, object] = {}

    def note(_connection, _cursor, statement, parameters, *_) -> None:
        seen.setdefault(statement, parameters)

    event.listen(room.database.engine.sync_engine, "before_cursor_execute", note)
    for payer in (Payer(ANNA.key, place=PLACE), Payer.guest("home")):
        requester = Requester("studio", "guest-a") if payer.shared else ANNA
        await room.queue.submit(replace(room.new(), requester=requester, payer=payer))
        await room.finish(await room.start())
    event.remove(room.database.engine.sync_engine, "before_cursor_execute", note)

    async with room.database.transaction() as connection:
        for statement, parameters in seen.items():
            if statement.split()[0] not in {"SELECT", "UPDATE", "DELETE", "WITH"}:
                continue
            whole = await tables_read_whole(connection, statement, parameters)
            assert not whole & {"account", "ledger", "carried", "pseudonym"}, statement
    assert any("JOIN ledger" in statement for statement in seen)
