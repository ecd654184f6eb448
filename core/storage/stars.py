"""Rows of the stars that people gave their jobs; they go with the jobs.

Functions on a connection; the callers own the transaction.
"""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.dialects import insert_into
from core.storage.tables import INTEGER, METADATA, job

star = sa.Table(
    "star",
    METADATA,
    sa.Column("job_id", sa.Text, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("at_ms", INTEGER, nullable=False),
)


async def starred(connection: AsyncConnection, job_ids: Collection[str]) -> frozenset[str]:
    """Read which of these jobs have a star."""
    query = sa.select(star.c.job_id).where(star.c.job_id.in_(list(job_ids)))
    return frozenset(await connection.scalars(query))


async def give(connection: AsyncConnection, job_id: str, now: int) -> None:
    """Give a job a star at ``now`` (epoch ms), if it is there and has none."""
    if await connection.scalar(sa.select(job.c.id).where(job.c.id == job_id)):
        added = insert_into(connection.dialect.name, star).values({"job_id": job_id, "at_ms": now})
        await connection.execute(added.on_conflict_do_nothing())


async def take(connection: AsyncConnection, job_id: str, now: int) -> None:
    """Take the star of a job away, if it has one."""
    del now
    await connection.execute(sa.delete(star).where(star.c.job_id == job_id))
