"""The two-step pipeline and the outcomes that only the worker sees."""

import asyncio
import gc
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import JobState, ReplyTo
from core.domain.media import Clip, RawClip
from core.domain.people import Requester
from core.domain.progress import Progress, ProgressSink
from core.domain.quota import LentMs
from core.errors import Cancelled, OutOfMemory
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.runtime.notifier import LocalDispatcher
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, grey_preview, running, t2v
from core.testing.jobs import submit_request
from core.worker.attempt import JobAttempt, Phase
from core.worker.worker import Finish


async def submit(core: Core, user: str) -> str:
    ticket = await submit_request(core, t2v(), Requester("test", user), ReplyTo("test"), user)
    return ticket.job_id


class HeldFinish:
    """The real finishing; each clip waits for its permit."""

    def __init__(self, finish: Finish) -> None:
        self._finish = finish
        self.permits = asyncio.Semaphore(0)
        self.waiting = asyncio.Semaphore(0)

    async def __call__(self, raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        self.waiting.release()
        await self.permits.acquire()
        return await self._finish(raw, order, cancel)


async def test_the_device_works_on_the_next_job_while_a_clip_is_encoded(
    core: Core, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    core.router.register(delivery)
    core.worker.finish = held = HeldFinish(core.worker.finish)

    async with running(core), asyncio.timeout(120):
        first = await submit(core, "ann")
        await held.waiting.acquire()
        executor.started.clear()
        second = await submit(core, "ben")
        await executor.started.wait()

        assert (await core.jobs.get(first)).state is JobState.RUNNING
        assert (await core.jobs.get(second)).state is JobState.RUNNING
        held.permits.release()
        held.permits.release()
        await delivery.until(2)


async def test_at_most_one_clip_is_encoded_beside_the_running_job(
    core: Core, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    """Frames of more jobs would pile up in memory."""
    core.router.register(delivery)
    core.worker.finish = held = HeldFinish(core.worker.finish)

    async with running(core), asyncio.timeout(120):
        for user in ("ann", "ben", "cem", "dee"):
            await submit(core, user)
        await held.waiting.acquire()
        await asyncio.sleep(0.2)
        assert len(executor.orders) == 2
        for _ in range(4):
            held.permits.release()
        await delivery.until(4)


async def test_previews_are_shown_while_a_job_is_made_and_not_once_it_is_cancelled(
    core: Core, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    core.router.register(delivery)
    executor.gate.clear()
    async with running(core), asyncio.timeout(120):
        job = await submit(core, "ann")
        await executor.started.wait()
        executor.show(grey_preview(10))
        assert core.hub.preview(job) == grey_preview(10)

        core.ends.dispatcher.cancel(job, "owner")
        executor.show(grey_preview(20))
        assert core.hub.preview(job) == grey_preview(10)
        await delivery.until(1)

    assert core.hub.preview(job) is None


async def test_nobody_is_shown_anything_where_the_settings_want_none(
    settings_with: Callable[..., Settings],
) -> None:
    executor = QuickExecutor()
    async with open_core(settings_with(previews=False), executor):
        assert executor.looks is None


async def test_both_leases_are_kept_alive_while_the_encoder_is_slow(
    settings_with: Callable[..., Settings],
    delivery: RecordingDelivery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_with(lease_s=0.6, heartbeat_s=0.1)
    executor = QuickExecutor()
    async with open_core(settings, executor) as core:
        core.router.register(delivery)
        core.worker.finish = held = HeldFinish(core.worker.finish)
        beat, beats, enough = core.queue.beat, Counter[str](), asyncio.Event()

        async def counted(job_id: str, token: str, progress: Progress | None = None) -> bool:
            kept = await beat(job_id, token, progress)
            beats[job_id] += kept
            if len(beats) == 2 and min(beats.values()) >= 8:  # longer than a lease
                enough.set()
            return kept

        monkeypatch.setattr(core.queue, "beat", counted)
        async with running(core), asyncio.timeout(120):
            await submit(core, "ann")
            await submit(core, "ben")
            await held.waiting.acquire()
            await enough.wait()
            held.permits.release()
            held.permits.release()
            await delivery.until(2)

    assert [order.attempt for order in executor.orders] == [1, 1]


async def test_a_worker_that_lost_its_token_stops_and_deletes_its_output(
    core: Core, delivery: RecordingDelivery
) -> None:
    """As after a long suspend: the job went back in line and somebody else has it."""
    core.router.register(delivery)
    finish = core.worker.finish
    taken: list[Clip] = []

    async def finish_and_lose(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        clip = await finish(raw, order, cancel)
        if not taken:
            taken.append(clip)
            job = await core.jobs.get(order.job_id)
            assert await core.queue.requeue(job.id, job.token or "")
        return clip

    core.worker.finish = finish_and_lose
    async with running(core), asyncio.timeout(120):
        job_id = await submit(core, "ann")
        await delivery.until(1)

    job = await core.jobs.get(job_id)
    assert job.attempt == 2
    assert job.clip is not None
    assert not taken[0].path.exists()
    assert not taken[0].poster.exists()
    assert job.clip.path.exists()
    assert len(delivery.of(job_id)) == 1


async def test_an_outcome_that_cannot_be_written_is_written_later(
    core: Core, delivery: RecordingDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is full for a while: the finished clip is not thrown away."""
    core.router.register(delivery)
    faults = deque([OperationalError("COMMIT", {}, Exception("database or disk is full"))])
    settle = core.queue.settle

    async def settle_later(job_id: str, token: str, clip: Clip, actual_ms: int) -> bool:
        if faults:
            raise faults.popleft()
        return await settle(job_id, token, clip, actual_ms)

    monkeypatch.setattr(core.queue, "settle", settle_later)
    async with running(core), asyncio.timeout(120):
        job_id = await submit(core, "ann")
        await delivery.until(1)

    assert (await core.jobs.get(job_id)).attempt == 1


async def test_an_outcome_whose_answer_was_lost_keeps_its_clip(
    core: Core, delivery: RecordingDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.router.register(delivery)
    faults = deque([OperationalError("COMMIT", {}, Exception("the connection was cut"))])
    answers: list[bool] = []
    settle = core.queue.settle

    async def settle_unheard(job_id: str, token: str, clip: Clip, actual_ms: int) -> bool:
        answers.append(await settle(job_id, token, clip, actual_ms))
        if faults:
            raise faults.popleft()
        return answers[-1]

    monkeypatch.setattr(core.queue, "settle", settle_unheard)
    async with running(core), asyncio.timeout(10):
        job_id = await submit(core, "ann")
        await delivery.until(1)

    job = await core.jobs.get(job_id)
    assert answers == [True, True]
    assert job.clip is not None
    assert job.clip.path.exists()


async def test_an_executor_that_ignores_its_cancel_is_left_behind(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    class Deaf(QuickExecutor):
        async def execute(
            self, order: Order, on_progress: ProgressSink, cancel: CancelToken
        ) -> RawClip:
            return await super().execute(order, on_progress, CancelToken())

    executor = Deaf()
    executor.gate.clear()
    async with open_core(settings, executor) as core:
        core.router.register(delivery)
        core.worker.rules = replace(core.worker.rules, unwind_s=0.05)
        async with running(core), asyncio.timeout(120):
            job_id = await submit(core, "ann")
            await executor.started.wait()
            await core.cancellation.cancel(job_id, Requester("test", "ann"))
            executor.gate.set()
            await submit(core, "ben")
            await delivery.until(2)

    assert [message.kind for message in delivery.of(job_id)] == ["cancelled"]


async def test_the_outcome_of_a_cancelled_run_is_looked_at(
    core: Core, executor: QuickExecutor
) -> None:
    """Else asyncio prints a traceback into the terminal of whoever pressed Ctrl-C."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    executor.gate.clear()

    async with running(core), asyncio.timeout(120):
        job_id = await submit(core, "ann")
        await executor.started.wait()
        await core.cancellation.cancel(job_id, Requester("test", "ann"))
    gc.collect()

    assert complaints == []


class LentExecutor(QuickExecutor):
    """Works on a device whose lender counts 73 s, whatever comes of it."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self._error = error

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        if self._error is not None:
            raise self._error
        return await super().execute(order, on_progress, cancel)

    def lent_ms(self, job_id: str) -> LentMs:
        return LentMs(73_000)

    def lent_so_far_ms(self, job_id: str) -> int:
        return 5_000


@pytest.mark.parametrize("error", [None, OutOfMemory(64, 64, 9), ZeroDivisionError(), Cancelled()])
async def test_what_the_lender_counted_is_charged_however_the_attempt_ends(
    settings: Settings, delivery: RecordingDelivery, error: Exception | None
) -> None:
    async with open_core(settings, LentExecutor(error)) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            job = await submit(core, "ann")
            await delivery.until(1)

        assert (await core.jobs.get(job)).charged_ms == 73_000


async def test_a_cancel_costs_what_the_lender_counted_until_then(settings: Settings) -> None:
    dispatcher = LocalDispatcher()
    async with open_core(settings, QuickExecutor()) as core:
        job = await core.jobs.get(await submit(core, "ann"))
    attempt = JobAttempt(job, settings.work_folder, dispatcher)
    attempt.enter(Phase.EXECUTING)
    attempt.lent_so_far_ms = lambda: 5_000

    assert -5_000 <= dispatcher.off_device_ms(job.id) < 0  # what went by is not what was counted

    attempt.lent_ms = LentMs(600_000)  # the loan is over, the clip is being encoded
    assert -600_000 <= dispatcher.off_device_ms(job.id) < -5_000
