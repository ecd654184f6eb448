"""Rows of what guests of one network use, kept as long as the window that they count in."""

from sqlalchemy import Column, Index, Integer, Table, Text, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.tables import METADATA, WAITING, job

network_use = Table(
    "network_use",
    METADATA,
    Column("job_id", Text, primary_key=True),
    Column("network", Text, nullable=False),
    Column("period", Integer, nullable=False),
    Column("amount_ms", Integer, nullable=False),
    Index("network_use_of", "network", "period"),
)


async def used(connection: AsyncConnection, network: str, period: int) -> int:
    """Sum up what ``network`` reserved and used in a window, in GPU-milliseconds."""
    same = (network_use.c.network == network) & (network_use.c.period == period)
    query = select(func.coalesce(func.sum(network_use.c.amount_ms), 0)).where(same)
    return (await connection.execute(query)).scalar_one()


async def waiting(connection: AsyncConnection, network: str) -> int:
    """Count the jobs that wait and came from ``network``."""
    query = (
        select(func.count())
        .select_from(job)
        .join(network_use, network_use.c.job_id == job.c.id)
        .where(network_use.c.network == network, WAITING)
    )
    return (await connection.execute(query)).scalar_one()


async def add(
    connection: AsyncConnection, job_id: str, network: str, period: int, amount_ms: int
) -> None:
    """Note what a job reserves; windows that are over are forgotten."""
    await forget(connection, period - 1)
    values = {"job_id": job_id, "network": network, "period": period, "amount_ms": amount_ms}
    await connection.execute(insert(network_use).values(values))


async def settle(connection: AsyncConnection, job_id: str, charged_ms: int) -> None:
    """Replace what a job reserved by what it was charged."""
    own = network_use.c.job_id == job_id
    if charged_ms:
        await connection.execute(update(network_use).where(own).values(amount_ms=charged_ms))
    else:
        await connection.execute(delete(network_use).where(own))


async def forget(connection: AsyncConnection, period: int) -> None:
    """Forget every network of the window ``period`` and of those before it."""
    await connection.execute(delete(network_use).where(network_use.c.period <= period))
