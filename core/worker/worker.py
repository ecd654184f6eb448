"""From a claimed job to a written outcome: execute on the device, encode beside it, settle once.

While job N is on the device, job N-1 is encoded and settled, and shortly before its end job N+1 is
claimed; the device waits only if job N-1 is not encoded when job N is done. Every attempt holds its
lease by heartbeats until its outcome is written.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import structlog

from core.domain.jobs import Failure, Job
from core.domain.media import Clip, RawClip
from core.domain.progress import Progress, Stage, Working
from core.domain.requests import Request
from core.errors import Cancelled, JobUnknown, TimedOut
from core.interfaces.executor import Executor, Order
from core.queue.job_queue import JobQueue
from core.queue.model_affinity import preference
from core.runtime.cancellation import CancelToken
from core.runtime.notifier import LocalDispatcher
from core.runtime.permissions import make_private_folder
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of, see_through
from core.worker.attempt import Again, Attempt, Made, Ran, Result, understood
from core.worker.prefetch import LookAhead
from core.worker.slots import Stations

log = structlog.get_logger(__name__)

Finish: TypeAlias = Callable[[RawClip, Order, CancelToken], Awaitable[Clip]]
Record: TypeAlias = Callable[[Ran], Coroutine[Any, Any, None]]
Shares: TypeAlias = Callable[[Request], Mapping[Stage, float]]


@dataclass(frozen=True, slots=True)
class WorkerRules:
    """Times of the worker, in seconds."""

    lead_s: float = 1.0  # so long before the device should be free, the next job is claimed
    heartbeat_s: float = 5.0
    poll_s: float = 2.0  # how long a lost wake-up may delay a claim
    job_timeout_s: float = 1800.0
    grace_s: float = 20.0  # a running job may still finish so long after a stop
    unwind_s: float = 30.0  # an executor that ignores a cancel so long is left behind
    retry_s: float = 1.0  # first wait where an outcome could not be written; doubles up to 30


class Worker:
    """One device with one job on it, at most one that waits for it, one clip in the encoder."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        executor: Executor,
        finish: Finish,
        record: Record,
        shares: Shares,
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
        self._record = record
        self._shares = shares
        self._dispatcher = dispatcher
        self._hub = hub
        self._on_outcome = on_outcome
        self._media_folder = media_folder
        self._work_folder = work_folder
        self.rules = rules
        self._stations = Stations()
        self._live: dict[Attempt, asyncio.Task[None]] = {}
        self._ahead = LookAhead(queue, executor, self._order_of, rules.poll_s)
        self._ending = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set and what runs then has finished or went back in line."""
        async with asyncio.TaskGroup() as attempts:
            attempts.create_task(self._end(stop))
            while not stop.is_set():
                await self._stations.opening()
                job = None if stop.is_set() else await self._claim()
                if job is None:
                    if not stop.is_set():
                        await self._dispatcher.wait(self.rules.poll_s)
                elif stop.is_set():
                    await outcome_of(self._queue.requeue(job.id, job.token or ""))
                else:
                    self._begin(job, attempts)
        await self._ahead.close()

    def _begin(self, job: Job, attempts: asyncio.TaskGroup) -> None:
        self._stations.claimed()
        attempt = Attempt(job, self._order_of(job), self._dispatcher)
        self._live[attempt] = attempts.create_task(self._attempt(attempt))

    def _order_of(self, job: Job) -> Order:
        workspace = self._work_folder / f"{job.id}.{(job.token or 'next')[:8]}"
        shares = self._shares(job.request)
        return Order(job.id, job.attempt, job.request, self._media_folder, workspace, shares)

    async def _claim(self) -> Job | None:
        ahead = not self._stations.device_free
        claimed = await outcome_of(self._queue.claim(preference(self._executor), ahead=ahead))
        if not claimed.ok:
            log.error("claim_failed", exc_info=claimed.error)
        return claimed.value

    async def _end(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stations.stop()
        self._dispatcher.wake()
        for attempt in self._live:
            if not attempt.has_device and not attempt.rendered:
                attempt.cancel.cancel("shutdown")
        if self._live:
            await asyncio.wait(self._live.values(), timeout=self.rules.grace_s)
        self._ending = True
        for attempt in self._live:
            if not attempt.rendered:
                attempt.cancel.cancel("shutdown")

    async def _attempt(self, attempt: Attempt) -> None:
        """Work on one attempt until its outcome is written.

        Raises:
            CancelledError: the whole service is torn down; the job went back in line.
        """
        beats = asyncio.create_task(self._keep_alive(attempt))
        try:
            result = await self._make(attempt)
            await see_through(self._write(attempt, result))
        except asyncio.CancelledError:
            attempt.cancel.cancel("shutdown")
            await see_through(self._insist(self._queue.requeue, attempt))
            raise
        finally:
            attempt.over = True
            beats.cancel()
            self._dispatcher.release(attempt.job.id, attempt.cancel)
            self._stations.leave(attempt)
            del self._live[attempt]
            await asyncio.to_thread(shutil.rmtree, attempt.order.workspace, ignore_errors=True)

    async def _keep_alive(self, attempt: Attempt) -> None:
        """Extend the lease; where the row is not ours any more, stop the work."""
        while True:
            beat = await outcome_of(self._queue.beat(attempt.job.id, attempt.token))
            if beat.ok and not beat.value:
                attempt.cancel.cancel("owner")
                return
            if not beat.ok:
                log.warning("beat_failed", job_id=attempt.job.id, exc_info=beat.error)
            await asyncio.sleep(self.rules.heartbeat_s)

    async def _make(self, attempt: Attempt) -> Result:
        try:
            make_private_folder(attempt.order.workspace)
            await self._stations.take_device(attempt)
            raw = await self._execute(attempt)
            await self._hand_on(attempt)
            clip = await self.finish(raw, attempt.order, attempt.cancel)
            self._stations.leave_encoder(attempt)  # the outcome is written beside the next clip
        except Cancelled as error:
            if self._ending or error.by == "shutdown":
                return Again()
            return Failure.of(TimedOut(self.rules.job_timeout_s) if attempt.late else error)
        except Exception as error:  # noqa: BLE001  # the one boundary: whatever broke, the job ends
            return Failure.of(understood(error, attempt.job.id))
        return Made(clip, raw.gpu_ms, raw.peak_bytes)

    async def _execute(self, attempt: Attempt) -> RawClip:
        """Return what the executor makes; leave it behind where it ignores a cancel.

        Raises:
            Cancelled: somebody, or the time limit, stopped the attempt.
        """
        limit = asyncio.get_running_loop().call_later(self.rules.job_timeout_s, attempt.expire)
        run = asyncio.create_task(
            self._executor.execute(attempt.order, partial(self._hear, attempt), attempt.cancel)
        )
        if attempt.job.started_at_ms is None:
            attempt.begun = asyncio.create_task(self._begun(attempt))
        stopped = asyncio.create_task(attempt.cancel.wait())
        ahead = asyncio.create_task(self._ahead.run())
        try:
            await asyncio.wait({run, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not run.done():
                await asyncio.wait({run}, timeout=self.rules.unwind_s)
        finally:
            limit.cancel()
            stopped.cancel()
            ahead.cancel()
            if not run.done():
                self._stations.leave_behind(run, attempt)
            elif not run.cancelled():
                run.exception()  # looked at, else asyncio complains of what a cancel hides
        attempt.cancel.raise_if_cancelled()
        attempt.rendered = True
        attempt.timer.stop()  # waiting for the encoder is nobody's work
        return run.result()

    async def _begun(self, attempt: Attempt) -> None:
        """Write that the attempt has the device, beside its work."""
        begun = await outcome_of(self._queue.begin(attempt.job.id, attempt.token))
        if begun.ok:
            attempt.job = replace(attempt.job, started_at_ms=begun.value)
        else:
            log.warning("beginning_not_noted", job_id=attempt.job.id, exc_info=begun.error)

    def _hear(self, attempt: Attempt, event: Progress) -> None:
        """Pass progress on, and have the next job claimed in time."""
        attempt.sink(self._hub, event)
        left_s = attempt.left_s(event)
        if left_s is not None:
            self._stations.make_way_in(attempt, left_s - self.rules.lead_s)

    async def _hand_on(self, attempt: Attempt) -> None:
        """Move from the device to the encoder."""
        await self._stations.move_on(attempt)
        attempt.cancel.raise_if_cancelled()
        begins = 1 - attempt.order.shares.get(Stage.ENCODE, 0.0)
        attempt.sink(self._hub, Working(Stage.ENCODE, 0, 1, begins))

    async def _write(self, attempt: Attempt, result: Result) -> None:
        """Write the outcome, in one transaction guarded by the attempt's token."""
        attempt.over = True
        stages = attempt.timer.stop()
        if attempt.begun is not None:
            await asyncio.wait({attempt.begun})
        match result:
            case Made(clip, gpu_ms):
                written = await self._insist(self._queue.settle, attempt, clip, gpu_ms)
                if written is False:
                    await outcome_of(self._discard(clip, attempt.job.id))
            case Failure():
                written = await self._insist(self._queue.fail, attempt, result)
            case Again():
                written = await self._insist(self._queue.requeue, attempt)
        log.info("outcome", job_id=attempt.job.id, kind=type(result).__name__, written=written)
        if written and not isinstance(result, Again):
            self._hub.close(attempt.job.id)
        self._dispatcher.wake()
        self._on_outcome()
        if written and not isinstance(result, Again):
            await self._note(Ran.of(attempt.job, result, stages))

    async def _note(self, ran: Ran) -> None:
        """Add the run to the book; losing it never matters."""
        noted = await outcome_of(self._record(ran))
        if not noted.ok:
            log.warning("run_not_noted", job_id=ran.job.id, exc_info=noted.error)

    async def _insist(
        self, write: Callable[..., Coroutine[Any, Any, bool]], attempt: Attempt, *values: object
    ) -> bool | None:
        """Call ``write`` until the database takes it; None where a stop came first."""
        wait_s = self.rules.retry_s
        while True:
            tried = await outcome_of(write(attempt.job.id, attempt.token, *values))
            if tried.ok:
                return tried.value
            log.error("outcome_not_written", job_id=attempt.job.id, exc_info=tried.error)
            if self._ending and wait_s > self.rules.retry_s:
                return None  # the next start finds the row running and recovers it
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, 30.0)

    async def _discard(self, clip: Clip, job_id: str) -> None:
        """Delete the output of a lost token, unless a repeated write finds it already settled."""
        found = await outcome_of(self._queue.get(job_id))
        if found.error is not None and not isinstance(found.error, JobUnknown):
            return  # nobody can say; an unused file is better than a lost clip
        kept = found.value and found.value.clip
        if kept is None or kept.path != clip.path:
            for path in (clip.path, clip.poster):
                await asyncio.to_thread(path.unlink, missing_ok=True)
