"""The worker's heartbeat, seen where it passes: every claim and every beat goes to the queue."""

from collections.abc import Callable
from time import monotonic, time

from core.domain.jobs import Job
from core.domain.progress import Progress
from core.domain.requests import Request
from core.queue.job_queue import JobQueue


class WatchedQueue(JobQueue):
    """The queue that remembers when the worker last reached it."""

    beat_at_s: float | None = None  # monotonic
    beat_at: float | None = None  # epoch seconds

    async def claim(
        self, prefer: Callable[[Request], bool] | None = None, *, ahead: bool = False
    ) -> Job | None:
        """Claim as :class:`JobQueue` does."""
        claimed = await super().claim(prefer, ahead=ahead)
        self._seen()
        return claimed

    async def beat(self, job_id: str, token: str, progress: Progress | None = None) -> bool:
        """Extend the lease as :class:`JobQueue` does."""
        kept = await super().beat(job_id, token, progress)
        self._seen()
        return kept

    def _seen(self) -> None:
        self.beat_at_s, self.beat_at = monotonic(), time()
