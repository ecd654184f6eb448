"""Attempts called for one by one, as a driver does that is not the local loop."""

import asyncio

from core.app.core import Core
from core.domain.jobs import JobState, ReplyTo
from core.domain.people import Requester
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, t2v
from core.testing.jobs import submit_request


async def submit(core: Core, user: str) -> str:
    core.submission.close(closed=False)
    ticket = await submit_request(core, t2v(), Requester("test", user), ReplyTo("test"), user)
    return ticket.job_id


async def test_an_attempt_that_finds_nothing_ends_quietly(core: Core) -> None:
    stop = asyncio.Event()
    async with core.worker.session(stop), asyncio.timeout(10):
        assert not await core.worker.attempt()
        stop.set()


async def test_an_attempt_settles_one_job_and_no_more(core: Core) -> None:
    first, second = await submit(core, "ann"), await submit(core, "ben")
    stop = asyncio.Event()
    async with core.worker.session(stop), asyncio.timeout(10):
        assert await core.worker.attempt()
        assert (await core.jobs.get(first)).state is JobState.SUCCEEDED
        assert (await core.jobs.get(second)).state is JobState.HELD
        stop.set()


async def test_an_attempt_binds_no_job_while_the_device_is_far_from_free(
    core: Core, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    """What comes meanwhile may still be due before; and another worker may be quicker."""
    core.router.register(delivery)
    jobs = [await submit(core, user) for user in ("ann", "ben", "cem")]
    executor.gate.clear()
    stop = asyncio.Event()
    async with core.worker.session(stop), asyncio.timeout(10):
        assert not core.worker.busy
        attempts = [asyncio.create_task(core.worker.attempt()) for _ in range(4)]
        await executor.started.wait()
        await eventually(lambda: asyncio.sleep(0, core.worker.busy))

        states = [(await core.jobs.get(job)).state for job in jobs]
        assert states == [JobState.RUNNING, JobState.HELD, JobState.HELD]

        executor.gate.set()
        assert sorted(await asyncio.gather(*attempts)) == [False, True, True, True]
        stop.set()


async def test_an_attempt_that_waits_when_the_service_stops_leaves_its_job_in_line(
    core: Core, executor: QuickExecutor
) -> None:
    first, second = await submit(core, "ann"), await submit(core, "ben")
    executor.gate.clear()
    stop = asyncio.Event()
    async with core.worker.session(stop), asyncio.timeout(20):
        attempts = [asyncio.create_task(core.worker.attempt()) for _ in range(2)]
        await executor.started.wait()
        stop.set()
        executor.gate.set()
        assert sorted(await asyncio.gather(*attempts)) == [False, True]

    assert (await core.jobs.get(first)).state is JobState.SUCCEEDED
    assert (await core.jobs.get(second)).attempt == 0
