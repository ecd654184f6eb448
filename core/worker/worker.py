"""Turn claimed jobs into written outcomes: execute on the device, encode beside it, settle once.

While job N is on the device, job N-1 is encoded and settled, and shortly before its end job N+1 is
claimed; the device waits only if job N-1 is not encoded when job N is done. Every attempt keeps its
lease by heartbeats until its outcome is written.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import structlog

from core.domain.jobs import Failure, Job
from core.domain.media import Clip, RawClip
from core.domain.progress import Progress, Stage, Working
from core.domain.requests import Request
from core.errors import Cancelled, TimedOut
from core.interfaces.executor import Executor, Order
from core.queue.job_queue import JobQueue
from core.queue.model_affinity import preference
from core.runtime.cancellation import CancelToken
from core.runtime.notifier import LocalDispatcher
from core.runtime.permissions import make_private_folder
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of, run_shielded
from core.storage.job_queries import JobQueries
from core.worker.attempt import (
    AttemptResult,
    AttemptSucceeded,
    JobAttempt,
    Phase,
    Requeue,
    error_to_tell,
)
from core.worker.outcome_writer import OutcomeWriter, Record
from core.worker.prefetch import Prefetcher
from core.worker.slots import DeviceSlot, Slots

log = structlog.get_logger(__name__)

Finish: TypeAlias = Callable[[RawClip, Order, CancelToken], Awaitable[Clip]]
StageShares: TypeAlias = Callable[[Request], Mapping[Stage, float]]

TIME_LIMIT = "time_limit"  # who cancels an attempt that takes too long


@dataclass(frozen=True, slots=True)
class WorkerRules:
    """Times of the worker, in seconds."""

    lead_s: float = 1.0  # the next job is claimed so long before the device should be free
    heartbeat_s: float = 5.0
    poll_s: float = 2.0  # how long a lost wake-up may delay a claim
    job_timeout_s: float = 1800.0
    grace_s: float = 20.0  # a running job may still finish so long after a stop
    unwind_s: float = 30.0  # an executor that ignores a cancel so long is abandoned
    retry_s: float = 1.0  # first wait where an outcome could not be written; doubles up to 30


class Worker:
    """Runs one job on the device, at most one claimed for it, and one clip in the encoder."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        jobs: JobQueries,
        executor: Executor,
        finish: Finish,
        record: Record,
        shares: StageShares,
        dispatcher: LocalDispatcher,
        hub: ProgressHub,
        on_outcome: Callable[[], None],
        media_folder: Path,
        work_folder: Path,
        rules: WorkerRules,
    ) -> None:
        self._queue = queue
        self._executor = executor
        self.finish = finish  # public, so that a test can stand between the encoder and the row
        self._shares = shares
        self._dispatcher = dispatcher
        self._hub = hub
        self._media_folder = media_folder
        self._work_folder = work_folder
        self.rules = rules
        self._slots = Slots()
        self._outcomes = OutcomeWriter(
            queue, jobs, record, dispatcher, hub, on_outcome, rules.retry_s
        )
        self._live: dict[JobAttempt, asyncio.Task[None]] = {}
        self._prefetcher = Prefetcher(queue, executor, self._order_of, rules.poll_s)
        self._ending = False

    async def run(self, stop: asyncio.Event) -> None:
        """Claim and run jobs until ``stop`` is set and what ran then is finished or requeued."""
        async with asyncio.TaskGroup() as attempts:
            attempts.create_task(self._end(stop))
            while not stop.is_set():
                await self._slots.may_claim()
                job = None if stop.is_set() else await self._claim()
                if job is None:
                    if not stop.is_set():
                        await self._dispatcher.wait(self.rules.poll_s)
                elif stop.is_set():
                    await outcome_of(self._queue.requeue(job.id, job.token or ""))
                else:
                    self._begin(job, attempts)
        await self._prefetcher.close()

    def _begin(self, job: Job, attempts: asyncio.TaskGroup) -> None:
        self._slots.claimed()
        attempt = JobAttempt(job, self._order_of(job), self._dispatcher)
        self._live[attempt] = attempts.create_task(self._attempt(attempt))

    def _order_of(self, job: Job) -> Order:
        workspace = self._work_folder / f"{job.id}.{(job.token or 'next')[:8]}"
        shares = self._shares(job.request)
        return Order(job.id, job.attempt, job.request, self._media_folder, workspace, shares)

    async def _claim(self) -> Job | None:
        ahead = not self._slots.device_free
        claimed = await outcome_of(self._queue.claim(preference(self._executor), ahead=ahead))
        if not claimed.ok:
            log.error("claim_failed", exc_info=claimed.error)
        return claimed.value

    async def _end(self, stop: asyncio.Event) -> None:
        """Wait for ``stop``, then requeue at once what has no device, and the rest after a grace.

        What only has to be encoded is finished.
        """
        await stop.wait()
        self._slots.stop()
        self._dispatcher.wake()
        self._cancel_live(Phase.WAITING)
        if self._live:
            await asyncio.wait(self._live.values(), timeout=self.rules.grace_s)
        self._ending = True
        self._outcomes.end()
        self._cancel_live(Phase.WAITING, Phase.EXECUTING)

    def _cancel_live(self, *phases: Phase) -> None:
        for attempt in self._live:
            if attempt.phase in phases:
                attempt.cancel.cancel("shutdown")

    async def _attempt(self, attempt: JobAttempt) -> None:
        """Work on one attempt until its outcome is written; a failed one has the device till then.

        Raises:
            CancelledError: the whole service is torn down; the job was requeued.
        """
        beats = asyncio.create_task(self._keep_alive(attempt))
        try:
            async with self._slots.device(attempt.cancel) as device:
                result = await self._make(attempt, device)
                await run_shielded(self._outcomes.settle(attempt, result))
        except asyncio.CancelledError:
            attempt.cancel.cancel("shutdown")
            await run_shielded(self._outcomes.requeue(attempt))
            raise
        finally:
            beats.cancel()
            self._dispatcher.release(attempt.job.id, attempt.cancel)
            del self._live[attempt]
            await asyncio.to_thread(shutil.rmtree, attempt.order.workspace, ignore_errors=True)

    async def _keep_alive(self, attempt: JobAttempt) -> None:
        """Extend the lease until cancelled; stop the work where the row is not ours any more."""
        while True:
            beat = await outcome_of(self._queue.beat(attempt.job.id, attempt.token))
            if beat.ok and not beat.value:
                attempt.cancel.cancel("owner")
                return
            if not beat.ok:
                log.warning("beat_failed", job_id=attempt.job.id, exc_info=beat.error)
            await asyncio.sleep(self.rules.heartbeat_s)

    async def _make(self, attempt: JobAttempt, device: DeviceSlot) -> AttemptResult:
        """Execute and encode; whatever breaks becomes the result."""
        try:
            attempt.cancel.raise_if_cancelled()
            attempt.enter(Phase.EXECUTING)
            make_private_folder(attempt.order.workspace)
            raw = await self._execute(attempt, device)
            async with self._slots.encoder:  # so frames of at most two jobs are in memory
                device.release()
                clip = await self._encode(attempt, raw)
        except Cancelled as error:
            if self._ending or error.by == "shutdown":
                return Requeue()
            late = error.by == TIME_LIMIT
            return Failure.of(TimedOut(self.rules.job_timeout_s) if late else error)
        except Exception as error:  # noqa: BLE001  # the one boundary: whatever broke, the job ends
            return Failure.of(error_to_tell(error, attempt.job.id))
        return AttemptSucceeded(clip, raw.gpu_ms, raw.peak_bytes)

    async def _execute(self, attempt: JobAttempt, device: DeviceSlot) -> RawClip:
        """Run the executor; abandon it where it ignores a cancel.

        Raises:
            Cancelled: somebody, or the time limit, stopped the attempt.
        """
        loop = asyncio.get_running_loop()
        limit = loop.call_later(self.rules.job_timeout_s, attempt.cancel.cancel, TIME_LIMIT)
        progress = partial(self._on_progress, attempt, device)
        run = asyncio.create_task(self._executor.execute(attempt.order, progress, attempt.cancel))
        if attempt.job.started_at_ms is None:
            attempt.start_noted = asyncio.create_task(self._note_start(attempt))
        stopped = asyncio.create_task(attempt.cancel.wait())
        prefetch = asyncio.create_task(self._prefetcher.run())
        try:
            await asyncio.wait({run, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not run.done():
                await asyncio.wait({run}, timeout=self.rules.unwind_s)
        finally:
            limit.cancel()
            stopped.cancel()
            prefetch.cancel()
            if not run.done():
                self._abandon(run, attempt, device)
            elif not run.cancelled():
                run.exception()  # looked at, else asyncio complains of what a cancel hides
        attempt.cancel.raise_if_cancelled()
        attempt.enter(Phase.FINISHING)
        attempt.timer.stop()  # waiting for the encoder is nobody's work
        return run.result()

    def _abandon(
        self, run: "asyncio.Task[RawClip]", attempt: JobAttempt, device: DeviceSlot
    ) -> None:
        """Give up on an executor that does not stop; the device is free when it returns."""
        log.error("executor_does_not_stop", job_id=attempt.job.id)
        attempt.cancel.cancel("shutdown")
        run.cancel()
        device.release_after(run)

    async def _note_start(self, attempt: JobAttempt) -> None:
        """Write that the attempt has the device, beside its work."""
        begun = await outcome_of(self._queue.begin(attempt.job.id, attempt.token))
        if begun.ok:
            attempt.job = replace(attempt.job, started_at_ms=begun.value)
        else:
            log.warning("beginning_not_noted", job_id=attempt.job.id, exc_info=begun.error)

    def _on_progress(self, attempt: JobAttempt, device: DeviceSlot, event: Progress) -> None:
        """Publish ``event``, and have the next job claimed in time."""
        attempt.publish(self._hub, event)
        left_s = attempt.left_s(event)
        if left_s is not None:
            device.allow_claim_in(left_s - self.rules.lead_s)

    async def _encode(self, attempt: JobAttempt, raw: RawClip) -> Clip:
        attempt.cancel.raise_if_cancelled()
        begins = 1 - attempt.order.shares.get(Stage.ENCODE, 0.0)
        attempt.publish(self._hub, Working(Stage.ENCODE, 0, 1, begins))
        return await self.finish(raw, attempt.order, attempt.cancel)
