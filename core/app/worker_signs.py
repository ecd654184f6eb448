"""The worker's heartbeat, seen where it passes: every claim and every beat goes to the queue."""

from collections.abc import Callable
from time import monotonic, time

from core.domain.jobs import Job
from core.domain.nodes import NodeState
from core.domain.progress import Progress
from core.domain.requests import Request
from core.interfaces.nodes import Nodes
from core.queue.claims import Claimant
from core.queue.job_queue import JobQueue
from core.runtime.clock import Clock


class WatchedQueue(JobQueue):
    """The queue that remembers when the worker last reached it, and that of a node."""

    nodes: Nodes

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

    async def note_ending(self) -> None:
        """Note that this node ends on purpose: what it runs is not to blame if it is cut off."""
        await self.nodes.enter(NodeState.ENDING)

    def for_node(self, claimant: Callable[[], Claimant]) -> JobQueue:
        """Return the queue of the same line for another node of this process."""
        folder, clock = self._clips_folder, self._clock
        return JobQueue(self._database, self._rules, folder, clock, self._on_set_aside, claimant)

    @property
    def clock(self) -> Clock:
        """Return what everybody at this line goes by."""
        return self._clock

    def _seen(self) -> None:
        self.beat_at_s, self.beat_at = monotonic(), time()


class WorkerPools:
    """Signs of workers on other machines: there are some, or were. They may come when jobs wait."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    @property
    def beat_at_s(self) -> float | None:
        """Return now where a worker has ever registered, monotonic; None before."""
        return monotonic() if self._nodes.pools() else None
