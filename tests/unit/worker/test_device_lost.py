"""A device that is lost stops the service, not the jobs; what never returns is left behind."""

import asyncio
import errno
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Never

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import Job, JobState, ReplyTo
from core.domain.media import Clip, RawClip
from core.domain.nodes import NodeState
from core.domain.people import Requester
from core.domain.progress import ProgressSink, Stage, Working
from core.errors import DeviceLost, OwnWorkflowFailed
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, running, t2v
from core.testing.jobs import submit_request

STICKY = "CUDA error: an illegal memory access was encountered"


class Broken(QuickExecutor):
    """A device that makes ``sound`` clips and then says the same error for ever."""

    def __init__(self, error: Callable[[], Exception], sound: int = 0) -> None:
        super().__init__()
        self.error = error
        self.sound = sound

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        if len(self.orders) < self.sound:
            return await super().execute(order, on_progress, cancel)
        self.orders.append(order)
        raise self.error()


async def submit(core: Core, user: str, prompt: str = "a kite") -> str:
    asked = submit_request(core, t2v(prompt), Requester("test", user), ReplyTo("test"), user)
    return (await asked).job_id


async def kinds_shown(core: Core, delivery: RecordingDelivery, jobs: int) -> set[str]:
    """Run ``jobs`` jobs of as many people to their end; return the kinds of what they are shown."""
    core.router.register(delivery)
    async with running(core), asyncio.timeout(120):
        for number in range(jobs):
            await submit(core, f"user-{number}")
        await delivery.until(jobs)
    return {message.kind for message in delivery.shown.values()}


async def until_lost(settings: Settings, executor: QuickExecutor, jobs: int) -> list[Job]:
    """Run one life of the service with ``jobs`` jobs in line; return them as it left them."""
    async with open_core(settings, executor) as core:
        ids = [await submit(core, f"user-{number}") for number in range(jobs)]
        async with asyncio.timeout(120):
            await core.run(asyncio.Event())  # ends by itself
        assert core.worker.watch.lost is not None
        return [await core.jobs.get(job_id) for job_id in ids]


@pytest.mark.parametrize(
    "error",
    [lambda: RuntimeError(STICKY), DeviceLost, lambda: OSError("GPU has fallen off the bus")],
)
async def test_a_lost_device_stops_the_service_and_fails_nobody(
    settings: Settings, error: Callable[[], Exception]
) -> None:
    executor = Broken(error)

    jobs = await until_lost(settings, executor, 14)

    assert [job.state.waiting for job in jobs] == [True] * 14
    assert len(executor.orders) == 1
    assert {job.losses for job in jobs} == {0}  # nothing shows that the job was to blame


async def test_two_jobs_that_break_before_their_first_step_stop_the_service(
    settings: Settings,
) -> None:
    executor = Broken(lambda: RuntimeError("odd"))

    jobs = await until_lost(settings, executor, 14)

    assert [job.state for job in jobs].count(JobState.FAILED) == 1
    assert sum(job.state.waiting for job in jobs) == 13


