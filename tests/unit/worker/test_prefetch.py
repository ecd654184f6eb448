"""The next job is claimed while the device is still at work, late, and begins at once."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import JobState, ReplyTo
from core.domain.media import RawClip
from core.domain.people import Requester
from core.domain.progress import ProgressSink, Stage, Working
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, running, t2v
from core.testing.jobs import submit_request


class Stepwise(QuickExecutor):
    """A device at the first half of its work; ``go_on`` brings it near the end."""

    def __init__(self) -> None:
        super().__init__()
        self.gate.clear()
        self.go_on = asyncio.Event()

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        on_progress(Working(Stage.STAGE1, 1, 4, 0.1))
        run = asyncio.create_task(super().execute(order, on_progress, cancel))
        await self.go_on.wait()
        on_progress(Working(Stage.STAGE2, 3, 4, 0.6))
        return await run


@pytest.fixture
def stepwise() -> Stepwise:
    return Stepwise()


@pytest.fixture
async def room(
    settings: Settings, stepwise: Stepwise, delivery: RecordingDelivery
) -> AsyncGenerator[Core]:
    async with open_core(settings, stepwise) as core:
        core.router.register(delivery)
        yield core


async def has_run(core: Core, job_id: str, times: int) -> bool:
    job = await core.jobs.get(job_id)
    return job.attempt == times and job.started_at_ms is not None


async def submit(core: Core, user: str) -> str:
    ticket = await submit_request(core, t2v(), Requester("test", user), ReplyTo("test"), user)
    return ticket.job_id


async def is_claimed(core: Core, job_id: str) -> bool:
    job = await core.jobs.get(job_id)
    return job.state is JobState.RUNNING and job.started_at_ms is None


async def turns_of_the_database(core: Core) -> None:
    """Let pass what a claim would have been made in."""
    for _ in range(10):
        await core.queue.beat("nobody", "none")


async def two_of_them(core: Core, stepwise: Stepwise) -> str:
    """Bring one job near its end on the device, and the next one before it; return the next."""
    await submit(core, "ann")
    await stepwise.started.wait()
    second = await submit(core, "ben")
    stepwise.go_on.set()
    await eventually(lambda: is_claimed(core, second))
    return second


async def test_nothing_is_claimed_in_the_first_half(room: Core, stepwise: Stepwise) -> None:
    """Which job comes next stays open as long as it can: who comes late may be first."""
    async with running(room), asyncio.timeout(120):
        await submit(room, "ann")
        await stepwise.started.wait()
        second = await submit(room, "ben")
        await turns_of_the_database(room)

        assert (await room.jobs.get(second)).state is JobState.HELD
        stepwise.go_on.set()
        stepwise.gate.set()


async def test_the_next_job_waits_before_the_device_and_begins_when_it_is_free(
    room: Core, stepwise: Stepwise, delivery: RecordingDelivery
) -> None:
    async with running(room), asyncio.timeout(120):
        second = await two_of_them(room, stepwise)
        assert len(stepwise.orders) == 1
        stepwise.gate.set()
        await delivery.until(2)

    job = await room.jobs.get(second)
    assert [order.job_id for order in stepwise.orders][1:] == [second]
    assert job.attempt == 1
    assert job.started_at_ms is not None
    assert job.started_at_ms >= job.created_at_ms


async def test_at_most_one_job_waits_before_the_device(room: Core, stepwise: Stepwise) -> None:
    async with running(room), asyncio.timeout(120):
        third = await two_of_them(room, stepwise) and await submit(room, "cem")
        await turns_of_the_database(room)

        assert (await room.jobs.get(third)).state is JobState.HELD
        stepwise.gate.set()


async def test_a_cancel_before_the_device_costs_nothing_and_lets_another_take_the_place(
    room: Core, stepwise: Stepwise, delivery: RecordingDelivery
) -> None:
    async with running(room), asyncio.timeout(120):
        second = await two_of_them(room, stepwise)
        third = await submit(room, "cem")
        cancelled = await room.cancellation.cancel(second, Requester("test", "ben"))
        await eventually(lambda: is_claimed(room, third))
        stepwise.gate.set()
        await delivery.until(3)

    assert cancelled.charged_ms == 0
    assert second not in [order.job_id for order in stepwise.orders]
    assert [message.kind for message in delivery.of(third)] == ["completed"]
    assert (await room.quotas.quota(Requester("test", "ben"))).reserved_ms == 0


async def test_a_job_that_its_first_attempt_lost_near_the_end_is_made_by_the_second(
    room: Core, stepwise: Stepwise, delivery: RecordingDelivery
) -> None:
    """As after a long suspend: the second waits before the device while the first unwinds."""
    async with running(room), asyncio.timeout(120):
        job_id = await submit(room, "ann")
        await stepwise.started.wait()
        first = await room.jobs.get(job_id)
        stepwise.go_on.set()
        assert await room.queue.requeue(job_id, first.token or "")
        await eventually(lambda: has_run(room, job_id, times=2))
        stepwise.gate.set()
        await delivery.until(1)

    assert [message.kind for message in delivery.of(job_id)] == ["completed"]
    assert len({order.workspace for order in stepwise.orders}) == 2


async def test_a_stop_puts_it_back_in_line_uncounted(room: Core, stepwise: Stepwise) -> None:
    async with asyncio.timeout(120):
        async with running(room) as stop:
            second = await two_of_them(room, stepwise)
            stop.set()
            stepwise.gate.set()

    job = await room.jobs.get(second)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert len(stepwise.orders) == 1


async def test_an_executor_that_does_not_stop_keeps_the_device_from_the_next(
    room: Core, stepwise: Stepwise, delivery: RecordingDelivery
) -> None:
    """Two orders on one device would be two jobs in its memory."""
    deaf = asyncio.Event()
    execute = stepwise.execute

    async def ignore_cancel(order: Order, on_progress: ProgressSink, _: CancelToken) -> RawClip:
        try:
            return await execute(order, on_progress, CancelToken())
        except asyncio.CancelledError:
            await deaf.wait()
            raise

    stepwise.execute = ignore_cancel
    room.worker.rules = type(room.worker.rules)(unwind_s=0.05)
    async with running(room), asyncio.timeout(120):
        await submit(room, "ann")
        await stepwise.started.wait()
        second = await submit(room, "ben")
        stepwise.go_on.set()
        await eventually(lambda: is_claimed(room, second))
        first = stepwise.orders[0].job_id
        await room.cancellation.cancel(first, Requester("test", "ann"))
        await delivery.until(1)
        assert len(stepwise.orders) == 1
        deaf.set()
        stepwise.gate.set()
        await delivery.until(2)

    assert [message.kind for message in delivery.of(second)] == ["completed"]
