"""Rows of limits: accounts and the append-only ledger. Functions on a connection.

An account is a limit and whose it is; its windows are numbered. Amounts are in the limit's unit.
"""

from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Row, Update, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.mapping import RESERVED, reserved
from core.storage.records import QuotaWindow, Reservation
from core.storage.tables import RESERVE, account, ledger
from core.storage.write_batch import Placeholders, WriteBatch

_KEY = ("limit_name", "account_key", "period")  # of an account's window
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
    sums = {"granted": granted, "reserved": reserved, "used": 0}
    batch.insert(account, {**_key(entry), "began_at_ms": began_at_ms, **sums})


def enter(batch: WriteBatch, kind: Kind, job_id: str | None, entry: Reservation, now: int) -> None:
    """Append to the ledger; the caller changes the account beside it."""
    amount = {"unit": entry.unit, "amount": entry.amount, "at_ms": now}
    batch.insert(ledger, {"kind": kind, "job_id": job_id, **_key(entry), **amount})


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
    sums = {name: amount for name, amount in by.items() if amount}
    began = {} if began_at_ms is None else {"began_at_ms": began_at_ms}
    if sums or began:
        batch.fill(_changed, {**_key(entry), **sums, **began}, tuple(sums), tuple(began))


def _changed(given: Placeholders, sums: tuple[str, ...], others: tuple[str, ...]) -> Update:
    of = account.c
    same = (of[name] == given(of[name]) for name in _KEY)
    values = {name: of[name] + given(of[name]) for name in sums}
    values |= {name: given(of[name]) for name in others}
    return update(account).where(*same).values(values)


def _key(entry: Reservation) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _KEY}


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