async def test_an_operators_workflow_that_breaks_by_itself_stops_nothing(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    async with open_core(settings, Broken(lambda: OwnWorkflowFailed("57:3"))) as core:
        kinds = await kinds_shown(core, delivery, 4)

        assert core.worker.watch.lost is None
    assert kinds == {"own_workflow_failed"}


@pytest.mark.parametrize("part", ["_shares", "finish"])
async def test_what_breaks_before_or_after_the_device_stops_nothing(
    core: Core, delivery: RecordingDelivery, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """A defect of ours in the estimate or the encoder is there again in the next process."""

    def breaks(*_: object) -> Never:
        raise ZeroDivisionError

    monkeypatch.setattr(core.worker, part, breaks)

    kinds = await kinds_shown(core, delivery, 4)

    assert core.worker.watch.lost is None
    assert kinds == {"internal_error"}


@pytest.mark.parametrize(
    "error", [lambda: MemoryError("2 GB"), lambda: OSError(errno.ENOMEM, "no memory")]
)
async def test_jobs_that_the_machine_has_too_little_memory_for_say_so_and_stop_nothing(
    settings: Settings, delivery: RecordingDelivery, error: Callable[[], Exception]
) -> None:
    async with open_core(settings, Broken(error)) as core:
        kinds = await kinds_shown(core, delivery, 3)

        assert core.worker.watch.lost is None
    assert kinds == {"out_of_memory"}


async def test_jobs_that_break_after_their_first_step_stop_nothing(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    class Late(QuickExecutor):
        async def execute(
            self, order: Order, on_progress: ProgressSink, cancel: CancelToken
        ) -> RawClip:
            on_progress(Working(Stage.STAGE1, 1, 8, 0.2))
            raise RuntimeError("odd")

    async with open_core(settings, Late()) as core:
        await kinds_shown(core, delivery, 4)

        assert core.worker.watch.lost is None


async def test_a_job_that_kills_a_sound_device_three_times_fails_alone(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    class Poisoned(QuickExecutor):
        async def execute(
            self, order: Order, on_progress: ProgressSink, cancel: CancelToken
        ) -> RawClip:
            if order.request.prompt == "poison":
                raise RuntimeError(STICKY)
            return await super().execute(order, on_progress, cancel)

    for life in range(3):
        async with open_core(settings, Poisoned()) as core:
            core.router.register(delivery)
            if life == 0:
                poison = await submit(core, "eve", "poison")
            fine = [await submit(core, f"user-{life}-{number}") for number in range(2)]
            async with asyncio.timeout(120):
                await core.run(asyncio.Event())
            assert {(await core.jobs.get(one)).state for one in fine} <= {
                JobState.SUCCEEDED,
                JobState.QUEUED,
                JobState.HELD,
            }
    async with open_core(settings, Poisoned()) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            await eventually(lambda: ended(core, poison))
            await delivery.until(7)

    kinds = sorted(message.kind for message in delivery.shown.values())
    assert kinds == ["completed"] * 6 + ["worker_lost"]


async def ended(core: Core, job_id: str) -> bool:
    return (await core.jobs.get(job_id)).state.terminal


async def test_health_says_that_the_device_is_lost_and_operators_are_told(
    settings: Settings, executor: QuickExecutor
) -> None:
    told: list[tuple[str, dict[str, object]]] = []
    seen: list[str] = []

    async with open_core(settings, executor) as core:

        class Alerts:
            async def send(self, kind: str, data: dict[str, object]) -> None:
                told.append((kind, data))
                seen.append((await core.health.read()).intake)

        core.worker._alerts = Alerts()
        executor.faults.append(RuntimeError(STICKY))
        await submit(core, "ann")
        async with asyncio.timeout(120):
            await core.run(asyncio.Event())

    assert told == [("device_lost", {"reason": "device_error"})]
    assert seen == ["device"]


async def test_an_encoder_that_never_returns_fails_its_job_alone(
    core: Core, delivery: RecordingDelivery
) -> None:
    core.router.register(delivery)
    core.worker.rules = replace(core.worker.rules, finish_timeout_s=4.0, unwind_s=0.1)
    finish, never = core.worker.finish, threading.Event()

    async def hangs(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        if order.request.prompt == "hangs":
            await asyncio.shield(asyncio.to_thread(never.wait))
        return await finish(raw, order, cancel)

    core.worker.finish = hangs
    async with running(core), asyncio.timeout(120):
        stuck = await submit(core, "ann", "hangs")
        others = [await submit(core, user) for user in ("ben", "cem", "dee")]
        await delivery.until(4)
        never.set()

    assert [message.kind for message in delivery.of(stuck)] == ["timed_out"]
    assert {delivery.of(one)[0].kind for one in others} == {"completed"}


async def test_after_some_encoders_that_never_return_the_service_starts_anew(
    settings: Settings, executor: QuickExecutor
) -> None:
    never = threading.Event()

    async def hangs(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        while not never.is_set():
            try:
                await asyncio.shield(asyncio.to_thread(never.wait))
            except asyncio.CancelledError:
                continue
        raise AssertionError

    async with open_core(settings, executor) as core:
        core.worker.rules = replace(core.worker.rules, finish_timeout_s=0.1, unwind_s=0.05)
        core.worker.finish = hangs
        for number in range(6):
            await submit(core, f"user-{number}")
        async with asyncio.timeout(120):
            await core.run(asyncio.Event())
        never.set()

        assert core.worker.watch.lost is not None
        assert core.worker.watch.lost.reason == "stuck"
        counts = await core.jobs.counts()
        assert counts.running == 0
        assert counts.waiting >= 3


async def test_an_executor_that_keeps_the_device_makes_the_service_start_anew(
    settings: Settings,
) -> None:
    class Deaf(QuickExecutor):
        never = asyncio.Event()

        async def execute(
            self, order: Order, on_progress: ProgressSink, cancel: CancelToken
        ) -> RawClip:
            while not self.never.is_set():
                try:
                    await self.never.wait()
                except asyncio.CancelledError:
                    continue
            raise AssertionError

    executor = Deaf()
    async with open_core(settings, executor) as core:
        core.worker.rules = replace(
            core.worker.rules, job_timeout_s=0.1, unwind_s=0.05, stuck_s=0.1
        )
        first, second = [await submit(core, user) for user in ("ann", "ben")]
        async with asyncio.timeout(120):
            await core.run(asyncio.Event())
        executor.never.set()

        assert core.worker.watch.lost is not None
        assert core.worker.watch.lost.reason == "stuck"
        job = await core.jobs.get(first)
        assert job.failure is not None
        assert job.failure.code == "timed_out"
        assert (await core.jobs.get(second)).state.waiting


@pytest.mark.parametrize("user", ["ann", "ben", "dee"])
async def test_an_estimate_that_breaks_fails_its_job_alone(
    core: Core, delivery: RecordingDelivery, user: str
) -> None:
    core.router.register(delivery)
    shares = core.worker._shares

    def breaks(request):
        if request.prompt == "breaks":
            raise ZeroDivisionError
        return shares(request)

    core.worker._shares = breaks
    async with running(core), asyncio.timeout(120):
        ids = {
            one: await submit(core, one, "breaks" if one == user else "a kite")
            for one in ("ann", "ben", "cem", "dee")
        }
        await delivery.until(4)

    kinds = {one: delivery.of(job_id)[0].kind for one, job_id in ids.items()}
    assert kinds == dict.fromkeys(ids, "completed") | {user: "internal_error"}


async def test_a_job_whose_models_cannot_be_named_stops_nobody(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    """Which models a job needs is asked of everything that is due, before anything is claimed."""

    class Warm(QuickExecutor):
        resident = "plain"

        def model_set(self, request) -> str:
            if request.prompt == "breaks":
                raise KeyError("mode")
            return "plain"

    async with open_core(settings, Warm()) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            await submit(core, "ann", "breaks")
            await submit(core, "ben")
            await delivery.until(2)


async def says_nothing(_: NodeState) -> None:
    """Take the place of ``enter`` where a process dies."""


async def test_a_suspect_runs_alone(settings: Settings, delivery: RecordingDelivery) -> None:
    """Else what dies with it would be blamed on whoever is in the encoder beside it."""
    async with open_core(settings, QuickExecutor()) as core:
        await submit(core, "eve")
        job = await core.queue.claim()
        assert job is not None
        core.nodes.enter = says_nothing  # it dies: an end on purpose would blame no job
    executor = QuickExecutor()
    async with open_core(settings, executor) as core:  # which died with it
        core.router.register(delivery)
        at_once: list[int] = []
        finish = core.worker.finish

        async def looks(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
            if order.job_id == job.id:
                await asyncio.sleep(0.3)
                at_once.append(len(executor.orders))
            return await finish(raw, order, cancel)

        core.worker.finish = looks
        assert (await core.jobs.get(job.id)).losses == 1
        async with running(core), asyncio.timeout(120):
            await submit(core, "ann")
            await submit(core, "ben")
            await delivery.until(3)

    assert executor.orders[0].job_id == job.id
    assert at_once == [1]


async def test_a_job_is_known_to_have_the_device_before_it_can_do_harm(
    settings: Settings, delivery: RecordingDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it was claimed ahead, while another one was still at work."""

    async def slowly(job_id: str, token: str) -> int | None:
        await asyncio.sleep(0.1)
        return await begin(job_id, token)

    begun: list[bool] = []

    class Looks(QuickExecutor):
        async def execute(
            self, order: Order, on_progress: ProgressSink, cancel: CancelToken
        ) -> RawClip:
            job = await core.jobs.get(order.job_id)
            begun.append(job.started_at_ms is not None)
            return await super().execute(order, on_progress, cancel)

    async with open_core(settings, Looks()) as core:
        begin = core.queue.begin
        monkeypatch.setattr(core.queue, "begin", slowly)
        core.router.register(delivery)
        for number in range(5):
            await submit(core, f"user-{number}")
        async with running(core), asyncio.timeout(120):
            await delivery.until(5)

    assert begun == [True] * 5
