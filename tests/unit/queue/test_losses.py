"""What counts against a job when its worker, its process or its device is lost."""

import pytest

from core.domain.jobs import Failure, JobState, RequeueReason


async def put_back(room, why: RequeueReason):
    job = await room.start()
    assert await room.queue.requeue(job.id, job.token, why)
    return await room.jobs.get(job.id)


async def test_a_stop_counts_nothing_however_often_it_comes(room):
    await room.submit()

    for times in range(5):
        job = await put_back(room, RequeueReason.STOPPED)
        assert (job.state, job.attempt, job.losses) == (JobState.QUEUED, times + 1, 0)


async def test_an_end_on_purpose_that_cuts_a_job_off_counts_nothing(room):
    """As where the machine goes down while the job is still being put back."""
    await room.submit()
    for _ in range(4):
        await room.start()
        await room.queue.note_ending()
        report = await room.recovery.recover()
        assert (report.requeued, report.lost) == (1, 0)

    await room.start()
    await room.recovery.recover()  # and what was on purpose is forgotten with the next start
    job = await room.start()
    assert job.losses == 1


@pytest.mark.parametrize("why", [RequeueReason.DEVICE, RequeueReason.DOUBTED])
async def test_a_job_that_alone_kills_the_device_three_times_fails_and_is_refunded(room, why):
    submitted = await room.submit()

    await put_back(room, why)
    await put_back(room, why)
    job = await put_back(room, why)

    assert (job.id, job.state) == (submitted.id, JobState.FAILED)
    assert job.failure == Failure("worker_lost", {"attempts": 3})
    quota = await room.quotas.quota(job.requester)
    assert (quota.used_ms, quota.reserved_ms) == (0, 0)
    assert len(await room.outbox.due()) == 1


async def test_a_job_that_killed_the_device_goes_behind_everybody_who_waits(room):
    killer = await room.submit("anna")
    others = [await room.submit(user) for user in ("ben", "cem", "dee")]
    job = await put_back(room, RequeueReason.DEVICE)
    assert (job.id, job.losses) == (killer.id, 1)

    order = []
    for _ in range(4):
        job = await room.start()
        order.append(job.id)
        await room.finish(job)

    assert order == [other.id for other in others] + [killer.id]


async def test_nobody_is_blamed_for_a_device_that_works_for_nobody(room):
    jobs = [await room.submit(user) for user in ("anna", "ben", "cem")]

    for _ in range(15):
        await put_back(room, RequeueReason.DOUBTED)

    for job in jobs:
        assert ((await room.jobs.get(job.id)).state.waiting, job.losses) == (True, 0)


async def test_losses_of_different_kinds_add_up(room):
    await room.submit()
    await put_back(room, RequeueReason.DEVICE)
    await room.start()
    await room.recovery.recover()

    assert (await put_back(room, RequeueReason.LOST)).failure == Failure(
        "worker_lost", {"attempts": 3}
    )


async def test_what_was_only_claimed_ahead_is_not_blamed_for_a_death(room):
    await room.submit("anna")
    await room.submit("ben")
    on_device = await room.start()
    ahead = await room.queue.claim(ahead=True)

    await room.recovery.recover()

    assert (await room.jobs.get(on_device.id)).losses == 1
    waiting = await room.jobs.get(ahead.id)
    assert (waiting.losses, waiting.attempt) == (0, 0)


async def test_a_stop_fails_nobody_where_fewer_losses_are_allowed_than_a_job_has(room):
    await room.submit()
    await put_back(room, RequeueReason.LOST)
    await put_back(room, RequeueReason.LOST)
    room.limit(max_attempts=2)

    job = await put_back(room, RequeueReason.STOPPED)

    assert (job.state, job.losses) == (JobState.QUEUED, 2)
    lost = await put_back(room, RequeueReason.LOST)
    assert lost.failure == Failure("worker_lost", {"attempts": 3})
