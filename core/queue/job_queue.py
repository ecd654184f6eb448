"""The queue: from accepted to settled, each move one transaction, the row its only truth.

Legal moves are :data:`core.domain.jobs.MOVES`. Whoever runs a job owns it by a token; a move with
another token finds nothing to change and says so.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import Failure, Job, JobState
from core.domain.media import Clip
from core.domain.people import Requester
from core.domain.requests import Request
from core.errors import AlreadyFinished, Cancelled, JobUnknown, NotYours
from core.queue.acceptance import NewJob, Submitted, accept, take_over
from core.queue.intake import Intake
from core.queue.model_affinity import Affinity, Due
from core.queue.recovery import Recovery, Upkeep
from core.queue.transitions import End, QueueRules, device_ms, end, put_back
from core.runtime.clock import Clock, now_ms
from core.storage import fair_order
from core.storage import jobs as rows
from core.storage.database import Database
from core.storage.mapping import asked_in

__all__ = ["Intake", "JobQueue", "NewJob", "QueueRules", "Recovery", "Submitted"]


class JobQueue(Upkeep):
    """The way of every job; what is asked and kept beside it is inherited."""

    def __init__(
        self, database: Database, rules: QueueRules, clips_folder: Path, clock: Clock = now_ms
    ) -> None:
        """Take the database, the limits, and where the clips lie that rows name."""
        super().__init__(database, rules, clips_folder, clock)
        self._affinity = Affinity(rules.affinity)

    async def submit(self, new: NewJob, check: Callable[[], None] | None = None) -> Submitted:
        """Accept a job: row, reservation and place in line, or nothing of it.

        Args:
            new: the job; with a key that its requester used before, that job is returned.
            check: called for a new job inside the transaction; what it raises refuses the job.

        Returns:
            The job.

        Raises:
            IntakeClosed: the operator paused or drains the queue.
            TooManyQueued: the requester has as many waiting jobs as allowed.
            RequesterBlocked: an operator blocked this person.
            QuotaExceeded: it costs more than is left.
        """
        key = new.requester.key
        async with self._database.transaction() as connection:
            known = await rows.read_by_key(connection, key, new.idempotency_key)
            if known is not None:
                return Submitted(self._job(known, new.id), duplicate=True)
            await accept(connection, self._rules, new, self._clock(), check)
            made = self._job(await rows.read(connection, new.id), new.id)
        return Submitted(made, duplicate=False)

    async def replace(
        self,
        old_id: str,
        owner: Requester,
        new: NewJob,
        check: Callable[[], None] | None = None,
    ) -> Submitted:
        """Accept a job in the place of a waiting one, or change nothing at all.

        The old job ends cancelled and refunded; nobody is told so, the new job's ticket says it.

        Args:
            old_id: the waiting job.
            owner: whose it is.
            new: the job; with a key that its requester used before, that job is returned.
            check: asked last before the rows are written; raises to refuse.

        Returns:
            The new job.

        Raises:
            JobUnknown: there is no old job.
            NotYours: it is somebody else's.
            AlreadyFinished: it is running or over.
            IntakeClosed: the operator paused or drains the queue.
            TooManyQueued: the requester has as many waiting jobs as allowed.
            QuotaExceeded: it costs more than is left with the old reservation given back.
        """
        key, now = new.requester.key, self._clock()
        async with self._database.transaction() as connection:
            known = await rows.read_by_key(connection, key, new.idempotency_key)
            if known is not None:
                return Submitted(self._job(known, new.id), duplicate=True)
            rules, folder = self._rules, self._clips_folder
            await take_over(connection, rules, folder, old_id, owner, new, now, check)
            made = self._job(await rows.read(connection, new.id), new.id)
        return Submitted(made, duplicate=False)

    async def known(self, requester: Requester, idempotency_key: str) -> Job | None:
        """Return the job that ``requester`` made under a key, None where there is none."""
        async with self._database.transaction() as connection:
            row = await rows.read_by_key(connection, requester.key, idempotency_key)
            return None if row is None else self._job(row, row.id)

    async def claim(
        self, prefer: Callable[[Request], bool] | None = None, *, ahead: bool = False
    ) -> Job | None:
        """Start the job whose turn it is: promoted, next attempt, fresh token, lease.

        Args:
            prefer: whether the models of a request are loaded; among the jobs that are equally
                due one of those goes first, within the bounds of :mod:`core.queue.model_affinity`.
            ahead: the device is still at work; it is had from :meth:`begin` on. Until then the
                attempt costs nothing, and is not counted if it is lost.

        Returns:
            The running job; None where nobody waits who may run.
        """
        fair = self._rules.fair
        limit = 1 if prefer is None else self._affinity.rules.look_ahead
        async with self._database.transaction() as connection:
            line, above_limit = await fair_order.next_jobs(
                connection, fair.max_running, relax=fair.relax, limit=limit
            )
            if not line:
                return None
            now = self._clock()
            row = line[0] if prefer is None else line[self._choose(line, prefer, now)]
            if row.state == JobState.HELD:
                await fair_order.promote(connection, row, now)
                final = {"above_limit": int(above_limit)}
                row = await rows.move(connection, row, JobState.QUEUED, now, final)
            started = {
                "token": uuid4().hex,
                "attempt": row.attempt + 1,
                "rank": None,
                "started_at_ms": None if ahead else now,
                "lease_until_ms": now + self._rules.lease_ms,
            }
            detail = f"attempt {row.attempt + 1}"
            await rows.move(connection, row, JobState.RUNNING, now, started, detail)
            return self._job(await rows.read(connection, row.id), row.id)

    def _choose(self, line: Sequence[Row[Any]], prefer: Callable[[Request], bool], now: int) -> int:
        due = [Due(row.id, row.rank) for row in line]
        return self._affinity.choose(due, lambda index: prefer(asked_in(line[index])), now)

    async def begin(self, job_id: str, token: str) -> int | None:
        """Note that an attempt that was claimed ahead has the device now.

        Returns:
            The time, epoch milliseconds; None where the attempt lost the job.
        """
        async with self._database.transaction() as connection:
            row = await _owned(connection, job_id, token)
            if row is None:
                return None
            now = self._clock()
            values = {"started_at_ms": now}
            await rows.move(connection, row, JobState.RUNNING, now, values, "has the device")
            return now

    async def beat(self, job_id: str, token: str) -> bool:
        """Extend the lease; False where the attempt lost the job and must stop."""
        until = self._clock() + self._rules.lease_ms
        async with self._database.transaction() as connection:
            return await rows.extend_lease(connection, job_id, token, until)

    async def settle(self, job_id: str, token: str, clip: Clip, actual_ms: int) -> bool:
        """End an attempt with its clip, and charge what it took.

        Args:
            job_id: which.
            token: of the attempt.
            clip: lies in the clips folder.
            actual_ms: device time; at most 1.25 estimates are charged.

        Returns:
            False where the attempt lost the job; the clip is not kept then.
        """
        async with self._database.transaction() as connection:
            row = await _owned(connection, job_id, token)
            if row is not None:
                await self._end(
                    connection, row, End(JobState.SUCCEEDED, actual_ms, actual_ms, clip=clip)
                )
            return row is not None

    async def fail(self, job_id: str, token: str, failure: Failure, charge_ms: int = 0) -> bool:
        """End an attempt without a clip, and refund all but ``charge_ms``.

        Returns:
            False where the attempt lost the job.
        """
        state = JobState.CANCELLED if failure.code == Cancelled.code else JobState.FAILED
        async with self._database.transaction() as connection:
            row = await _owned(connection, job_id, token)
            if row is not None:
                used = device_ms(row, self._clock())
                await self._end(connection, row, End(state, charge_ms, used, failure))
            return row is not None

    async def requeue(self, job_id: str, token: str) -> bool:
        """Put an attempt's job back to the front of the line; the attempt stays counted.

        After the last attempt the job fails with ``worker_lost`` and is refunded.

        Returns:
            False where the attempt lost the job.
        """
        async with self._database.transaction() as connection:
            row = await _owned(connection, job_id, token)
            if row is not None:
                now = self._clock()
                await put_back(connection, self._rules, self._clips_folder, row, now)
            return row is not None

    async def cancel(self, job_id: str, by: Requester, operator: bool = False) -> Job:  # noqa: FBT001, FBT002  # positional by agreement
        """End a job on purpose, wherever it is.

        A waiting job costs nothing. A running one costs its owner the time since its start; an
        operator who stops somebody else's job costs them nothing.

        Args:
            job_id: which.
            by: who asks.
            operator: asks with an operator's right.

        Returns:
            The cancelled job.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            AlreadyFinished: it was terminal before.
        """
        async with self._database.transaction() as connection:
            row = await rows.read(connection, job_id)
            if row is None:
                raise JobUnknown(job_id)
            own = row.user_key == by.key
            if not own and not operator:
                raise NotYours(job_id)
            if row.finished_at_ms is not None:
                raise AlreadyFinished(job_id, row.state)
            used = device_ms(row, self._clock())
            failure = Failure.of(Cancelled("owner" if own else "operator"))
            await self._end(
                connection, row, End(JobState.CANCELLED, used if own else 0, used, failure)
            )
            return self._job(await rows.read(connection, job_id), job_id)

    async def _end(self, connection: AsyncConnection, row: Row[Any], how: End) -> None:
        await end(connection, self._rules, self._clips_folder, row, how, self._clock())


async def _owned(connection: AsyncConnection, job_id: str, token: str) -> Row[Any] | None:
    """Return the running job if ``token`` owns it."""
    row = await rows.read(connection, job_id)
    return row if row is not None and token and row.token == token else None
