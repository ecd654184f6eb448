"""The jobs that wait, in their order, as little of each as tells what is ahead of whom."""

from dataclasses import astuple, dataclass, fields

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.tables import WAITING, job


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job that waits: where it stands, and how long it is thought to take (ms)."""

    id: str
    user_key: str
    pool: str
    state: str
    seq: int
    rank: int
    estimate_ms: int
    spread_ms: int
    attempt: int

    @property
    def mark(self) -> tuple[object, ...]:
        """Return what is another one after every change of it."""
        return astuple(self)


_QUERY = (
    select(*(job.c[item.name] for item in fields(WaitingJob)))
    .where(WAITING)
    .order_by(job.c.rank, job.c.seq)
)


async def first_waiting(connection: AsyncConnection, limit: int) -> list[WaitingJob]:
    """Read at most ``limit`` of the waiting jobs, in the order in which they are due."""
    return [WaitingJob(*row) for row in await connection.execute(_QUERY.limit(limit))]
