"""A waiting job is replaced whole or not at all, and keeps its place."""

import asyncio
from dataclasses import replace as changed

import pytest

from core.accounts.quotas import QuotaRules
from core.domain.jobs import JobState
from core.domain.lineage import JobOrigin
from core.domain.people import Requester
from core.errors import (
    AlreadyFinished,
    IntakeClosed,
    JobUnknown,
    NotYours,
    QuotaExceeded,
    TooManyQueued,
)

ANNA, BEN = Requester("discord", "anna"), Requester("discord", "ben")


async def replace(room, old, estimate_ms=1000, user="anna", owner=ANNA, key=None):
    return await room.queue.replace(old.id, owner, room.new(user, estimate_ms, key))


async def test_a_replaced_job_is_cancelled_refunded_and_owes_nobody_a_message(room):
    old = await room.submit("anna", 4000)

    made = (await replace(room, old, 700)).job

    assert (made.state, (await room.jobs.get(old.id)).state) == (
        JobState.HELD,
        JobState.CANCELLED,
    )
    view = await room.quotas.quota(ANNA)
    assert (view.reserved_ms, view.used_ms) == (700, 0)
    assert await room.outbox.due("discord") == []


@pytest.mark.parametrize("how", ["submit", "replace"])
async def test_a_job_names_no_parent_that_was_deleted_meanwhile(room, how):
    await room.submit("ben")
    parent = await room.finish(await room.start())
    old = await room.submit("anna")
    new = changed(room.new("anna"), origin=JobOrigin("again", parent.id))
    await room.queue.erase(parent.id, BEN)

    if how == "submit":
        made = await room.queue.submit(new)
    else:
        made = await room.queue.replace(old.id, ANNA, new)

    assert made.job.origin == JobOrigin("again", None)


@pytest.mark.parametrize("intake", ["paused", "draining"])
async def test_a_closed_intake_leaves_the_waiting_job_as_it_was(room, intake):
    old = await room.submit("anna", 4000)
    await room.intake.set_intake(intake)

    with pytest.raises(IntakeClosed):
        await replace(room, old)

    assert await room.jobs.get(old.id) == old
    assert [one.id for one in await room.jobs.in_order()] == [old.id]


async def test_the_budget_counts_the_old_reservation_as_given_back(room):
    room.limit(quota=QuotaRules(limit_ms=5000))
    old = await room.submit("anna", 4000)

    made = (await replace(room, old, 5000)).job
    with pytest.raises(QuotaExceeded) as refused:
        await replace(room, made, 5001)

    assert refused.value.left_ms == 5000
    assert await room.jobs.get(made.id) == made
    assert (await room.quotas.quota(ANNA)).reserved_ms == 5000


async def test_the_last_allowed_waiting_job_can_be_replaced(room):
    room.limit(max_queued=2)
    first = await room.submit()
    await room.submit()

    await replace(room, first)

    assert (await room.jobs.counts()).waiting == 2
    with pytest.raises(TooManyQueued):
        await room.submit()


async def test_a_running_or_finished_or_deleted_or_foreign_job_is_not_replaced(room):
    await room.submit("anna")
    running = await room.start()
    with pytest.raises(AlreadyFinished) as began:
        await replace(room, running)
    done = await room.finish(running)
    with pytest.raises(AlreadyFinished):
        await replace(room, done)
    await room.queue.erase(done.id, ANNA)
    with pytest.raises(JobUnknown):
        await replace(room, done)
    waiting = await room.submit("anna")
    with pytest.raises(NotYours):
        await replace(room, waiting, user="ben", owner=BEN)

    assert began.value.state == "running"
    assert (await room.jobs.counts()).waiting == 1


async def test_the_same_key_replaces_once_also_while_paused(room):
    old = await room.submit()
    first = await replace(room, old, key="press")
    await room.intake.set_intake("paused")

    again = await replace(room, old, key="press")

    assert again.duplicate
    assert again.job == first.job


async def test_the_new_job_stands_where_the_old_one_stood(room):
    await room.submit("zoe", 10)
    await room.start()
    jobs = [await room.submit("anna", 1000) for _ in range(3)]
    other = await room.submit("ben", 1500)
    before = [one.id for one in await room.jobs.in_order()][1:]

    made = (await replace(room, jobs[0], 1000)).job
    middle = (await replace(room, jobs[1], 1000)).job

    renamed = {jobs[0].id: made.id, jobs[1].id: middle.id}
    after = [one.id for one in await room.jobs.in_order()][1:]
    assert after == [renamed.get(name, name) for name in before]
    assert other.id in after


async def test_a_longer_job_moves_back_what_its_account_has_behind_it(room):
    await room.submit("zoe", 10)
    await room.start()
    first = await room.submit("anna", 1000)
    second = await room.submit("anna", 1000)
    ben = [await room.submit("ben", 1500) for _ in range(2)]
    assert [one.id for one in await room.jobs.in_order()][1:].index(second.id) < 3

    made = (await replace(room, first, 9000)).job

    line = [one.id for one in await room.jobs.in_order()][1:]
    assert line.index(second.id) > line.index(ben[1].id)
    assert line.index(made.id) < line.index(second.id)


async def test_a_job_that_lost_its_worker_is_replaced_at_the_front_of_the_line(room):
    await room.submit("anna", 1000)
    running = await room.start()
    assert await room.queue.requeue(running.id, running.token)
    behind = await room.submit("anna", 1000)

    made = (await replace(room, running, 3000)).job

    assert made.attempt == 0
    assert [one.id for one in await room.jobs.in_order()] == [made.id, behind.id]
    for _ in range(2):
        await room.finish(await room.start())


async def test_of_a_start_and_a_replacement_at_once_exactly_one_happens(room):
    for _ in range(10):
        old = await room.submit("anna", 1000)
        claimed, replaced = await asyncio.gather(
            room.queue.claim(), replace(room, old), return_exceptions=True
        )
        assert claimed is not None
        if isinstance(replaced, AlreadyFinished):
            assert claimed.id == old.id
        else:
            assert claimed.id == replaced.job.id
        await room.finish(claimed)
        assert (await room.jobs.counts()).waiting == 0


async def test_twenty_simultaneous_replacements_leave_one_job(room):
    old = await room.submit()

    answers = await asyncio.gather(*(replace(room, old) for _ in range(20)), return_exceptions=True)

    assert sum(isinstance(answer, AlreadyFinished) for answer in answers) == 19
    assert (await room.jobs.counts()).waiting == 1
