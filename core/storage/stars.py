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


async def give(connection: AsyncConnection, job_ids: Collection[str], now: int) -> None:
    """Give jobs that are there a star at ``now`` (epoch ms), where they have none."""
    theirs = sa.select(job.c.id, sa.literal(now, INTEGER)).where(job.c.id.in_(list(job_ids)))
    added = insert_into(connection.dialect.name, star).from_select(["job_id", "at_ms"], theirs)
    await connection.execute(added.on_conflict_do_nothing())


async def take(connection: AsyncConnection, job_ids: Collection[str]) -> None:
    """Take the stars of jobs away, where they have any."""
    await connection.execute(sa.delete(star).where(star.c.job_id.in_(list(job_ids))))
