"""Turn claimed jobs into written outcomes: execute on the device, encode beside it, settle once.

While job N is on the device, job N-1 is encoded and settled, and shortly before its end job N+1 is
claimed; the device waits only if job N-1 is not encoded when job N is done. An executor that
borrows several devices has all of this on each of them. Every attempt keeps its lease by heartbeats
until its outcome is written.
"""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import structlog

from core.domain.jobs import Failure, Job, RequeueReason
from core.domain.progress import Stage
from core.domain.requests import Request
from core.errors import Cancelled, DeviceLost, DiskFull, TimedOut
from core.interfaces.alerts import OperatorAlerts
from core.interfaces.executor import Executor, Order, orders_at_once
from core.interfaces.work_queue import WorkQueue
from core.queue.model_affinity import preference
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of, run_shielded
from core.worker.alone import until_alone
from core.worker.attempt import (
    AttemptResult,
    AttemptSucceeded,
    JobAttempt,
    Phase,
    Requeue,
    public_error,
)
from core.worker.device_run import DeviceRunner
from core.worker.device_watch import DeviceWatch
from core.worker.finishing import ClipFinisher, Finish
from core.worker.limited import TIME_LIMIT
from core.worker.outcome_writer import DISK_S, OutcomeWriter, Record
from core.worker.prefetch import Prefetcher
from core.worker.rules import WorkerRules
from core.worker.slots import DeviceSlot, Slots
from core.worker.transfers import ArtefactTransfers

log = structlog.get_logger(__name__)

StageShares: TypeAlias = Callable[[Request], Mapping[Stage, float]]

NOTE_S = 1.0  # what is only noted or told at a stop may take so long


