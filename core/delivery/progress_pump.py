"""Show progress on the platforms: the newest event, not too often, never after the result.

Losing an event never matters, so a slow or broken platform costs others nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from core.domain.jobs import Job
from core.domain.progress import Progress, Waiting
from core.errors import JobUnknown
from core.interfaces.delivery import Delivery
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

SILENCE_S = 2.0  # so long a result waits for progress that does not stop


class ProgressPump:
    """Keeps the newest event of each job, and shows it by one task for each job."""

    def __init__(
        self,
        load: Callable[[str], Awaitable[Job]],
        delivery_of: Callable[[str], Delivery | None],
        every_s: float,
        timeout_s: float,
    ) -> None:
        """Show a job's progress once in ``every_s`` seconds.

        Args:
            load: reads a job by its id.
            delivery_of: finds the delivery of a platform; None where it has none now.
            every_s: seconds of pause after each event, for each job.
            timeout_s: seconds that a platform may take to show one event.
        """
        self._load = load
        self._delivery_of = delivery_of
        self._every_s = every_s
        self._timeout_s = timeout_s
        self._newest: dict[str, Progress] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._muted: set[str] = set()
        self._tasks: asyncio.TaskGroup | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Take events from now on, and show them in ``tasks``."""
        self._tasks = tasks

    def stop(self) -> None:
        """Take no more events; those taken are still shown."""
        self._tasks = None

    def cancel(self) -> None:
        """Stop showing."""
        for pump in self._pumps.values():
            pump.cancel()

    def offer(self, job_id: str, event: Progress) -> None:
        """Take ``event`` to be shown, in place of an older one. Never blocks."""
        if self._tasks is None or job_id in self._muted:
            return
        self._newest[job_id] = event
        if job_id not in self._pumps:
            self._pumps[job_id] = self._tasks.create_task(self._pump(job_id))

    @asynccontextmanager
    async def muted(self, job_id: str) -> AsyncGenerator[None]:
        """Show nothing of ``job_id`` inside the block, where its result is handed over."""
        self._muted.add(job_id)
        try:
            self._newest.pop(job_id, None)
            pump = self._pumps.pop(job_id, None)
            if pump is not None:
                pump.cancel()
                await asyncio.wait({pump}, timeout=SILENCE_S)
            yield
        finally:
            self._muted.discard(job_id)

    async def _pump(self, job_id: str) -> None:
        """Show the newest event of one job, until there is no newer one."""
        try:
            while (event := self._newest.pop(job_id, None)) is not None:
                shown = await outcome_of(self._show(job_id, event), self._timeout_s, unwind_s=1.0)
                if shown.error is not None:
                    log.warning("progress_broke", job_id=job_id, exc_info=shown.error)
                await asyncio.sleep(self._every_s)
        finally:
            self._newest.pop(job_id, None)
            if self._pumps.get(job_id) is asyncio.current_task():
                del self._pumps[job_id]

    async def _show(self, job_id: str, event: Progress) -> None:
        try:
            job = await self._load(job_id)
        except JobUnknown:  # deleted since
            return
        delivery = self._delivery_of(job.reply_to.platform)
        behind = job.group is not None and job.group.number > 1 and isinstance(event, Waiting)
        if behind:  # of drafts in one message the first one says where they stand
            return
        if delivery is not None and not job.state.terminal:
            await delivery.progress(job, event)
