"""Prepare the inputs of the next order while the device executes one."""

import asyncio
from collections.abc import Callable

import structlog

from core.domain.jobs import Job
from core.interfaces.executor import Executor, Order, PreparingExecutor
from core.interfaces.work_queue import WorkQueue
from core.runtime.cancellation import CancelToken
from core.runtime.tasks import TaskOutcome, outcome_of
from core.worker.transfers import ArtefactTransfers

log = structlog.get_logger(__name__)


class Prefetcher:
    """Prepares one order at a time; which job really comes next is decided when it is claimed."""

    def __init__(
        self,
        queue: WorkQueue,
        executor: Executor,
        order_of: Callable[[Job], Order],
        transfers: ArtefactTransfers,
        poll_s: float,
        limit_s: float = 300.0,
    ) -> None:
        """Look every ``poll_s`` seconds, where there is something to fetch or prepare.

        A preparation that takes longer than ``limit_s`` seconds is given up; the order itself will
        have to do it.
        """
        self._limit_s = limit_s
        self._queue = queue
        self._executor = executor
        self._order_of = order_of
        self._transfers = transfers
        self._poll_s = poll_s
        self._cancel = CancelToken()
        self._task: asyncio.Task[TaskOutcome[None]] | None = None
        self._seen = ""
        self._looking = asyncio.Lock()  # attempts on several devices look, one at a time

    async def run(self) -> None:
        """Look for the next job until cancelled; a preparation that has begun goes on."""
        while isinstance(self._executor, PreparingExecutor) or self._transfers.shared:
            async with self._looking:
                if self._task is None or self._task.done():
                    await self._look()
            await asyncio.sleep(self._poll_s)

    async def close(self) -> None:
        """Stop preparing, and wait until that has stopped, at most a second."""
        self._cancel.cancel("shutdown")
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1.0)

    async def _look(self) -> None:
        upcoming = await outcome_of(self._queue.next_up())
        job = upcoming.value
        if job is None or job.id == self._seen:
            return
        self._seen = job.id
        log.debug("preparing", job_id=job.id)
        call = self._prepare(job)
        self._task = asyncio.create_task(outcome_of(call, self._limit_s))

    async def _prepare(self, job: Job) -> None:
        await self._transfers.prefetch(job)
        if isinstance(self._executor, PreparingExecutor):
            await self._executor.prepare(self._order_of(job), self._cancel)
