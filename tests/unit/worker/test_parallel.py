"""An executor with several devices: jobs of different people run side by side, in fair order."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import JobState, ReplyTo
from core.domain.media import RawClip
from core.domain.people import Requester
from core.domain.progress import Downloading, Progress, ProgressSink, Stage, Working
from core.errors import ModelUnavailable
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import Settings
from core.testing.doubles import (
    QuickExecutor,
    RecordingDelivery,
    eventually,
    grey_clip,
    running,
    t2v,
)
from core.testing.jobs import submit_request

DEVICES = 3


class Held:
    """Several devices; every order stands still until the test lets it go."""

    name = "quick"

    def __init__(self, at_once: int = DEVICES) -> None:
        self.at_once = at_once
        self.on_device: dict[str, asyncio.Event] = {}  # by requester
        self.began: list[str] = []
        self.most = 0
        self.changed = asyncio.Event()

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        gate, stopped = asyncio.Event(), asyncio.create_task(cancel.wait())
        self.began.append(order.requester)
        self.on_device[order.requester] = gate
        self.most = max(self.most, len(self.on_device))
        self.changed.set()
        on_progress(Working(Stage.STAGE1, 1, 2, 0.1))
        opened = asyncio.create_task(gate.wait())
        try:
            await asyncio.wait({opened, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opened.cancel()
            stopped.cancel()
            del self.on_device[order.requester]
            self.changed.set()
        cancel.raise_if_cancelled()
        return grey_clip(order.request.sampling, 100)

    async def close(self) -> None:
        pass

    async def until(self, *who: str) -> None:
        """Wait until exactly ``who`` have a device."""
        while set(self.on_device) != {f"test:{one}" for one in who}:
            self.changed.clear()
            await self.changed.wait()

    def let_go(self, who: str) -> None:
        self.on_device[f"test:{who}"].set()


class Fetching(Held):
    """The same, with files that have to be there first."""

    def __init__(self, at_once: int = 1) -> None:
        super().__init__(at_once)
        self.here: dict[str, asyncio.Event] = {}
        self.fetching = asyncio.Event()
        self.silent = False
        self.broken = False

    async def fetch(self, order: Order, on_progress: ProgressSink, cancel: CancelToken) -> None:
        if order.requester not in self.here:
            return
        if not self.silent:
            on_progress(Downloading("lora.safetensors", 1, 100, 0))
        self.fetching.set()
        here, stopped = (
            asyncio.create_task(event.wait()) for event in (self.here[order.requester], cancel)
        )
        await asyncio.wait({here, stopped}, return_when=asyncio.FIRST_COMPLETED)
        here.cancel()
        stopped.cancel()
        cancel.raise_if_cancelled()
        if self.broken:
            raise ModelUnavailable("lora.safetensors")


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
async def room(settings: Settings, held: Held, delivery: RecordingDelivery) -> AsyncGenerator[Core]:
    async with open_core(settings, held) as core:
        core.router.register(delivery)
        yield core


async def submit(core: Core, user: str, number: int = 0) -> str:
    key = f"{user}-{number}"
    ticket = await submit_request(core, t2v(), Requester("test", user), ReplyTo("test"), key)
    return ticket.job_id


async def state_of(core: Core, job_id: str) -> JobState:
    return (await core.jobs.get(job_id)).state


async def test_jobs_of_different_people_run_side_by_side(
    room: Core, held: Held, delivery: RecordingDelivery
) -> None:
    async with running(room), asyncio.timeout(120):
        for user in ("ann", "ben", "cem", "dee"):
            await submit(room, user)
        await held.until("ann", "ben", "cem")
        held.let_go("ben")
        await held.until("ann", "cem", "dee")
        for user in ("ann", "cem", "dee"):
            held.let_go(user)
        await delivery.until(4)

    assert held.most == DEVICES


async def test_nobody_has_two_devices_and_who_asked_for_little_is_not_held_up(
    room: Core, held: Held, delivery: RecordingDelivery
) -> None:
    async with running(room), asyncio.timeout(120):
        heavy = [await submit(room, "heavy", number) for number in range(4)]
        await held.until("heavy")
        await submit(room, "light")
        await submit(room, "tiny")
        await held.until("heavy", "light", "tiny")
        assert [await state_of(room, job) for job in heavy[1:]] == [JobState.HELD] * 3

        held.let_go("heavy")
        await delivery.until(1)
        await held.until("heavy", "light", "tiny")  # its second one
        for user in ("light", "tiny"):
            held.let_go(user)
        for done in range(4, 7):
            await held.until("heavy")
            held.let_go("heavy")
            await delivery.until(done)

    assert held.began[:3] == ["test:heavy", "test:light", "test:tiny"]


async def test_a_free_device_goes_to_newcomers_before_the_second_job_of_anybody(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    held = Held(2)
    async with open_core(settings, held) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            for number in range(3):
                await submit(core, "heavy", number)
            await submit(core, "ann")
            await held.until("heavy", "ann")
            await submit(core, "ben")
            held.let_go("heavy")
            await held.until("ben", "ann")
            for user in ("ben", "ann"):
                held.let_go(user)
            for done in range(4, 6):
                await held.until("heavy")
                held.let_go("heavy")
                await delivery.until(done)

    assert held.began[2] == "test:ben"


async def test_a_cancel_of_one_leaves_the_others_their_devices(
    room: Core, held: Held, delivery: RecordingDelivery
) -> None:
    async with running(room), asyncio.timeout(120):
        jobs = {user: await submit(room, user) for user in ("ann", "ben", "cem", "dee")}
        await held.until("ann", "ben", "cem")
        await room.cancellation.cancel(jobs["ben"], Requester("test", "ben"))
        await held.until("ann", "cem", "dee")
        for user in ("ann", "cem", "dee"):
            held.let_go(user)
        await delivery.until(4)

    kinds = {user: delivery.of(job)[0].kind for user, job in jobs.items()}
    assert kinds.pop("ben") == "cancelled"
    assert set(kinds.values()) == {"completed"}


async def test_a_stop_puts_all_that_run_back_in_line_without_a_loss(
    settings: Settings, held: Held
) -> None:
    async with open_core(settings, held) as core:
        core.worker.rules = replace(core.worker.rules, grace_s=0.0)
        async with running(core) as stop, asyncio.timeout(120):
            jobs = [await submit(core, user) for user in ("ann", "ben", "cem", "dee")]
            await held.until("ann", "ben", "cem")
            stop.set()
        found = [await core.jobs.get(job) for job in jobs]

    assert {job.state for job in found} <= {JobState.QUEUED, JobState.HELD}
    assert [job.losses for job in found] == [0, 0, 0, 0]


async def test_what_can_end_in_time_ends_at_a_stop(
    room: Core, held: Held, delivery: RecordingDelivery
) -> None:
    async with asyncio.timeout(120):
        async with running(room) as stop:
            jobs = [await submit(room, user) for user in ("ann", "ben", "cem")]
            await held.until("ann", "ben", "cem")
            stop.set()
            for user in ("ann", "ben", "cem"):
                held.let_go(user)

        assert [await state_of(room, job) for job in jobs] == [JobState.SUCCEEDED] * 3


async def test_every_lease_is_kept_while_all_run(
    settings: Settings, held: Held, delivery: RecordingDelivery
) -> None:
    async with open_core(settings, held) as core:
        core.router.register(delivery)
        core.worker.rules = replace(core.worker.rules, heartbeat_s=0.05)
        beaten: set[str] = set()
        beat = core.queue.beat

        async def noted(job_id: str, token: str, progress: Progress | None = None) -> bool:
            kept = await beat(job_id, token, progress)
            if kept:
                beaten.add(job_id)
            return kept

        core.queue.beat = noted  # type: ignore[method-assign]
        async with running(core), asyncio.timeout(120):
            jobs = {await submit(core, user) for user in ("ann", "ben", "cem")}
            await held.until("ann", "ben", "cem")
            beaten.clear()
            await eventually(lambda: _same(beaten, jobs))
            for user in ("ann", "ben", "cem"):
                held.let_go(user)
            await delivery.until(3)


async def _same(one: set[str], other: set[str]) -> bool:
    return one == other


@pytest.mark.parametrize("silent", [False, True], ids=["downloads", "waits for its hub"])
async def test_who_waits_for_files_holds_nobody_up(
    settings: Settings, delivery: RecordingDelivery, *, silent: bool
) -> None:
    fetching = Fetching()
    fetching.silent = silent
    here = fetching.here["test:ann"] = asyncio.Event()
    async with open_core(settings, fetching) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            await submit(core, "ann")
            await fetching.fetching.wait()
            await submit(core, "ben")
            await fetching.until("ben")
            await submit(core, "cem")
            here.set()
            fetching.let_go("ben")
            await fetching.until("ann")  # she came first
            fetching.let_go("ann")
            await fetching.until("cem")
            fetching.let_go("cem")
            await delivery.until(3)

    assert fetching.most == 1


async def test_files_that_cannot_be_had_end_their_job_alone(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    fetching = Fetching()
    here = fetching.here["test:ann"] = asyncio.Event()
    fetching.broken = True
    async with open_core(settings, fetching) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            first = await submit(core, "ann")
            await fetching.fetching.wait()
            second = await submit(core, "ben")
            await fetching.until("ben")
            here.set()
            await delivery.until(1)
            fetching.let_go("ben")
            await delivery.until(2)

    assert delivery.of(first)[0].kind == "model_unavailable"
    assert delivery.of(second)[0].kind == "completed"


async def test_a_cancel_ends_a_download(settings: Settings, delivery: RecordingDelivery) -> None:
    fetching = Fetching()
    fetching.here["test:ann"] = asyncio.Event()
    async with open_core(settings, fetching) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            job = await submit(core, "ann")
            await fetching.fetching.wait()
            await core.cancellation.cancel(job, Requester("test", "ann"))
            await delivery.until(1)
            await submit(core, "ben")
            await fetching.until("ben")
            fetching.let_go("ben")
            await delivery.until(2)

    assert delivery.of(job)[0].kind == "cancelled"


async def test_jobs_that_break_on_devices_of_their_own_stop_nobody_else(
    room: Core, held: Held, delivery: RecordingDelivery
) -> None:
    """Where the device is this process's, the second one in a row would end the service."""

    async def broken(order: Order, on_progress: ProgressSink, cancel: CancelToken) -> RawClip:
        if order.requester == "test:ann":
            return await execute(order, on_progress, cancel)
        raise ZeroDivisionError

    execute, held.execute = held.execute, broken  # type: ignore[method-assign]
    async with running(room), asyncio.timeout(120):
        job = await submit(room, "ann")
        await held.until("ann")
        for user in ("ben", "cem"):
            await submit(room, user)
        await delivery.until(2)
        held.let_go("ann")
        await delivery.until(3)

    assert delivery.of(job)[0].kind == "completed"
    assert room.worker.watch.lost is None


async def test_one_device_is_what_an_executor_has_that_says_nothing(
    core: Core, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    core.router.register(delivery)
    executor.gate.clear()
    async with running(core), asyncio.timeout(120):
        await submit(core, "ann")
        await executor.started.wait()
        waiting = await submit(core, "ben")
        assert await state_of(core, waiting) is JobState.HELD
        executor.gate.set()
        await delivery.until(2)
