"""Looking through somebody's finished jobs, and the stars that they gave them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from core.domain.gallery import GalleryFilter
from core.domain.jobs import Job, JobState
from core.domain.people import Requester
from core.storage import stars
from core.storage.database import Database
from core.storage.mapping import job_rows, job_with_clip
from core.storage.tables import job

BATCH = 200  # rows that are read and looked through at once
MOST_ROWS = 2000  # that one question reads; the next page goes on behind them


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """Some jobs, the newest first, and where the next page begins: None at the end."""

    jobs: tuple[Job, ...]
    before: int | None


class GalleryQueries:
    """Reads pages by the number of the last job, which does not move when others come and go."""

    def __init__(self, database: Database, clips_folder: Path) -> None:
        """Take the database, and where the clips lie that rows name."""
        self._database = database
        self._clips_folder = clips_folder

    async def page(
        self,
        owners: Sequence[Requester],
        wanted: GalleryFilter,
        limit: int,
        before: int | None = None,
    ) -> GalleryPage:
        """Return up to ``limit`` finished jobs of ``owners`` accepted before number ``before``.

        A page may have fewer, or none, and still not be the last: see :data:`MOST_ROWS`.
        """
        found: list[Job] = []
        size = limit + 1 if wanted.in_rows else BATCH
        for _ in range(max(1, MOST_ROWS // size)):
            jobs = await self._batch(owners, wanted, size, before)
            for one in jobs:
                if len(found) == limit:
                    return GalleryPage(tuple(found), before)
                if wanted.fits(one):
                    found.append(one)
                before = one.number
            if len(jobs) < size:
                return GalleryPage(tuple(found), None)
        return GalleryPage(tuple(found), before)

    async def _batch(
        self,
        owners: Sequence[Requester],
        wanted: GalleryFilter,
        limit: int,
        before: int | None,
    ) -> list[Job]:
        keys = [owner.key for owner in owners]
        query = job_rows().where(job.c.user_key.in_(keys), job.c.finished_at_ms.is_not(None))
        if wanted.clips:
            query = query.where(job.c.state == JobState.SUCCEEDED.value)
        if wanted.starred:
            query = query.where(sa.exists().where(stars.star.c.job_id == job.c.id))
        if before is not None:
            query = query.where(job.c.seq < before)
        query = query.order_by(job.c.seq.desc()).limit(limit)
        async with self._database.snapshot() as connection:
            rows = [job_with_clip(row) for row in await connection.execute(query)]
        return [row.job(self._clips_folder) for row in rows]

    async def children(
        self, owners: Sequence[Requester], job_id: str, actions: Sequence[str], limit: int
    ) -> list[Job]:
        """Return the newest ``limit`` jobs of ``owners`` that buttons made of a job, oldest first.

        Args:
            owners: whose jobs.
            job_id: of which they were made.
            actions: the buttons that count.
            limit: of rows.
        """
        keys = [owner.key for owner in owners]
        query = job_rows().where(
            job.c.parent_id == job_id, job.c.user_key.in_(keys), job.c.parent_action.in_(actions)
        )
        query = query.order_by(job.c.seq.desc()).limit(limit)
        async with self._database.snapshot() as connection:
            rows = [job_with_clip(row) for row in await connection.execute(query)]
        return [row.job(self._clips_folder) for row in reversed(rows)]

    async def starred(self, job_ids: Collection[str]) -> frozenset[str]:
        """Return which of these jobs have a star."""
        async with self._database.snapshot() as connection:
            return await stars.starred(connection, job_ids)

    async def set_stars(
        self, owners: Sequence[Requester], job_ids: Collection[str], now: int, *, on: bool
    ) -> frozenset[str]:
        """Give jobs of ``owners`` a star at ``now`` (epoch ms), or take it away.

        Returns:
            Those of them that are there and their own; the others stay as they are.
        """
        keys = [owner.key for owner in owners]
        named = sa.select(job.c.id).where(job.c.id.in_(list(job_ids)), job.c.user_key.in_(keys))
        async with self._database.transaction() as connection:
            found = frozenset(await connection.scalars(named))
            if on:
                await stars.give(connection, found, now)
            else:
                await stars.take(connection, found)
        return found
