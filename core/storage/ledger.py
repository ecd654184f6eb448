"""Rows of limits: accounts and the append-only ledger. Functions on a connection.

An account is a limit and whose it is; its windows are numbered. Amounts are in the limit's unit.
"""

from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.mapping import RESERVED, reserved
from core.storage.records import QuotaWindow, Reservation
from core.storage.tables import RESERVE, account, ledger
from core.storage.write_batch import WriteBatch

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


def add_account(
    batch: WriteBatch, entry: Reservation, began_at_ms: int | None, *, granted: int, reserved: int
) -> None:
    """Add the window of ``entry``, with what is in it already."""
    batch.add(
        insert(account).values(
            limit_name=entry.limit_name,
            account_key=entry.account_key,
            period=entry.period,
            began_at_ms=began_at_ms,
            granted=granted,
            reserved=reserved,
            used=0,
        )
    )


def enter(batch: WriteBatch, kind: Kind, job_id: str | None, entry: Reservation, now: int) -> None:
    """Append to the ledger; the caller changes the account beside it."""
    batch.add(
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


def change(
    batch: WriteBatch,
    entry: Reservation,
    *,
    granted: int = 0,
    reserved: int = 0,
    used: int = 0,
    began_at_ms: int | None = None,
) -> None:
    """Add to the sums of the window of ``entry``; ``began_at_ms``: it begins then, epoch ms."""
    by = {"granted": granted, "reserved": reserved, "used": used}
    values: dict[str, Any]
    values = {name: account.c[name] + amount for name, amount in by.items() if amount}
    if began_at_ms is not None:
        values["began_at_ms"] = began_at_ms
    if values:
        same = _same(entry.limit_name, entry.account_key, entry.period)
        batch.add(update(account).where(same).values(values))


async def reservations_of(connection: AsyncConnection, job_id: str) -> list[Reservation]:
    """Read the reservations of a job, one in each limit that applied to it.

    Raises:
        NoResultFound: it has none; every job has one, so that is a defect.
    """
    query = select(*RESERVED).where(ledger.c.job_id == job_id, RESERVE).order_by(ledger.c.id)
    found = reserved(await connection.execute(query))
    if not found:
        raise NoResultFound(job_id)
    return found


def _same(limit_name: str, account_key: str, period: int) -> ColumnElement[bool]:
    return (
        (account.c.limit_name == limit_name)
        & (account.c.account_key == account_key)
        & (account.c.period == period)
    )
