"""What the pools of devices have before them, as their rows say."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.scaling import PoolBacklog
from core.storage.tables import RUNNING, WAITING, job


async def read_backlogs(connection: AsyncConnection, now: int) -> Sequence[PoolBacklog]:
    """Read the backlog of every pool that has one; ``now`` is the time, epoch milliseconds."""
    waits = sa.case((WAITING, job.c.created_at_ms))
    query = (
        select(job.c.pool, func.sum(job.c.estimate_ms), func.min(waits))
        .where(sa.or_(WAITING, RUNNING))
        .group_by(job.c.pool)
        .order_by(job.c.pool)
    )
    return [
        PoolBacklog(pool, float(estimates) / 1000, max(0, now - (oldest or now)) / 1000)
        for pool, estimates, oldest in await connection.execute(query)
    ]
