"""Write how attempts ended: once, guarded by the token, repeated until the database takes it."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

import structlog

from core.domain.jobs import Failure, RequeueReason
from core.interfaces.work_queue import WorkQueue
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of, wait_event
from core.worker.attempt import (
    AttemptResult,
    AttemptSucceeded,
    JobAttempt,
    Phase,
    Requeue,
    RunRecord,
)
from core.worker.transfers import ArtefactTransfers

log = structlog.get_logger(__name__)

Record: TypeAlias = Callable[[RunRecord], Coroutine[Any, Any, None]]
Write: TypeAlias = Callable[[], Coroutine[Any, Any, bool]]  # False: the attempt lost its token

LONGEST_WAIT_S = 30.0
DISK_S = 10.0  # a disk that does not answer for so long is not waited for


class OutcomeWriter:
    """Settles attempts: the row first, then everybody who waits for it, then the run history."""

    def __init__(
        self,
        queue: WorkQueue,
        record: Record,
        transfers: ArtefactTransfers,
        dispatcher: LocalDispatcher,
        hub: ProgressHub,
        on_outcome: Callable[[], None],
        retry_s: float,
    ) -> None:
        """Wait ``retry_s`` seconds after a first failed write, then twice as long each time."""
        self._queue = queue
        self._record = record
        self._transfers = transfers
        self._dispatcher = dispatcher
        self._hub = hub
        self._on_outcome = on_outcome
        self._retry_s = retry_s
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Give up from now on after a second failed write: the service stops."""
        self._ending.set()

    async def settle(self, attempt: JobAttempt, result: AttemptResult) -> None:
        """Write the outcome in one transaction, and wake everybody who waits for it."""
        attempt.enter(Phase.SETTLING)
        stages = attempt.timer.stop()
        if attempt.start_noted is not None:
            await asyncio.wait({attempt.start_noted})
        written = await self._write_result(attempt, result)
        log.info("outcome", job_id=attempt.job.id, kind=type(result).__name__, written=written)
        if written and not isinstance(result, Requeue):
            self._hub.close(attempt.job.id)
        self._dispatcher.wake()
        self._on_outcome()
        if written and not isinstance(result, Requeue):
            await self._note_run(RunRecord.of(attempt.job, result, stages))

    async def requeue(
        self, attempt: JobAttempt, why: RequeueReason = RequeueReason.STOPPED
    ) -> bool | None:
        """Put the job back into the queue.

        Returns:
            Whether the attempt still had it; None where the service stopped first.
        """
        return await self._write(
            attempt, partial(self._queue.requeue, attempt.job.id, attempt.token, why)
        )

    async def _write_result(self, attempt: JobAttempt, result: AttemptResult) -> bool | None:
        job_id, token = attempt.job.id, attempt.token
        match result:
            case AttemptSucceeded(clip, gpu_ms):
                spent = gpu_ms if attempt.lent_ms is None else attempt.lent_ms
                settle = partial(self._queue.settle, job_id, token, clip, spent)
                written = await self._write(attempt, settle)
                if written is False:
                    await outcome_of(self._transfers.discard(clip), DISK_S)
                return written
            case Failure():
                unpaid_ms = attempt.off_device_ms()
                charge = attempt.lent_ms or 0
                fail = partial(self._queue.fail, job_id, token, result, charge, unpaid_ms)
                return await self._write(attempt, fail)
            case Requeue(why):
                return await self.requeue(attempt, why)

    async def _write(self, attempt: JobAttempt, write: Write) -> bool | None:
        """Call ``write`` until the database takes it; None where the service stopped first."""
        wait_s = self._retry_s
        while True:
            tried = await outcome_of(write())
            if tried.ok:
                return tried.value
            log.error("outcome_not_written", job_id=attempt.job.id, exc_info=tried.error)
            if not self._ending.is_set():
                await wait_event(self._ending, wait_s)
            elif wait_s > self._retry_s:
                return None  # the next start finds the row running and recovers it
            else:
                await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _note_run(self, run: RunRecord) -> None:
        """Add the run to the history; losing it never matters."""
        noted = await outcome_of(self._record(run))
        if not noted.ok:
            log.warning("run_not_noted", job_id=run.job.id, exc_info=noted.error)
