"""Reading jobs: one, somebody's, the queue, and how full it is."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import Job
from core.domain.people import Requester
from core.domain.requests import Request
from core.errors import KeyReused
from core.storage import jobs as rows
from core.storage.database import Database
from core.storage.mapping import job_rows, job_with_clip
from core.storage.records import StoredJob
from core.storage.tables import RUNNING, WAITING, WAITING_STATES, job, job_event

PAGE = 50  # jobs; reading and decoding them takes a few milliseconds


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many jobs wait and run, of everybody."""

    waiting: int
    running: int


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One step of a job's history: ``what`` is the state it came to, ``at_ms`` epoch ms."""

    at_ms: int
    what: str
    detail: str


class JobQueries:
    """Answers questions about jobs; nothing here changes a row."""

    def __init__(self, database: Database, clips_folder: Path) -> None:
        """Take the database, and where the clips lie that rows name."""
        self._database = database
        self._clips_folder = clips_folder

    async def get(self, job_id: str) -> Job:
        """Read one job.

        Raises:
            JobUnknown: no such job.
        """
        async with self._database.snapshot() as connection:
            found = await rows.require(connection, job_id)
        return found.job(self._clips_folder)

    async def known(
        self,
        requesters: Sequence[Requester],
        idempotency_key: str,
        fingerprint: str = "",
        request: Request | None = None,
    ) -> Job | None:
        """Find the job that one of ``requesters`` made under a key, None where there is none.

        Raises:
            KeyReused: the key made it of another request than ``request`` with this fingerprint.
        """
        async with self._database.snapshot() as connection:
            names = [requester.key for requester in requesters]
            row = await rows.read_by_key(connection, names, idempotency_key)
        if row is None:
            return None
        if not row.was_asked_by(fingerprint, request):
            raise KeyReused(row.id)
        return row.job(self._clips_folder)

    async def jobs_of(
        self, requester: Requester, limit: int = 20, before: int | None = None
    ) -> list[Job]:
        """List the newest jobs of ``requester``, accepted before number ``before`` if given.

        Two jobs may be made at the same millisecond, and a later one at an earlier time where the
        clock went back; no two have the same number.
        """
        query = job_rows().where(job.c.user_key == requester.key)
        if before is not None:
            query = query.where(job.c.seq < before)
        query = query.order_by(job.c.seq.desc()).limit(limit)
        async with self._database.snapshot() as connection:
            found = [job_with_clip(row) for row in await connection.execute(query)]
        return self._jobs(found)

    async def drafts_of(self, group_id: str) -> list[Job]:
        """List the drafts that were asked for together, in their order."""
        query = job_rows().where(job.c.group_id == group_id).order_by(job.c.group_number)
        async with self._database.snapshot() as connection:
            found = [job_with_clip(row) for row in await connection.execute(query)]
        return self._jobs(found)

    async def live_of(self, requester: Requester) -> list[Job]:
        """List the jobs of ``requester`` that are not terminal: running first, then in order."""
        async with self._database.snapshot() as connection:
            running = await rows.running(connection)
            mine = [one for one in running if one.user_key == requester.key]
            mine += await waiting_of(connection, requester.key)
        return self._jobs(mine)

    async def in_order(self, limit: int | None = None) -> list[Job]:
        """List the running jobs, then the first ``limit`` waiting ones in their fair order."""
        query = job_rows().where(WAITING).order_by(job.c.rank, job.c.seq).limit(limit)
        async with self._database.snapshot() as connection:
            found = await rows.running(connection)
            found += [job_with_clip(row) for row in await connection.execute(query)]
        return self._jobs(found)

    async def each_in_order(self, size: int = PAGE) -> AsyncIterator[list[Job]]:
        """Yield what :meth:`in_order` lists, a page at a time: a queue of thousands stops nobody.

        Each page is read at a moment of its own, so a job that moved meanwhile may come twice.
        """
        async with self._database.snapshot() as connection:
            running = await rows.running(connection)
        yield self._jobs(running)
        last: tuple[int, int] | None = None
        while True:
            query = job_rows().where(WAITING).order_by(job.c.rank, job.c.seq).limit(size)
            if last is not None:
                query = query.where(tuple_(job.c.rank, job.c.seq) > tuple_(*last))
            async with self._database.snapshot() as connection:
                found = (await connection.execute(query)).all()
            if not found:
                return
            last = found[-1].rank, found[-1].seq
            yield self._jobs([job_with_clip(row) for row in found])

    async def live_named(self, beginning: str) -> list[Job]:
        """List at most two jobs that are not over and whose ids begin with ``beginning``."""
        live = WAITING | RUNNING
        named = job.c.id.startswith(beginning, autoescape=True)
        async with self._database.snapshot() as connection:
            found = await connection.execute(job_rows().where(live, named).limit(2))
            return self._jobs([job_with_clip(row) for row in found])

    async def counts(self) -> QueueCounts:
        """Count the jobs that wait and those that run."""
        async with self._database.snapshot() as connection:
            return await count_live(connection)

    async def history(self, job_id: str) -> list[JobEvent]:
        """List what happened to a job, oldest first."""
        query = select(job_event).where(job_event.c.job_id == job_id).order_by(job_event.c.id)
        async with self._database.snapshot() as connection:
            found = await connection.execute(query)
            return [JobEvent(row.at_ms, row.what, row.detail) for row in found]

    async def needs_media(self, name: str) -> bool:
        """Tell whether a kept job needs the admitted file ``name``."""
        async with self._database.snapshot() as connection:
            return await rows.media_in_use(connection, name)

    def _jobs(self, found: list[StoredJob]) -> list[Job]:
        return [one.job(self._clips_folder) for one in found]


async def waiting_of(connection: AsyncConnection, user_key: str) -> list[StoredJob]:
    """Read the waiting jobs of an account, in the order they run."""
    own = (job.c.user_key == user_key) & job.c.state.in_(WAITING_STATES)
    query = job_rows().where(own, WAITING).order_by(job.c.rank, job.c.seq)
    return [job_with_clip(row) for row in await connection.execute(query)]


async def count_live(connection: AsyncConnection) -> QueueCounts:
    """Count the jobs that wait and those that run, of everybody."""
    query = select(
        select(func.count()).select_from(job).where(WAITING).scalar_subquery(),
        select(func.count()).select_from(job).where(RUNNING).scalar_subquery(),
    )
    waiting, running = (await connection.execute(query)).one()
    return QueueCounts(waiting, running)
