"""Reading jobs: one, somebody's, the line, and how full it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import Job
from core.domain.people import Requester
from core.errors import JobUnknown
from core.storage import jobs as rows
from core.storage.database import Database
from core.storage.mapping import job_of, job_rows
from core.storage.tables import RUNNING, WAITING, WAITING_STATES, job, job_event


@dataclass(frozen=True, slots=True)
class LineCounts:
    """How many jobs wait and run, of everybody."""

    waiting: int
    running: int


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One line of a job's history: ``what`` is the state it came to, ``at_ms`` epoch ms."""

    at_ms: int
    what: str
    detail: str


class JobBook:
    """What can be asked about jobs; nothing here changes a row."""

    def __init__(self, database: Database, clips_folder: Path) -> None:
        self._database = database
        self._clips_folder = clips_folder

    async def get(self, job_id: str) -> Job:
        """Return one job.

        Raises:
            JobUnknown: no such job.
        """
        async with self._database.transaction() as connection:
            return self._job(await rows.read(connection, job_id), job_id)

    async def jobs_of(
        self, requester: Requester, limit: int = 20, before_ms: int | None = None
    ) -> list[Job]:
        """Return the newest jobs of ``requester``, made before ``before_ms`` (epoch) if given."""
        query = job_rows().where(job.c.user_key == requester.key)
        if before_ms is not None:
            query = query.where(job.c.created_at_ms < before_ms)
        query = query.order_by(job.c.created_at_ms.desc(), job.c.seq.desc()).limit(limit)
        async with self._database.transaction() as connection:
            return self._jobs(await connection.execute(query))

    async def live_of(self, requester: Requester) -> list[Job]:
        """Return the jobs of ``requester`` that are not terminal: running first, then in order."""
        async with self._database.transaction() as connection:
            running = self._jobs(await rows.running(connection))
            mine = [one for one in running if one.requester == requester]
            return mine + await self._waiting_of(connection, requester)

    async def line(self, limit: int | None = None) -> list[Job]:
        """Return the running jobs, then the first ``limit`` waiting ones in their fair order."""
        waiting = job_rows().where(WAITING).order_by(job.c.rank, job.c.seq).limit(limit)
        async with self._database.transaction() as connection:
            running = self._jobs(await rows.running(connection))
            return running + self._jobs(await connection.execute(waiting))

    async def counts(self) -> LineCounts:
        """Return how full the line is."""
        async with self._database.transaction() as connection:
            return await self._counts(connection)

    async def history(self, job_id: str) -> list[JobEvent]:
        """Return what happened to a job, oldest first."""
        query = select(job_event).where(job_event.c.job_id == job_id).order_by(job_event.c.id)
        async with self._database.transaction() as connection:
            found = await connection.execute(query)
            return [JobEvent(row.at_ms, row.what, row.detail) for row in found]

    async def needs_media(self, name: str) -> bool:
        """Return whether a kept job needs the admitted file ``name``."""
        async with self._database.transaction() as connection:
            return await rows.media_in_use(connection, name)

    async def _waiting_of(self, connection: AsyncConnection, requester: Requester) -> list[Job]:
        own = (job.c.user_key == requester.key) & job.c.state.in_(WAITING_STATES)
        waiting = job_rows().where(own, WAITING).order_by(job.c.rank, job.c.seq)
        return self._jobs(await connection.execute(waiting))

    async def _counts(self, connection: AsyncConnection) -> LineCounts:
        query = select(
            select(func.count()).select_from(job).where(WAITING).scalar_subquery(),
            select(func.count()).select_from(job).where(RUNNING).scalar_subquery(),
        )
        waiting, running = (await connection.execute(query)).one()
        return LineCounts(waiting, running)

    def _job(self, row: Row[Any] | None, job_id: str) -> Job:
        """Return the record of ``row``.

        Raises:
            JobUnknown: there is no row.
        """
        if row is None:
            raise JobUnknown(job_id)
        return job_of(row, self._clips_folder)

    def _jobs(self, found: Iterable[Row[Any]]) -> list[Job]:
        return [job_of(row, self._clips_folder) for row in found]
