"""Rows of limits: accounts and the append-only ledger. Functions on a connection.

An account is a limit and whose it is; its windows are numbered. Amounts are in the limit's unit.
"""

from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.records import QuotaWindow, Reservation
from core.storage.tables import RESERVE, account, ledger

Kind: TypeAlias = Literal["reserve", "commit", "refund", "grant"]


async def newest_account(
    connection: AsyncConnection, limit_name: str, account_key: str
) -> QuotaWindow | None:
    """Read the newest window of an account."""
    query = (
        select(account)
        .where(account.c.limit_name == limit_name, account.c.account_key == account_key)
        .order_by(account.c.period.desc())
        .limit(1)
    )
    return _window((await connection.execute(query)).first())


async def account_in(
    connection: AsyncConnection, limit_name: str, account_key: str, period: int
) -> QuotaWindow | None:
    """Read one window of an account; it is not the newest one after the clock went back."""
    query = select(account).where(_same(limit_name, account_key, period))
    return _window((await connection.execute(query)).first())


def _window(row: Row[Any] | None) -> QuotaWindow | None:
    if row is None:
        return None
    return QuotaWindow(row.period, row.began_at_ms, row.granted, row.reserved, row.used)


async def add_account(
    connection: AsyncConnection, limit_name: str, account_key: str, window: QuotaWindow
) -> None:
    """Add a window with nothing in it."""
    await connection.execute(
        insert(account).values(
            limit_name=limit_name,
            account_key=account_key,
            period=window.period,
            began_at_ms=window.began_at_ms,
            granted=0,
            reserved=0,
            used=0,
        )
    )


async def begin_account(
    connection: AsyncConnection, limit_name: str, account_key: str, period: int, now: int
) -> None:
    """Let a window begin now."""
    same = _same(limit_name, account_key, period)
    await connection.execute(update(account).where(same).values(began_at_ms=now))


async def enter(
    connection: AsyncConnection, kind: Kind, job_id: str | None, entry: Reservation, now: int
) -> None:
    """Append to the ledger; the caller changes the account beside it."""
    await connection.execute(
        insert(ledger).values(
            kind=kind,
            job_id=job_id,
            limit_name=entry.limit_name,
            account_key=entry.account_key,
            period=entry.period,
            unit=entry.unit,
            amount=entry.amount,
            at_ms=now,
        )
    )


async def change(
    connection: AsyncConnection,
    entry: Reservation,
    *,
    granted: int = 0,
    reserved: int = 0,
    used: int = 0,
) -> None:
    """Add to the sums of the window of ``entry``."""
    by = {"granted": granted, "reserved": reserved, "used": used}
    values = {name: account.c[name] + amount for name, amount in by.items() if amount}
    if values:
        same = _same(entry.limit_name, entry.account_key, entry.period)
        await connection.execute(update(account).where(same).values(values))


async def reservations_of(connection: AsyncConnection, job_id: str) -> list[Reservation]:
    """Read the reservations of a job, one in each limit that applied to it.

    Raises:
        NoResultFound: it has none; every job has one, so that is a defect.
    """
    query = select(ledger).where(ledger.c.job_id == job_id, RESERVE).order_by(ledger.c.id)
    found = [
        Reservation(row.limit_name, row.account_key, row.period, row.unit, row.amount)
        for row in await connection.execute(query)
    ]
    if not found:
        raise NoResultFound(job_id)
    return found


def _same(limit_name: str, account_key: str, period: int) -> ColumnElement[bool]:
    return (
        (account.c.limit_name == limit_name)
        & (account.c.account_key == account_key)
        & (account.c.period == period)
    )
