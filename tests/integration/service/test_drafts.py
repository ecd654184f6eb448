"""Four drafts of one request are accepted, refused, cancelled and delivered as one."""

import asyncio

import pytest

from core.app.core import Core
from core.domain.followups import Action
from core.domain.jobs import Failure, JobState, ReplyTo
from core.domain.options import Options
from core.domain.people import Caller, Requester
from core.errors import QuotaExceeded, TooManyQueued
from core.storage.invariants import check
from core.testing.doubles import RecordingDelivery, running
from tests.support.jobs import ask, until_ended
from webui.views.jobs import job_view

ANN = Caller(Requester("test", "ann"), "test")
FOUR = Options(prompt="a red kite", width=256, height=256, seconds=1, drafts="4", seed=5)


async def drafts_of(core: Core, job_id: str):
    return await core.jobs.drafts_of((await core.jobs.get(job_id)).group.id)


async def sound(core: Core) -> bool:
    async with core.database.transaction() as connection:
        return await check(connection) == []


async def test_four_drafts_have_four_seeds_and_are_told_of_in_one_message(core: Core) -> None:
    delivery = RecordingDelivery()
    core.router.register(delivery)
    async with running(core):
        ticket = await ask(core, ANN, "one", FOUR)
        async with asyncio.timeout(30):
            await delivery.until(1)
    drafts = await drafts_of(core, ticket.job_id)

    assert [job.request.sampling.seed for job in drafts] == [5, 6, 7, 8]
    assert {job.request.sampling.preset for job in drafts} == {"draft"}
    assert {job.state for job in drafts} == {JobState.SUCCEEDED}
    assert [message.kind for message in delivery.shown.values()] == ["draft draft draft draft"]
    assert ticket.estimate_ms == sum(job.estimate_ms for job in drafts)
    assert await sound(core)


async def test_a_key_that_is_known_makes_no_second_group(core: Core) -> None:
    first, again = [await ask(core, ANN, "one", FOUR) for _ in range(2)]

    assert (again.job_id, again.duplicate) == (first.job_id, True)
    assert len(await core.jobs.jobs_of(ANN.requester)) == 4


async def test_they_are_refused_as_one_before_anything_is_kept(core: Core) -> None:
    one = (await ask(core, ANN, "one", Options(prompt="x", preset="draft", seconds=1,
                                               width=256, height=256))).estimate_ms  # fmt: skip
    left = (await core.quotas.quota(ANN.requester)).left_ms
    await core.quotas.grant(ANN.requester, 3 * one - left)  # room for three

    with pytest.raises(QuotaExceeded):
        await ask(core, ANN, "two", FOUR)

    assert len(await core.jobs.jobs_of(ANN.requester)) == 1
    assert await sound(core)


async def test_a_place_in_line_is_needed_for_each(core: Core) -> None:
    for number in range(2):
        await ask(core, ANN, f"{number}", Options(prompt="x"))  # of five

    with pytest.raises(TooManyQueued):
        await ask(core, ANN, "four", FOUR)

    assert len(await core.jobs.jobs_of(ANN.requester)) == 2


async def test_cancel_of_one_cancels_all_and_says_so_once(core: Core) -> None:
    ticket = await ask(core, ANN, "one", FOUR)
    third = (await drafts_of(core, ticket.job_id))[2]

    await core.users.cancel(ANN, third.id)

    drafts = await drafts_of(core, ticket.job_id)
    assert {job.state for job in drafts} == {JobState.CANCELLED}
    assert (await core.outbox.counts()).pending == 1
    assert await sound(core)


async def test_a_draft_that_fails_is_said_and_refunded_and_the_others_arrive(core: Core) -> None:
    delivery = RecordingDelivery()
    core.router.register(delivery)
    ticket = await ask(core, ANN, "one", FOUR)
    second = (await drafts_of(core, ticket.job_id))[1]
    async with core.database.transaction() as connection:
        await connection.exec_driver_sql(
            f"UPDATE job SET request = '{{}}' WHERE id = '{second.id}'"  # ours
        )
    async with running(core), asyncio.timeout(30):
        await delivery.until(1)

    kinds = next(iter(delivery.shown.values())).kind.split()
    assert kinds[0] == kinds[2] == kinds[3] == "draft"
    assert kinds[1] != "draft"
    assert (await core.jobs.get(second.id)).charged_ms == 0
    assert await sound(core)


async def test_again_makes_four_new_seeds_and_finish_one_clip(core: Core) -> None:
    async with running(core):
        ticket = await ask(core, ANN, "one", FOUR)
        for job in await drafts_of(core, ticket.job_id):
            await until_ended(core, job.id)
    first = ticket.job_id

    again = await core.users.follow_up(ANN, first, Action.AGAIN)
    finish = await core.users.follow_up(ANN, first, Action.QUALITY)

    seeds = {one.sampling.seed for one in (again.request, *again.drafts)}
    assert len(seeds) == 4
    assert not seeds & {5, 6, 7, 8}
    priced = core.users.price(await core.jobs.get(first), Action.AGAIN)
    assert priced.cost_ms == ticket.estimate_ms  # of all four
    assert finish.drafts == ()
    assert finish.request.sampling.seed == 5


@pytest.mark.parametrize("ended", range(5))
async def test_a_service_that_dies_between_drafts_tells_of_all_of_them_once(
    core: Core, ended: int
) -> None:
    """Whatever had ended when it died, the rows owe one message when the last one ends."""
    ticket = await ask(core, ANN, "one", FOUR, reply_to=ReplyTo("test", {}))
    for _ in range(ended):
        job = await core.queue.claim()
        await core.queue.fail(job.id, job.token, Failure("out_of_memory"))
    counts = await core.outbox.counts()

    assert (counts.pending, counts.sent) == ((1, 3) if ended == 4 else (0, ended))
    assert len(await drafts_of(core, ticket.job_id)) == 4


async def test_the_page_is_told_of_siblings_and_of_what_a_clip_came_from(core: Core) -> None:
    ticket = await ask(core, ANN, "one", FOUR)
    drafts = await drafts_of(core, ticket.job_id)
    finish = await core.users.follow_up(ANN, ticket.job_id, Action.QUALITY)
    finished = await core.users.submit(ANN, finish, ReplyTo("test", {}), "finish")

    shown = [job_view(job) for job in drafts]
    child = job_view(await core.jobs.get(finished.job_id))

    assert {view.group for view in shown} == {ticket.job_id}
    assert [view.group_number for view in shown] == [1, 2, 3, 4]
    assert (child.parent, child.made_by, child.group) == (ticket.job_id, "quality", "")
