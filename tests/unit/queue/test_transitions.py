"""Cancel at each state, lost attempts, expiry, recovery."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from core.domain.jobs import Failure, JobState
from core.domain.lineage import DraftGroup
from core.domain.people import Requester
from core.domain.time_units import HOUR_MS
from core.errors import AlreadyFinished, JobUnknown, NotYours
from core.interfaces.delivery import Receipt
from core.queue import recovery

ANNA = Requester("discord", "anna")
BEN = Requester("discord", "ben")


async def bring_to(room, state):
    job = await room.submit("anna", 60_000)
    if state is JobState.HELD:
        return job
    job = await room.start()
    if state is JobState.QUEUED:
        assert await room.queue.requeue(job.id, job.token)
    room.clock.forward(20)
    return await room.jobs.get(job.id)


@pytest.mark.parametrize(
    ("state", "charged"), [(JobState.HELD, 0), (JobState.QUEUED, 0), (JobState.RUNNING, 20_000)]
)
async def test_owner_cancels_and_pays_only_for_what_ran(room, state, charged):
    job = await bring_to(room, state)
    assert job.state is state

    cancelled = await room.queue.cancel(job.id, ANNA)

    assert cancelled.state is JobState.CANCELLED
    assert cancelled.failure == Failure("cancelled", {"by": "owner"})
    assert cancelled.charged_ms == charged
    view = await room.quotas.quota(ANNA)
    assert (view.used_ms, view.reserved_ms) == (charged, 0)
    assert [owed.job.id for owed in await room.outbox.due()] == [job.id]
    assert await room.violations() == []


@pytest.mark.parametrize("state", [JobState.HELD, JobState.QUEUED, JobState.RUNNING])
async def test_somebody_else_cannot_cancel(room, state):
    job = await bring_to(room, state)

    with pytest.raises(NotYours):
        await room.queue.cancel(job.id, BEN)

    assert await room.jobs.get(job.id) == job


@pytest.mark.parametrize("state", [JobState.HELD, JobState.QUEUED, JobState.RUNNING])
async def test_operator_cancels_anything_and_its_owner_pays_nothing(room, state):
    job = await bring_to(room, state)

    cancelled = await room.queue.cancel(job.id, BEN, operator=True)

    assert cancelled.failure == Failure("cancelled", {"by": "operator"})
    assert cancelled.charged_ms == 0


async def test_loading_for_a_draft_costs_nothing_whichever_of_its_group_is_cancelled(room):
    first, second = room.new("anna", 60_000), room.new("anna", 60_000)
    group = partial(DraftGroup, first.id, size=2)
    others = (replace(second, group=group(number=2)),)
    await room.queue.submit(replace(first, group=group(number=1), others=others))
    await room.finish(await room.start())
    running = await room.start()
    room.clock.forward(20)

    off_device_ms = {running.id: 15_000}
    await room.queue.cancel(first.id, ANNA, off_device_ms=lambda job: off_device_ms.get(job, 0))

    assert (await room.jobs.get(second.id)).charged_ms == 5000


async def test_a_draft_is_kept_until_its_whole_group_is_shown(room):
    """Its clip goes into the message for all of them, whichever ended long before."""
    first, second = room.new("anna"), room.new("anna")
    group = partial(DraftGroup, first.id, size=2)
    others = (replace(second, group=group(number=2)),)
    await room.queue.submit(replace(first, group=group(number=1), others=others))
    await room.finish(await room.start())
    room.clock.forward(3600)

    assert await room.queue.prune(room.clock()) == []

    last = await room.finish(await room.start())
    claim = await room.outbox.begin(last.id)
    assert claim is not None
    assert await room.outbox.sent(claim, Receipt("message"))
    room.clock.forward(1)
    assert {job.id for job in await room.queue.prune(room.clock())} == {first.id, second.id}


async def test_cancelling_twice_or_nothing_is_refused(room):
    job = await room.submit()
    await room.queue.cancel(job.id, ANNA)

    with pytest.raises(AlreadyFinished) as refused:
        await room.queue.cancel(job.id, ANNA)
    with pytest.raises(JobUnknown):
        await room.queue.cancel("nobody", ANNA)

    assert refused.value.state == "cancelled"


async def test_cancel_at_the_instant_of_settling_leaves_one_end(room):
    for _ in range(20):
        await room.submit()
        job = await room.start()
        settled, cancelled = await asyncio.gather(
            room.queue.settle(job.id, job.token, room.clip(job.id), 1),
            room.queue.cancel(job.id, ANNA),
            return_exceptions=True,
        )
        assert settled is not isinstance(cancelled, AlreadyFinished) or settled is True
        assert settled is isinstance(cancelled, AlreadyFinished)
        assert await room.violations() == []


async def test_an_attempt_that_lost_its_job_changes_nothing(room):
    await room.submit()
    zombie = await room.start()
    await room.queue.requeue(zombie.id, zombie.token)
    second = await room.start()

    assert second.token != zombie.token
    assert not await room.queue.beat(zombie.id, zombie.token)
    assert not await room.queue.settle(zombie.id, zombie.token, room.clip("zombie"), 1)
    assert not await room.queue.fail(zombie.id, zombie.token, Failure("disk_full"))
    assert not await room.queue.requeue(zombie.id, zombie.token)
    assert not await room.queue.settle(zombie.id, "", room.clip("zombie"), 1)
    assert await room.jobs.get(second.id) == second
    assert (await room.finish(second)).clip == room.clip(second.id)


async def test_a_settlement_is_repeated_where_its_answer_was_lost(room):
    job = await room.submit("anna", 60_000)
    job = await room.start()
    clip = room.clip(job.id)

    assert await room.queue.settle(job.id, job.token, clip, 20_000)
    assert await room.queue.settle(job.id, job.token, clip, 20_000)

    assert (await room.jobs.get(job.id)).clip == clip
    assert (await room.quotas.quota(ANNA)).used_ms == 20_000
    assert not await room.queue.settle(job.id, "", room.clip("other"), 1)


async def test_a_second_settlement_of_the_same_attempt_is_refused(room):
    await room.submit()
    job = await room.start()
    done = await room.finish(job)

    assert not await room.queue.settle(job.id, job.token, room.clip("other"), 1)
    assert await room.jobs.get(job.id) == done


async def test_clip_outside_of_the_clips_folder_is_refused_and_the_job_still_runs(room, tmp_path):
    await room.submit()
    job = await room.start()
    foreign = room.clip("x").__class__(
        tmp_path / "a.mp4", tmp_path / "a.png", "5" * 64, 1, 64, 64, 9, 24.0, False
    )

    with pytest.raises(ValueError, match=r"clips"):
        await room.queue.settle(job.id, job.token, foreign, 1)

    assert (await room.jobs.get(job.id)).state is JobState.RUNNING


async def test_a_requeued_job_goes_before_what_was_waiting_behind_it(room):
    first = await room.submit("anna")
    await room.submit("ben")
    job = await room.start()
    await room.queue.requeue(job.id, job.token)

    again = await room.start()

    assert (again.id, again.attempt) == (first.id, 2)


async def test_a_job_that_loses_every_worker_fails_and_is_refunded(room):
    room.limit(max_attempts=3)
    await room.submit()
    for attempt in (1, 2, 3):
        job = await room.start()
        assert job.attempt == attempt
        assert await room.queue.requeue(job.id, job.token)

    lost = await room.jobs.get(job.id)
    assert (lost.state, lost.failure) == (
        JobState.FAILED,
        Failure("worker_lost", {"attempts": 3}),
    )
    assert (await room.quotas.quota(ANNA)).used_ms == 0
    assert await room.queue.claim() is None


async def test_start_requeues_running_jobs_once_and_never_touches_terminal_ones(room):
    done = await room.submit("anna")
    await room.finish(await room.start())
    await room.submit("ben")
    await room.start()

    first = await room.recovery.recover()
    second = await room.recovery.recover()

    assert (first.requeued, first.lost, second.requeued) == (1, 0, 0)
    assert first.violations == ()
    assert (await room.start()).attempt == 2
    assert await room.queue.claim() is None
    assert (await room.jobs.get(done.id)).state is JobState.SUCCEEDED


async def test_start_gives_up_a_job_that_killed_the_service_three_times(room):
    await room.submit()
    counts = []
    for _ in range(3):
        await room.start()
        recovery = await room.recovery.recover()
        counts.append((recovery.requeued, recovery.lost))

    assert counts == [(1, 0), (1, 0), (0, 1)]
    assert len(await room.outbox.due()) == 1


async def test_heartbeats_keep_the_lease_and_a_silent_worker_loses_it(room):
    room.limit(lease_ms=30_000)
    await room.submit()
    job = await room.start()
    room.clock.forward(29)
    assert await room.queue.beat(job.id, job.token)
    room.clock.forward(29)
    assert await room.recovery.expire() == []
    assert (await room.jobs.get(job.id)).state is JobState.RUNNING

    room.clock.forward(2)
    await room.recovery.expire()

    assert (await room.jobs.get(job.id)).state is JobState.QUEUED
    assert not await room.queue.beat(job.id, job.token)


async def test_many_jobs_expire_some_at_a_time_so_that_others_come_between(room, monkeypatch):
    monkeypatch.setattr(recovery, "EXPIRED_AT_ONCE", 2)
    late = [await room.submit(f"user{number}") for number in range(5)]
    room.clock.forward(25 * 3600)
    before = room.database.version

    assert sorted(await room.recovery.expire()) == sorted(job.id for job in late)

    assert room.database.version - before >= 3
    assert await room.violations() == []


async def test_a_job_that_waits_too_long_expires_with_a_refund(room):
    room.limit(wait_limit_ms=HOUR_MS)
    old = await room.submit("anna")
    room.clock.forward(3600)
    young = await room.submit("ben")
    assert await room.recovery.expire() == []
    room.clock.forward(1)

    assert await room.recovery.expire() == [old.id]

    expired = await room.jobs.get(old.id)
    assert expired.state is JobState.EXPIRED
    assert expired.failure == Failure("expired", {"limit_hours": 1.0})
    assert (await room.quotas.quota(ANNA)).reserved_ms == 0
    assert (await room.start()).id == young.id


async def test_erasing_removes_a_terminal_job_of_its_owner_and_keeps_the_ledger(room):
    job = await room.submit()
    with pytest.raises(AlreadyFinished):
        await room.queue.erase(job.id, ANNA)
    await room.finish(await room.start())
    with pytest.raises(NotYours):
        await room.queue.erase(job.id, BEN)

    gone = await room.queue.erase(job.id, ANNA)

    assert gone.clip == room.clip(job.id)
    with pytest.raises(JobUnknown):
        await room.jobs.get(job.id)
    assert (await room.quotas.quota(ANNA)).used_ms == 1000


async def test_pruning_takes_old_jobs_whose_requester_knows(room):
    told, owed = await room.submit("anna"), await room.submit("ben")
    for _ in range(2):
        await room.finish(await room.start())
    claim = await room.outbox.begin(told.id)
    await room.outbox.dead(claim, "blocked")
    room.clock.forward(10)

    assert [job.id for job in await room.queue.prune(room.clock())] == [told.id]
    assert (await room.jobs.get(owed.id)).state is JobState.SUCCEEDED


async def test_history_tells_what_happened(room):
    await room.submit()
    job = await room.start()
    await room.queue.requeue(job.id, job.token)
    await room.queue.cancel(job.id, ANNA)

    events = [(event.what, event.detail) for event in await room.jobs.history(job.id)]

    assert events == [
        ("held", ""),
        ("queued", ""),
        ("running", "attempt 1"),
        ("queued", "attempt 1 lost"),
        ("cancelled", "cancelled"),
    ]
