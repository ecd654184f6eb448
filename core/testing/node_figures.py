"""What a node notes about itself for a benchmark: moments of one clock for the whole machine."""

import time
from collections.abc import Callable
from pathlib import Path

from core.domain.jobs import Job
from core.domain.media import RawClip
from core.domain.progress import Progress, ProgressSink, Working
from core.domain.requests import Request
from core.interfaces.executor import Executor, Order
from core.queue.job_queue import JobQueue
from core.runtime.cancellation import CancelToken


class NodeFigures:
    """Appends lines ``<what> <job> <step> <monotonic seconds>`` to a file."""

    def __init__(self, path: Path) -> None:
        """Append to ``path``."""
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def note(self, what: str, job_id: str, step: int = 0) -> None:
        """Note that something happens now."""
        self._file.write(f"{what} {job_id} {step} {time.monotonic():.6f}\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class MeasuredExecutor:
    """An executor that notes when it begins, how far it gets, and when it ends or is cancelled."""

    def __init__(self, executor: Executor, figures: NodeFigures) -> None:
        """Take what makes the clips."""
        self._executor = executor
        self._figures = figures
        self.name = executor.name

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Make the clip.

        Raises:
            Cancelled: as the executor does.
        """

        def noted(event: Progress) -> None:
            if isinstance(event, Working):
                self._figures.note("progress", order.job_id, event.step)
            on_progress(event)

        self._figures.note("begin", order.job_id)
        try:
            return await self._executor.execute(order, noted, cancel)
        finally:
            self._figures.note("cancelled" if cancel.cancelled else "end", order.job_id)

    async def close(self) -> None:
        """Release the device."""
        await self._executor.close()


def measure_claims(figures: NodeFigures) -> None:
    """Note the begin and the end of every claim of this process that finds a job."""
    claim = JobQueue.claim

    async def claimed(
        self: JobQueue, prefer: Callable[[Request], bool] | None = None, *, ahead: bool = False
    ) -> Job | None:
        began = time.monotonic()
        job = await claim(self, prefer, ahead=ahead)
        if job is not None:
            figures.note("claim", job.id, round((time.monotonic() - began) * 1e6))
        return job

    JobQueue.claim = claimed
