"""Rows of money: accounts and the append-only ledger. Functions on a connection."""

from typing import Literal, TypeAlias

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.records import QuotaWindow, Reservation
from core.storage.tables import account, ledger

Kind: TypeAlias = Literal["reserve", "commit", "refund", "grant"]


async def newest_account(connection: AsyncConnection, user_key: str) -> QuotaWindow | None:
    """Read the newest window of ``user_key``."""
    query = (
        select(account)
        .where(account.c.user_key == user_key)
        .order_by(account.c.period.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return QuotaWindow(row.period, row.began_at_ms, row.granted_ms, row.reserved_ms, row.used_ms)


async def add_account(connection: AsyncConnection, user_key: str, period: int) -> None:
    """Make an empty window that has not begun."""
    await connection.execute(
        insert(account).values(
            user_key=user_key,
            period=period,
            began_at_ms=None,
            granted_ms=0,
            reserved_ms=0,
            used_ms=0,
        )
    )


async def begin_account(connection: AsyncConnection, user_key: str, period: int, now: int) -> None:
    """Let a window begin now."""
    await connection.execute(
        update(account)
        .where(account.c.user_key == user_key, account.c.period == period)
        .values(began_at_ms=now)
    )


async def enter(
    connection: AsyncConnection,
    kind: Kind,
    job_id: str | None,
    user_key: str,
    period: int,
    amount_ms: int,
    now: int,
) -> None:
    """Append to the ledger; the caller changes the account beside it."""
    await connection.execute(
        insert(ledger).values(
            kind=kind,
            job_id=job_id,
            user_key=user_key,
            period=period,
            amount_ms=amount_ms,
            at_ms=now,
        )
    )


async def change(
    connection: AsyncConnection,
    user_key: str,
    period: int,
    *,
    granted_ms: int = 0,
    reserved_ms: int = 0,
    used_ms: int = 0,
) -> None:
    """Add to the sums of a window."""
    await connection.execute(
        update(account)
        .where(account.c.user_key == user_key, account.c.period == period)
        .values(
            granted_ms=account.c.granted_ms + granted_ms,
            reserved_ms=account.c.reserved_ms + reserved_ms,
            used_ms=account.c.used_ms + used_ms,
        )
    )


async def reserve_of(connection: AsyncConnection, job_id: str) -> Reservation:
    """Read the reservation of a job; every job has one."""
    # a literal, or SQLite does not see that the partial index ledger_reserve fits
    query = select(ledger).where(ledger.c.job_id == job_id, text("kind = 'reserve'"))
    row = (await connection.execute(query)).one()
    return Reservation(row.user_key, row.period, row.amount_ms)
