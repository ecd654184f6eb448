"""Start the job whose turn it is; a job that nobody can read any more ends here, alone.

Functions on a connection; :class:`core.queue.job_queue.JobQueue` owns the transactions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from core.accounts.moderation import policies_of
from core.domain.enhancement import without_enhancer
from core.domain.jobs import Failure, Job, JobState
from core.domain.presets import Enhance
from core.domain.requests import Request
from core.errors import RequestUnreadable
from core.queue.model_affinity import Candidate, choose
from core.queue.transitions import End, QueueRules, end
from core.storage import jobs as rows
from core.storage.database import Connection
from core.storage.due_jobs import DueJob, Lines, next_jobs
from core.storage.job_moves import NewAttempt, start
from core.storage.records import StoredJob

Prefer = Callable[[Request], bool]


@dataclass(frozen=True, slots=True)
class Claim:
    """What was found: a job that runs now, or one that was set aside, or neither."""

    job: Job | None = None
    set_aside: str | None = None  # id of a job that could not be read and has failed; look again


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims. As it is, the only process: all jobs are one line, which it may always take."""

    node_id: str | None = None
    lines: Lines | None = None
    takes: bool = True  # False: it is to take no more jobs
    devices: int | None = None  # that take jobs of its pool; None: as the rules say

    def relaxes(self, rules: QueueRules) -> bool:
        """Tell whether an account may have more than its share where nobody else waits."""
        return rules.fair.relax and self.devices in (None, 1)


class Claimer:
    """Takes the next job of the queue."""

    def __init__(
        self, rules: QueueRules, clips_folder: Path, claimant: Callable[[], Claimant] = Claimant
    ) -> None:
        """Take the limits, where the clips lie that rows name, and who claims."""
        self._rules = rules
        self._clips_folder = clips_folder
        self._claimant = claimant

    async def next_jobs(self, connection: Connection, limit: int = 1) -> tuple[list[DueJob], bool]:
        """Find the jobs whose turn it is here, and whether above their account's limit."""
        me = self._claimant()
        if not me.takes:
            return [], False
        most, relax = self._rules.fair.max_running, me.relaxes(self._rules)
        return await next_jobs(connection, most, relax=relax, limit=limit, lines=me.lines)

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
        limit = 1 if prefer is None else self._rules.affinity.look_ahead
        due, above_limit = await self.next_jobs(connection, limit)
        requests: list[Request] = []
        for one in due:
            request = one.row.parsed_request()
            if request is None:
                await self._set_aside(connection, one.row, now)
                return Claim(set_aside=one.row.id)
            requests.append(request)
        if not due:
            return Claim()
        chosen = 0 if prefer is None else self._choose(due, requests, prefer, now)
        if chosen:
            await rows.note_overtaken(connection, [one.row.id for one in due[:chosen]], now)
        token, until = uuid4().hex, now + self._rules.lease_ms
        attempt = NewAttempt(token, until, not ahead, self._claimant().node_id)
        started = await start(connection, due[chosen], attempt, now, above_limit=above_limit)
        return Claim(await _with_rules(connection, started.job(self._clips_folder)))

    async def _set_aside(self, connection: Connection, row: StoredJob, now: int) -> None:
        """Fail and refund a waiting job, and owe its requester the reason."""
        how = End(JobState.FAILED, failure=Failure.of(RequestUnreadable()))
        await end(connection, self._rules, self._clips_folder, row, how, now)

    def _choose(
        self,
        due: Sequence[DueJob],
        requests: Sequence[Request],
        prefer: Prefer,
        now: int,
    ) -> int:
        candidates = [
            Candidate(one.row.waiting_rank, one.row.overtaken, one.row.overtaken_since_ms)
            for one in due
        ]
        rules = self._rules.affinity
        return choose(rules, candidates, lambda index: prefer(requests[index]), now)


async def _with_rules(connection: Connection, job: Job) -> Job:
    """Return ``job`` with the words that a model may not write for it.

    Where rules cannot be read, none writes anything.
    """
    if job.request.sampling.enhance is not Enhance.ON:
        return job
    found = await policies_of(connection, job.place)
    unknown = [name for policy in found for name, _ in policy.unreadable]
    words = [word for policy in found for word in policy.word_rules]
    ruled = replace(job, forbidden=tuple(dict.fromkeys([*words, *unknown])))
    return without_enhancer(ruled) if unknown else ruled
