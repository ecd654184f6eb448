"""The queue: from accepted to settled, each move one transaction, the row its only truth.

Legal moves are :data:`core.domain.jobs.MOVES`. Whoever runs a job owns it by a token; a move with
another token finds nothing to change and says so.
"""

from collections.abc import Callable
from pathlib import Path

import structlog

from core.domain.jobs import Failure, Job, JobState, ReplyTo, RequeueReason
from core.domain.media import Clip
from core.domain.people import Requester
from core.domain.progress import Progress
from core.domain.requests import Request
from core.errors import AlreadyFinished, Cancelled, JobUnknown, NotYours
from core.queue.acceptance import AcceptedJob, NewJob, accept, known_job, take_over
from core.queue.claims import Claimant, Claimer
from core.queue.deletion import delete_one, delete_rows
from core.queue.transitions import ENDING, End, QueueRules, device_ms, end, put_back
from core.runtime.clock import Clock, now_ms
from core.storage import files
from core.storage import jobs as rows
from core.storage.database import Connection, Database
from core.storage.heartbeats import extend_lease
from core.storage.job_moves import note_device

log = structlog.get_logger(__name__)

__all__ = ["AcceptedJob", "JobQueue", "NewJob", "QueueRules"]


class JobQueue:
    """Moves jobs from accepted to settled.

    Questions are answered by :class:`core.storage.job_queries.JobQueries`, forecasts made by
    :class:`core.queue.forecasts.Forecasts`; :class:`core.queue.recovery.Recovery` tidies up.
    """

    def __init__(
        self,
        database: Database,
        rules: QueueRules,
        clips_folder: Path,
        clock: Clock = now_ms,
        on_set_aside: Callable[[str], None] = lambda _: None,
        claimant: Callable[[], Claimant] = Claimant,
    ) -> None:
        """Take the database, the limits, and where the clips lie that rows name.

        ``on_set_aside`` hears of a job that failed because its row cannot be read; ``claimant``
        says who claims.
        """
        self._database = database
        self._rules = rules
        self._clips_folder = clips_folder
        self._clock = clock
        self._claimer = Claimer(rules, clips_folder, claimant)
        self._on_set_aside = on_set_aside

    async def submit(self, new: NewJob, check: Callable[[], None] | None = None) -> AcceptedJob:
        """Accept a job: row, reservation and place in the queue, or nothing of it.

        Args:
            new: the job; with a key that its requester used before, that job is returned.
            check: called for a new job inside the transaction; what it raises refuses the job.

        Raises:
            KeyReused: the key made another job before.
            IntakeClosed: the operator paused or drains the queue.
            TooManyQueued: the requester has as many waiting jobs as allowed.
            RequesterBlocked: an operator blocked this person.
            QuotaExceeded, TooManyJobs: it needs more than a limit leaves.
        """
        async with self._database.transaction() as connection:
            known = await known_job(connection, new, self._clips_folder)
            if known is not None:
                return known
            made = await accept(connection, self._rules, new, self._clock(), check)
        return AcceptedJob(made.job(self._clips_folder), duplicate=False)

    async def replace(
        self,
        old_id: str,
        owner: Requester,
        new: NewJob,
        check: Callable[[], None] | None = None,
    ) -> AcceptedJob:
        """Accept a job in the place of a waiting one, or change nothing at all.

        The old job ends cancelled and refunded; nobody is told so, the new job's ticket says it.
        Refusals are those of :meth:`submit`; the old reservation counts as given back.

        Args:
            old_id: the waiting job.
            owner: whose it is.
            new: the job; with a key that its requester used before, that job is returned.
            check: as of :meth:`submit`.

        Raises:
            JobUnknown: there is no old job.
            NotYours: it is somebody else's.
            AlreadyFinished: it is running or over.
        """
        rules, folder, now = self._rules, self._clips_folder, self._clock()
        async with self._database.transaction() as connection:
            known = await known_job(connection, new, self._clips_folder)
            if known is not None:
                return known
            made = await take_over(connection, rules, folder, old_id, owner, new, now, check)
        return AcceptedJob(made.job(folder), duplicate=False)

    async def claim(
        self, prefer: Callable[[Request], bool] | None = None, *, ahead: bool = False
    ) -> Job | None:
        """Start the job whose turn it is: promoted, next attempt, fresh token, lease.

        Args:
            prefer: whether the models of a request are loaded; among the jobs that are equally
                due one of those goes first, within the bounds of :mod:`core.queue.model_affinity`.
            ahead: the device is busy; the attempt has it only from :meth:`begin` on. Until then it
                costs nothing, and is not counted if it is lost.

        Returns:
            The running job; None where nobody waits who may run.
        """
        while True:  # a transaction for each job that is set aside: others come between
            async with self._database.transaction() as connection:
                claim = await self._claimer.take(connection, prefer, self._clock(), ahead=ahead)
            if claim.set_aside is None:
                return claim.job
            log.error("request_unreadable", job_id=claim.set_aside)
            self._on_set_aside(claim.set_aside)

    async def next_up(self) -> Job | None:
        """Look which job would be claimed next, None where it cannot be read; nothing changes."""
        async with self._database.snapshot() as connection:
            due, _ = await self._claimer.next_jobs(connection)
        job = due[0].row.job(self._clips_folder) if due else None
        return job if job is not None and job.asked is not None else None

    async def begin(self, job_id: str, token: str) -> int | None:
        """Note that an attempt that was claimed ahead has the device now.

        Returns:
            The time, epoch milliseconds; None where the attempt lost the job.
        """
        async with self._database.statement() as connection:
            now = self._clock()
            return now if await note_device(connection, job_id, token, now) else None

    async def beat(self, job_id: str, token: str, progress: Progress | None = None) -> bool:
        """Extend the lease and note ``progress``; False where the attempt lost the job."""
        async with self._database.statement() as connection:
            now, lease_ms = self._clock(), self._rules.lease_ms
            return await extend_lease(connection, job_id, token, now, lease_ms, progress)

    async def settle(self, job_id: str, token: str, clip: Clip, actual_ms: int) -> bool:
        """End an attempt with its clip, and charge device time.

        Args:
            job_id: which.
            token: of the attempt.
            clip: lies in the clips folder.
            actual_ms: device time; at most 1.25 estimates of it, and all that a lender counted.

        Returns:
            Whether the job has the clip, also where a call whose answer was lost gave it; where it
            has not, the attempt lost the job.
        """
        async with self._database.transaction() as connection:
            own = await _owned(connection, job_id, token)
            if own is None:
                return await files.has_clip(connection, job_id, clip.path.name)
            how = End(JobState.SUCCEEDED, actual_ms, actual_ms, clip=clip)
            await self._end(connection, own, how)
            return True

    async def fail(
        self, job_id: str, token: str, failure: Failure, charge_ms: int = 0, off_device_ms: int = 0
    ) -> bool:
        """End an attempt without a clip; refund all but ``charge_ms``. False if it lost the job."""
        state = JobState.CANCELLED if failure.code == Cancelled.code else JobState.FAILED
        async with self._database.transaction() as connection:
            own = await _owned(connection, job_id, token)
            if own is not None:
                used = device_ms(own.row, self._clock(), off_device_ms)
                await self._end(connection, own, End(state, charge_ms, used, failure))
            return own is not None

    async def requeue(
        self, job_id: str, token: str, why: RequeueReason = RequeueReason.LOST
    ) -> bool:
        """Put an attempt's job back in line; ``why`` decides what is counted.

        After too many losses the job fails with ``worker_lost`` and is refunded. False where the
        attempt lost the job.
        """
        async with self._database.transaction() as connection:
            own = await _owned(connection, job_id, token)
            if own is not None:
                now = self._clock()
                await put_back(connection, self._rules, self._clips_folder, own.row, now, why)
            return own is not None

    async def note_ending(self) -> None:
        """Note that the service ends on purpose: what runs now is not to blame if it is cut off."""
        async with self._database.transaction(turn=False) as connection:
            await rows.write_setting(connection, ENDING, "1")

    async def cancel(
        self,
        job_id: str,
        by: Requester,
        *,
        operator: bool = False,
        off_device_ms: Callable[[str], int] = lambda _: 0,
    ) -> Job:
        """End a job on purpose, wherever it is, and return it; of drafts all that are not over.

        A waiting job costs nothing. A running one costs its owner the time since its start, less
        what ``off_device_ms`` measures of it; an ``operator`` who stops somebody else's costs them
        nothing.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            AlreadyFinished: it was terminal before.
        """
        async with self._database.transaction() as connection:
            found = await rows.read_reserved(connection, job_id)
            if found is None:
                raise JobUnknown(job_id)
            row = found.row
            own = row.user_key == by.key
            if not own and not operator:
                raise NotYours(job_id)
            live = [found] if row.finished_at_ms is None else []
            live += await rows.live_beside(connection, row)
            if not live:
                raise AlreadyFinished(job_id, row.state)
            failure = Failure.of(Cancelled("owner" if own else "operator"))
            for one in live:
                used = device_ms(one.row, self._clock(), off_device_ms(one.row.id))
                how = End(JobState.CANCELLED, used if own else 0, used, failure)
                await self._end(connection, one, how)
            return (await rows.require(connection, job_id)).job(self._clips_folder)

    async def update_reply_to(self, job_id: str, reply_to: ReplyTo) -> None:
        """Replace where the result of a job goes.

        Raises:
            JobUnknown: no such job.
        """
        async with self._database.transaction() as connection:
            if not await rows.redirect(connection, job_id, reply_to):
                raise JobUnknown(job_id)

    async def erase(self, job_id: str, by: Requester, *, operator: bool = False) -> Job:
        """Delete a terminal job, with its delivery if that is still owed; files stay the caller's.

        Returns:
            What was deleted.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            AlreadyFinished: the other way round: it is not terminal, so cancel it first.
        """
        async with self._database.transaction() as connection:
            return await delete_one(connection, self._clips_folder, job_id, by, operator=operator)

    async def erase_finished(self, owner: Requester, limit: int) -> list[Job]:
        """Delete terminal jobs of ``owner``, at most ``limit``, and return what was deleted."""
        async with self._database.transaction() as connection:
            over = await rows.finished_of(connection, owner.key, limit)
            return await delete_rows(connection, self._clips_folder, over)

    async def prune(self, before_ms: int, limit: int = 500) -> list[Job]:
        """Delete jobs that ended before ``before_ms`` (epoch) and are told, at most ``limit``.

        Returns:
            What was deleted, files excepted; call again while it is full.
        """
        async with self._database.transaction() as connection:
            old = await rows.told(connection, before_ms, limit)
            return await delete_rows(connection, self._clips_folder, old)

    async def _end(self, connection: Connection, own: rows.ReservedJob, how: End) -> None:
        rules, folder, now = self._rules, self._clips_folder, self._clock()
        await end(connection, rules, folder, own.row, how, now, own.held)


async def _owned(connection: Connection, job_id: str, token: str) -> rows.ReservedJob | None:
    """Read the running job if ``token`` owns it."""
    own = await rows.read_reserved(connection, job_id)
    return own if own is not None and token and own.row.token == token else None
