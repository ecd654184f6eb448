"""The part of an attempt on the device: within its time, and never with two at once."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from core.domain.media import RawClip
from core.domain.progress import Downloading, Progress
from core.domain.prompt_preview import JobPreview
from core.errors import DeviceLost
from core.interfaces.executor import (
    Executor,
    FetchingExecutor,
    LentExecutor,
    Order,
    PreviewingExecutor,
)
from core.interfaces.work_queue import WorkQueue
from core.runtime.device_errors import is_device_lost
from core.runtime.permissions import make_private_folder
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of
from core.worker.attempt import JobAttempt, Phase
from core.worker.device_watch import DeviceWatch
from core.worker.limited import run_limited
from core.worker.prefetch import Prefetcher
from core.worker.rules import WorkerRules
from core.worker.slots import DeviceSlot

log = structlog.get_logger(__name__)
FETCH_S = 1.0  # files that are here take milliseconds; a hub that hangs says nothing of itself
NOTED_S = 1.0  # a database that takes longer is not waited for; milliseconds are usual


class DeviceRunner:
    """Executes orders, prepares the next one meanwhile, and sees what the device makes of them."""

    def __init__(
        self,
        executor: Executor,
        queue: WorkQueue,
        hub: ProgressHub,
        watch: DeviceWatch,
        prefetcher: Prefetcher,
        rules: WorkerRules,
    ) -> None:
        self._executor = executor
        self._queue = queue
        self._hub = hub
        self._watch = watch
        self._prefetcher = prefetcher
        self._attempts: dict[str, JobAttempt] = {}  # on a device, by job
        if rules.previews and isinstance(executor, PreviewingExecutor):
            executor.show_previews(self._show)

    async def fetch(
        self,
        attempt: JobAttempt,
        order: Order,
        device: DeviceSlot,
        rules: WorkerRules,
        unwind_s: Callable[[], float],
    ) -> None:
        """Have the files of ``order`` where the executor fetches them apart.

        While they are downloaded, or take long for another reason, somebody else has the device.

        Raises:
            Cancelled: somebody, or the time limit, stopped the attempt.
        """
        if not isinstance(self._executor, FetchingExecutor):
            return

        def on_progress(event: Progress) -> None:
            if isinstance(event, Downloading):
                device.step_aside()
            attempt.publish(self._hub, event)

        call = self._executor.fetch(order, on_progress, attempt.cancel)
        late = asyncio.get_running_loop().call_later(FETCH_S, device.step_aside)
        try:
            run = await run_limited(call, attempt, rules.job_timeout_s, unwind_s, _give_up)
        finally:
            late.cancel()
        attempt.cancel.raise_if_cancelled()
        run.result()
        await device.take(attempt.cancel)

    async def execute(
        self,
        attempt: JobAttempt,
        order: Order,
        device: DeviceSlot,
        rules: WorkerRules,
        unwind_s: Callable[[], float],
    ) -> RawClip:
        """Run the executor; abandon it where it ignores a cancel.

        Raises:
            Cancelled: somebody, or the time limit, stopped the attempt.
        """
        if attempt.job.started_at_ms is None:
            attempt.start_noted = asyncio.create_task(self._note_start(attempt))
        prefetch = None if attempt.suspect else asyncio.create_task(self._prefetcher.run())
        call = self._executed(attempt, order, device, rules)
        leave = partial(self._abandon, attempt, device, rules)
        if isinstance(self._executor, LentExecutor):
            attempt.lent_so_far_ms = partial(self._executor.lent_so_far_ms, order.job_id)
        self._attempts[order.job_id] = attempt
        try:
            run = await run_limited(call, attempt, rules.job_timeout_s, unwind_s, leave)
        finally:
            self._attempts.pop(order.job_id, None)
            if isinstance(self._executor, LentExecutor):
                attempt.lent_ms = self._executor.lent_ms(order.job_id)
            if prefetch is not None:
                prefetch.cancel()
        if attempt.cancel.cancelled:
            self._look_at(run)
        attempt.cancel.raise_if_cancelled()
        attempt.timer.stop()  # waiting for the encoder is nobody's work
        raw = run.result()
        attempt.enter(Phase.FINISHING)
        return raw

    async def _executed(
        self, attempt: JobAttempt, order: Order, device: DeviceSlot, rules: WorkerRules
    ) -> RawClip:
        await asyncio.to_thread(make_private_folder, order.workspace)
        if attempt.start_noted is not None:  # else a death at once would be blamed on another job
            await asyncio.wait({attempt.start_noted}, timeout=NOTED_S)
        progress = partial(self._on_progress, attempt, device, rules)
        return await self._executor.execute(order, progress, attempt.cancel)

    def _abandon(
        self,
        attempt: JobAttempt,
        device: DeviceSlot,
        rules: WorkerRules,
        run: "asyncio.Task[RawClip]",
    ) -> None:
        """Give up on an executor that does not stop; the device is free when it returns."""
        log.error("executor_does_not_stop", job_id=attempt.job.id)
        run.cancel()
        device.release_after(run)
        run.add_done_callback(self._look_at)
        loop = asyncio.get_running_loop()
        stuck = loop.call_later(rules.stuck_s, self._watch.lose, DeviceLost("stuck"))
        run.add_done_callback(lambda _: stuck.cancel())

    def _look_at(self, run: "asyncio.Task[RawClip]") -> None:
        """Notice that the device is lost also where nobody waits for what ``run`` makes."""
        error = None if run.cancelled() else run.exception()
        if error is not None and (isinstance(error, DeviceLost) or is_device_lost(error)):
            self._watch.lose(error if isinstance(error, DeviceLost) else DeviceLost())

    async def _note_start(self, attempt: JobAttempt) -> None:
        """Write that the attempt has the device, beside its work."""
        begun = await outcome_of(self._queue.begin(attempt.job.id, attempt.token))
        if begun.ok:
            attempt.job = replace(attempt.job, started_at_ms=begun.value)
        else:
            log.warning("beginning_not_noted", job_id=attempt.job.id, exc_info=begun.error)

    def _show(self, job_id: str, preview: JobPreview) -> None:
        attempt = self._attempts.get(job_id)
        if attempt is not None:
            attempt.show(self._hub, preview)

    def _on_progress(
        self, attempt: JobAttempt, device: DeviceSlot, rules: WorkerRules, event: Progress
    ) -> None:
        """Publish ``event``, and have the next job claimed in time."""
        attempt.publish(self._hub, event)
        left_s = attempt.left_s(event)
        if left_s is not None:
            device.allow_claim_in(left_s - rules.lead_s)


def _give_up(run: "asyncio.Task[None]") -> None:
    run.cancel()
