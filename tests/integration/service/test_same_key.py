"""A key that is known names its job, whatever would refuse a new one; another request is told."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from core.app.core import Core
from core.domain.jobs import ReplyTo
from core.domain.limits import RequestLimits
from core.domain.options import Options
from core.domain.people import Caller, Requester
from core.errors import ClapperError, KeyReused, OutOfRange
from core.i18n.messages import explain
from core.testing.doubles import t2v
from core.testing.jobs import submit_request
from tests.support.jobs import ask

ANN = Caller(Requester("discord", "1"), "discord:100")
OPTIONS = Options(prompt="a red kite", preset="fast", width=256, height=256, seconds=1)
Close = Callable[[Core], Awaitable[object]]


async def _stopping(core: Core) -> None:
    core.submission.close(closed=True)


async def _disk(core: Core) -> None:
    object.__setattr__(core.submission._rules, "min_free_megabytes", 10**9)


async def _paused(core: Core) -> None:
    await core.intake.set_intake("paused")


async def _draining(core: Core) -> None:
    await core.intake.set_intake("draining")


async def _blocked(core: Core) -> None:
    await core.community.moderation.block(ANN.requester, ANN.requester, "")


async def _policy(core: Core) -> None:
    await core.community.moderation.set_rule(ANN.requester, ANN.place, "modes", "i2v")


async def _spent(core: Core) -> None:
    await core.quotas.grant(ANN.requester, -(10**9))


async def _full(core: Core) -> None:
    object.__setattr__(core.queue._rules, "max_queued", 0)


async def _narrowed(core: Core) -> None:
    limits = RequestLimits(max_fps=12)
    object.__setattr__(core.submission._rules, "limits", limits)


REFUSALS: tuple[Close, ...] = (
    _stopping, _disk, _paused, _draining, _blocked, _policy, _spent, _full, _narrowed,
)  # fmt: skip


@pytest.mark.parametrize("refuse", REFUSALS)
async def test_a_known_key_is_answered_before_every_refusal(core: Core, refuse: Close) -> None:
    first = await ask(core, ANN, "one", OPTIONS)
    await refuse(core)

    again = await ask(core, ANN, "one", OPTIONS)
    with pytest.raises(ClapperError):
        await ask(core, ANN, "two", OPTIONS)

    assert (again.job_id, again.duplicate) == (first.job_id, True)


@pytest.mark.parametrize(
    "changes",
    [{"prompt": "a blue kite"}, {"seconds": 2.0}, {"preset": "draft"}, {"seed": 5}, {"fps": 12}],
)
async def test_the_same_key_with_another_request_is_told_with_the_job(core, changes) -> None:
    first = await ask(core, ANN, "one", OPTIONS)

    with pytest.raises(KeyReused) as told:
        await ask(core, ANN, "one", replace(OPTIONS, **changes))

    assert told.value.job_id == first.job_id
    assert first.job_id in explain(told.value)
    assert len(await core.jobs.jobs_of(ANN.requester)) == 1


async def test_equal_values_are_the_same_request_and_so_is_a_job_without_a_fingerprint(core):
    first = await ask(core, ANN, "one", replace(OPTIONS, seconds=1.0))
    assert (await ask(core, ANN, "one", replace(OPTIONS, seconds=1))).job_id == first.job_id

    async with core.database.transaction() as connection:
        await connection.execute(text("UPDATE job SET fingerprint = ''"))
    assert (await ask(core, ANN, "one", replace(OPTIONS, fps=9))).job_id == first.job_id


async def test_a_program_that_gives_whole_requests_is_told_as_well(core):
    ann, to = Requester("test", "ann"), ReplyTo("test")
    first = await submit_request(core, t2v(seed=1), ann, to, "one")

    assert (await submit_request(core, t2v(seed=1), ann, to, "one")).job_id == first.job_id
    with pytest.raises(KeyReused):
        await submit_request(core, t2v(seed=2), ann, to, "one")


async def test_a_button_pressed_once_is_one_job_although_seeds_are_drawn(core):
    job = await ask(core, ANN, "one", OPTIONS)
    tickets = [
        await core.users.submit(
            ANN, await core.users.follow_up(ANN, job.job_id, "again"), ReplyTo("discord"), "press"
        )
        for _ in range(2)
    ]

    assert tickets[0].job_id == tickets[1].job_id


@pytest.mark.parametrize("action", ["again", "quality"])
async def test_follow_ups_of_old_clips_are_held_to_todays_limits(core, action) -> None:
    job = await ask(core, ANN, "one", replace(OPTIONS, seconds=4, fps=24))
    limits = RequestLimits(max_seconds=2)
    object.__setattr__(core.submission._rules, "limits", limits)
    composition = await core.users.follow_up(ANN, job.job_id, action)

    with pytest.raises(OutOfRange) as refused:
        await core.users.submit(ANN, composition, ReplyTo("discord"), "two")
    with pytest.raises(OutOfRange):
        await core.users.replace(ANN, job.job_id, composition, ReplyTo("discord"), "three")

    assert (refused.value.field, refused.value.high) == ("seconds", 2)
    assert (await core.jobs.get(job.job_id)).state.waiting


async def test_the_whole_request_of_a_job_is_the_same_however_it_was_asked_for(core: Core) -> None:
    first = await ask(core, ANN, "one", OPTIONS)
    request = (await core.jobs.get(first.job_id)).request

    again = await submit_request(core, request, ANN.requester, ReplyTo("test"), "one")

    assert (again.job_id, again.duplicate) == (first.job_id, True)


FOUR = replace(OPTIONS, preset=None, drafts="4", seed=5)


async def test_the_key_of_several_drafts_stays_theirs_while_one_of_them_is_kept(core: Core) -> None:
    first = await ask(core, ANN, "discord:1", FOUR)
    group = await core.jobs.drafts_of(first.job_id)
    await core.users.cancel(ANN, first.job_id)
    await core.queue.erase(first.job_id, ANN.requester)  # as pruning does, before the others

    again = await ask(core, ANN, "discord:1", FOUR)

    assert (again.job_id, again.duplicate) == (group[1].id, True)
    assert len(await core.jobs.jobs_of(ANN.requester)) == 3


@pytest.mark.parametrize("key", ["discord:1#2", "#2"])
async def test_no_key_is_taken_for_that_of_another_request_with_drafts(core: Core, key) -> None:
    other = await ask(core, ANN, key, OPTIONS)
    first = await ask(core, ANN, "discord:1", FOUR)

    assert not first.duplicate
    assert len(await core.jobs.drafts_of(first.job_id)) == 4
    assert (await ask(core, ANN, key, OPTIONS)).job_id == other.job_id


async def test_a_key_is_known_after_accounts_were_joined_and_after_a_sign_in(core: Core) -> None:
    first = await ask(core, ANN, "one", OPTIONS)
    ben = Caller(Requester("telegram", "2"), "telegram")
    accounts = core.community.accounts
    await accounts.link(ANN.requester, await accounts.link_code(ben.requester))

    joined = await ask(core, ANN, "one", OPTIONS)
    guest = Caller(Requester("studio", "guest"), "studio")
    asked = await ask(core, guest, "two", OPTIONS)
    signed_in = Caller(Requester("hf", "3"), "studio", earlier=(guest.requester,))

    assert (joined.job_id, joined.duplicate) == (first.job_id, True)
    assert (await ask(core, signed_in, "two", OPTIONS)).job_id == asked.job_id
    assert not (await ask(core, Caller(Requester("hf", "4"), "studio"), "two", OPTIONS)).duplicate


async def test_a_key_ends_with_its_job(core: Core) -> None:
    first = await ask(core, ANN, "one", OPTIONS)
    await core.users.forget(ANN)

    again = await ask(core, ANN, "one", replace(OPTIONS, prompt="a blue kite"))

    assert not again.duplicate
    assert again.job_id != first.job_id
