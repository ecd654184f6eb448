"""Start the job whose turn it is; a job that nobody can read any more ends here, alone.

Functions on a connection; :class:`core.queue.job_queue.JobQueue` owns the transactions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from core.domain.jobs import Failure, Job, JobState
from core.domain.requests import Request
from core.errors import RequestUnreadable
from core.queue.model_affinity import Affinity, Candidate
from core.queue.transitions import End, QueueRules, end
from core.storage import fair_order
from core.storage import jobs as rows
from core.storage.database import Connection
from core.storage.records import StoredJob

Prefer = Callable[[Request], bool]


@dataclass(frozen=True, slots=True)
class Claim:
    """What was found: a job that runs now, or one that was set aside, or neither."""

    job: Job | None = None
    set_aside: str | None = None  # id of a job that could not be read and has failed; look again


class Claimer:
    """Takes the next job of the queue; remembers whom a preferred job overtook."""

    def __init__(self, rules: QueueRules, clips_folder: Path) -> None:
        """Take the limits, and where the clips lie that rows name."""
        self._rules = rules
        self._clips_folder = clips_folder
        self._affinity = Affinity(rules.affinity)

    async def take(
        self, connection: Connection, prefer: Prefer | None, now: int, *, ahead: bool
    ) -> Claim:
        """Start the job whose turn it is, or set the first aside that cannot be read.

        Args:
            connection: inside a transaction.
            prefer: as of :meth:`core.queue.job_queue.JobQueue.claim`.
            now: epoch milliseconds.
            ahead: the device is busy; the attempt does not have it yet.
        """
        fair = self._rules.fair
        limit = 1 if prefer is None else self._affinity.rules.look_ahead
        due, above_limit = await fair_order.next_jobs(
            connection, fair.max_running, relax=fair.relax, limit=limit
        )
        requests: list[Request] = []
        for row in due:
            request = row.parsed_request()
            if request is None:
                await self._set_aside(connection, row, now)
                return Claim(set_aside=row.id)
            requests.append(request)
        if not due:
            return Claim()
        row = due[0] if prefer is None else due[self._choose(due, requests, prefer, now)]
        if row.state is JobState.HELD:
            await fair_order.promote(connection, row, now)
            row = await rows.enqueue(connection, row, now, above_limit=above_limit)
        token, until = uuid4().hex, now + self._rules.lease_ms
        await rows.start(connection, row, token, until, now, has_device=not ahead)
        return Claim((await rows.require(connection, row.id)).job(self._clips_folder))

    async def _set_aside(self, connection: Connection, row: StoredJob, now: int) -> None:
        """Fail and refund a waiting job, and owe its requester the reason."""
        how = End(JobState.FAILED, failure=Failure.of(RequestUnreadable()))
        await end(connection, self._rules, self._clips_folder, row, how, now)

    def _choose(
        self, due: Sequence[StoredJob], requests: Sequence[Request], prefer: Prefer, now: int
    ) -> int:
        candidates = [Candidate(row.id, row.waiting_rank) for row in due]
        return self._affinity.choose(candidates, lambda index: prefer(requests[index]), now)