class Worker:
    """Runs a job on each device, at most one claimed for it, and one clip in each encoder."""

    def __init__(
        self,
        *,
        queue: WorkQueue,
        executor: Executor,
        finish: Finish,
        transfers: ArtefactTransfers,
        record: Record,
        shares: StageShares,
        dispatcher: LocalDispatcher,
        hub: ProgressHub,
        watch: DeviceWatch,
        alerts: OperatorAlerts,
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
        self.watch = watch
        self._alerts = alerts
        self._media_folder, self._work_folder = media_folder, work_folder
        self.rules = rules
        self._slots = Slots(orders_at_once(executor))
        self._transfers = transfers
        self._outcomes = OutcomeWriter(
            queue, record, transfers, dispatcher, hub, on_outcome, rules.retry_s
        )
        self._live: dict[JobAttempt, asyncio.Future[None]] = {}  # each is done when it is over
        self._prefetcher = Prefetcher(queue, executor, self._order_of, transfers, rules.poll_s)
        self._runner = DeviceRunner(executor, queue, hub, watch, self._prefetcher, rules)
        self._finisher = ClipFinisher(hub, watch)
        self._claiming, self._stop = asyncio.Lock(), asyncio.Event()
        self._ending = False

    @property
    def on_device(self) -> str | None:
        """Return the id of the job that has the device; None where none has."""
        live = (one for one in self._live if one.phase is Phase.EXECUTING)
        return next((one.job.id for one in live), None)

    @asynccontextmanager
    async def session(self, stop: asyncio.Event) -> AsyncGenerator[None]:
        """Let attempts be made inside the block, until ``stop`` is set.

        What runs then is finished, or requeued after its grace, before this returns. Where the
        device is lost, this sets ``stop``: only a new process can go on.
        """
        self._stop, self.watch.on_lost = stop, stop.set
        ending = asyncio.create_task(self._end(stop))
        try:
            yield
            await ending
        finally:
            ending.cancel()
        await self._prefetcher.close()

    @property
    def busy(self) -> bool:
        """Tell whether an attempt would have to wait for a device now."""
        return self._claiming.locked() or not self._slots.claim_allowed

    async def attempt(self) -> bool:
        """Make one attempt: wait until a device is nearly free, claim a job, make and settle it.

        Any number may be under way; they claim one after the other.

        Returns:
            Whether there was a job; False too where the service stops.
        """
        claimed = await self.claim()
        if claimed is not None:
            await self.work(claimed)
        return claimed is not None

    async def claim(self) -> JobAttempt | None:
        """Do the first part of :meth:`attempt`; what is returned has to be worked on."""
        async with self._claiming:
            await self._slots.may_claim()
            job = None if self._stop.is_set() else await self._claim()
            if job is None:
                return None
            if self._stop.is_set():
                await outcome_of(
                    self._queue.requeue(job.id, job.token or "", RequeueReason.STOPPED)
                )
                return None
            self._slots.claimed()
            attempt = JobAttempt(job, self._workspace_of(job), self._dispatcher)
            self._live[attempt] = asyncio.get_running_loop().create_future()
            return attempt

    def _workspace_of(self, job: Job) -> Path:
        return self._work_folder / f"{job.id}.{(job.token or 'next')[:8]}"

    def _order_of(self, job: Job) -> Order:
        shares = self._shares(job.request)
        folder, workspace = self._media_folder, self._workspace_of(job)
        return Order(
            *(job.id, job.attempt, job.request.as_worded, folder, workspace, shares),
            forbidden=job.forbidden,
            requester=job.requester.key,
            asked=job.request,
        )

    async def _claim(self) -> Job | None:
        ahead = bool(self._live)  # whatever kills the process until it has the device is not it
        claimed = await outcome_of(self._queue.claim(preference(self._executor), ahead=ahead))
        if not claimed.ok:  # perhaps one job's models cannot be named; it tells so when it runs
            log.error("claim_failed", exc_info=claimed.error)
            claimed = await outcome_of(self._queue.claim(ahead=ahead))
        return claimed.value

    async def _end(self, stop: asyncio.Event) -> None:
        """Wait for ``stop``, then requeue at once what has no device, and the rest after a grace.

        What only has to be encoded has the same grace.
        """
        await stop.wait()
        self._slots.stop()
        self._dispatcher.wake()
        self._cancel_live(Phase.WAITING)
        self._cancel_what_takes_longer()
        await outcome_of(self._queue.note_ending(), NOTE_S)
        if self.watch.lost is not None:
            told = self._alerts.send(self.watch.lost.code, self.watch.lost.data())
            await outcome_of(told, NOTE_S, unwind_s=0.1)
        if self._live:
            await asyncio.wait(self._live.values(), timeout=self.rules.grace_s)
        self._ending = True
        self._outcomes.end()
        self._cancel_live(Phase.WAITING, Phase.EXECUTING, Phase.FINISHING)

    def _cancel_what_takes_longer(self) -> None:
        """Hand over what cannot be done within the notice, where there is a limit to it."""
        if (notice_s := self.rules.notice_s) is None:
            return
        for attempt in self._live:
            left_s = attempt.expected_left_s(self._hub.latest(attempt.job.id))
            if attempt.phase is Phase.EXECUTING and left_s > notice_s:
                attempt.cancel.cancel("shutdown")

    def _cancel_live(self, *phases: Phase) -> None:
        for attempt in self._live:
            if attempt.phase in phases:
                attempt.cancel.cancel("shutdown")

    async def work(self, attempt: JobAttempt) -> None:
        """Work on one attempt until its outcome is written; a failed one has the device till then.

        Raises:
            CancelledError: the whole service is torn down; the job was requeued.
        """
        beats = asyncio.create_task(self._keep_alive(attempt))
        try:
            with self._transfers.inputs_in_use(attempt.job):
                await self._attempt_on_device(attempt)
        except asyncio.CancelledError:
            attempt.cancel.cancel("shutdown")
            await run_shielded(self._outcomes.requeue(attempt))
            raise
        finally:
            beats.cancel()
            self._dispatcher.release(attempt.job.id, attempt.cancel)
            self._live.pop(attempt).set_result(None)
            clear = asyncio.to_thread(shutil.rmtree, attempt.workspace, ignore_errors=True)
            await outcome_of(clear, DISK_S, unwind_s=0.1)

    async def _attempt_on_device(self, attempt: JobAttempt) -> None:
        async with self._slots.device(attempt.cancel) as device:
            result = await self._make(attempt, device)
            settled = await run_shielded(outcome_of(self._outcomes.settle(attempt, result)))
            if not settled.ok:  # the lease ends with the heartbeats: the job is taken back
                log.error("attempt_left", job_id=attempt.job.id, exc_info=settled.error)
        if isinstance(result, Failure) and result.code == DiskFull.code:
            told = self._alerts.send("no_room", {"job_id": attempt.job.id})
            await outcome_of(told, NOTE_S, unwind_s=0.1)

    async def _keep_alive(self, attempt: JobAttempt) -> None:
        """Extend the lease until cancelled; stop the work where the row is not ours any more."""
        while True:
            await asyncio.sleep(self.rules.heartbeat_s)
            progress = self._hub.latest(attempt.job.id)
            beat = await outcome_of(self._queue.beat(attempt.job.id, attempt.token, progress))
            if beat.ok and not beat.value:
                attempt.cancel.cancel("owner")
                return
            if not beat.ok:
                log.warning("beat_failed", job_id=attempt.job.id, exc_info=beat.error)

    async def _make(self, attempt: JobAttempt, device: DeviceSlot) -> AttemptResult:
        """Execute and encode; whatever breaks becomes the result."""
        try:
            attempt.cancel.raise_if_cancelled()
            order = self._order_of(attempt.job)
            attempt.shares = order.shares
            await self._transfers.fetch(attempt, self.rules)
            await self._runner.fetch(attempt, order, device, self.rules, self._unwind_s)
            await until_alone(attempt, self._live)
            attempt.cancel.raise_if_cancelled()
            attempt.enter(Phase.EXECUTING)
            raw = await self._runner.execute(attempt, order, device, self.rules, self._unwind_s)
            async with self._slots.encoder:  # else frames of ever more jobs were in memory
                device.release()
                clip = await self._finisher.finish(
                    self.finish, attempt, raw, order, self.rules, self._unwind_s
                )
            await self._transfers.upload(attempt, clip, self.rules)
        except Cancelled as error:
            if self._ending or error.by == "shutdown":
                return Requeue()
            late = error.by == TIME_LIMIT
            return Failure.of(TimedOut(attempt.limit_s) if late else error)
        except Exception as error:  # noqa: BLE001  # the one boundary: whatever broke, the job ends
            judged = self.watch.judge(
                public_error(error, attempt.job.request, attempt.job.id), attempt
            )
            if isinstance(judged, DeviceLost):
                return Requeue(self.watch.blame(judged))
            return Failure.of(judged)
        self.watch.works()
        return AttemptSucceeded(clip, raw.gpu_ms, raw.peak_bytes)

    def _unwind_s(self) -> float:
        return self.rules.ending_unwind_s if self._ending else self.rules.unwind_s
