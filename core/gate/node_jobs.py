"""Which jobs each node has, by the keys that it was given: no more than one device is busy with."""

from core.domain.jobs import Job, JobState
from core.errors import JobUnknown
from core.gate.front_parts import Find
from core.gate.keys import attempt_key, same
from core.storage.gate_nodes import GateNode

MOST_HELD = 3  # one on the device, one that waits for it, one in the encoder


class TooManyHeldError(Exception):
    """The node has as many jobs as one device can be busy with."""


class NodeJobs:
    """Remembers what was given to which node; whether it is still the node's, the rows say."""

    def __init__(self, find: Find) -> None:
        """Take what reads a job by its id."""
        self._find = find
        self._held: dict[str, dict[str, str]] = {}  # by node: its jobs and the keys of its attempts

    async def own(self, node: GateNode, job_id: str, key: str) -> Job | None:
        """Read the job that ``key`` is for; None where it runs no more, or elsewhere."""
        try:
            job = await self._find(job_id)
        except JobUnknown:
            return None
        if job.token is None or job.state is not JobState.RUNNING:
            return None
        return job if same(attempt_key(node.digest, job.id, job.token), key) else None

    async def require_room(self, node: GateNode) -> None:
        """See that the node may have one more job; forget those that it has no more.

        Raises:
            TooManyHeldError: it may not.
        """
        held = self._held.setdefault(node.name, {})
        if len(held) < MOST_HELD:
            return
        for job_id, key in tuple(held.items()):  # other calls of the node change it meanwhile
            if not await self.own(node, job_id, key) and held.get(job_id) == key:
                del held[job_id]
        if len(held) >= MOST_HELD:
            raise TooManyHeldError

    def give(self, node: GateNode, job_id: str, key: str) -> None:
        """Note that the node gets a job.

        Raises:
            TooManyHeldError: other claims of the node, side by side with this one, took the room.
        """
        held = self._held.setdefault(node.name, {})
        if len(held) >= MOST_HELD:
            raise TooManyHeldError
        held[job_id] = key

    def drop(self, node: GateNode, job_id: str) -> None:
        """Note that the node has a job no more."""
        self._held.get(node.name, {}).pop(job_id, None)
