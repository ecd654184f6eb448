"""Rows of what is owed to platforms, whatever it is: each attempt has a token and a lease.

``pending`` becomes ``sending`` before the platform hears anything, and then belongs to one token
while its lease goes on. After it the row is ambiguous: nobody knows whether the platform took it,
so the next attempt is told, and whoever held the token before is refused. A process that is alone
at its rows needs no lease: what is ``sending`` at its start was cut off.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Column,
    ColumnClause,
    ColumnElement,
    Row,
    Table,
    Text,
    and_,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.time_units import DAY_MS
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.runtime.clock import Clock, now_ms
from core.storage.database import Database
from core.storage.dialects import greater
from core.storage.mapping import attempt_of

ERROR_LENGTH = 200
LONGEST_WAIT_MS = DAY_MS  # of a retry, whatever a platform or a stepped clock says
LEASE_MS = 60_000  # of a delivery under way beside other nodes, unless it is extended
SENDING: ColumnClause[str] = literal_column("'sending'", Text())  # or no partial index is used
FREE: Mapping[str, None] = {"owner": None, "token": None, "lease_until_ms": None}


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """One attempt at a delivery, which nobody else may make meanwhile."""

    key: str  # of the row: the id of a job, or of a post
    token: str
    attempt: DeliveryAttempt


class OwedRows:
    """The rows of one table. Every change is guarded by the token of its attempt."""

    def __init__(
        self,
        database: Database,
        key: Column[Any],
        clock: Clock = now_ms,
        owner: str = "",
        lease_ms: int = 0,
    ) -> None:
        """Take the rows by the column that names one, the time, and the node that delivers.

        ``lease_ms`` is how long nobody else takes its deliveries; 0 where nobody else is.
        """
        self._database = database
        self._key = key
        self._table: Table = key.table
        self._clock = clock
        self._owner = owner
        self._lease_ms = lease_ms

    async def begin(self, key: str) -> DeliveryClaim | None:
        """Note that the platform hears of it now; None where it is not due any more.

        A node that is just taking the same row is not waited for.
        """
        row = await self._begun(key)
        return None if row is None else DeliveryClaim(key, row.token, attempt_of(row, row.attempts))

    async def _begun(self, key: str) -> Row[Any] | None:
        now, rows = self._clock(), self._table.c
        free = select(self._key).where(self._key == key, is_due(self._table, now))
        claiming = (
            update(self._table)
            .where(self._key.in_(free.with_for_update(skip_locked=True)))
            .values(
                state="sending",
                attempts=rows.attempts + 1,
                next_at_ms=None,
                began_at_ms=now,
                owner=self._owner,
                token=uuid4().hex,
                lease_until_ms=now + self._lease_ms,
            )
            .returning(self._table)
        )
        async with self._database.transaction(turn=False) as connection:
            return (await connection.execute(claiming)).first()

    async def take_back(self, here: Collection[str]) -> int:
        """Make deliveries due again whose lease is over, as ambiguous; return how many.

        ``here`` are the keys of what is being delivered in this process, however late it is.
        """
        async with self._database.transaction(turn=False) as connection:
            return await resume(connection, self._key, self._clock(), but=here)

    async def extend(self, claim: DeliveryClaim) -> bool:
        """Extend the lease of a delivery under way; False where it is somebody else's by now."""
        return await self._change(claim, lease_until_ms=self._clock() + self._lease_ms)

    async def sent(self, claim: DeliveryClaim, receipt: Receipt) -> bool:
        """Note that the platform took it."""
        return await self._change(claim, state="sent", sent_id=receipt.sent_id, error=None, **FREE)

    async def retry(
        self, claim: DeliveryClaim, after_ms: int, error: str, *, ambiguous: bool
    ) -> bool:
        """Put it back, due in ``after_ms``; what was ambiguous once stays so."""
        return await self._change(
            claim,
            state="pending",
            next_at_ms=self._clock() + min(max(0, after_ms), LONGEST_WAIT_MS),
            error=error[:ERROR_LENGTH],
            ambiguous=greater(self._table.c.ambiguous, int(ambiguous)),
            **FREE,
        )

    async def dead(self, claim: DeliveryClaim, reason: str) -> bool:
        """Give up."""
        return await self._change(claim, state="dead", error=reason[:ERROR_LENGTH], **FREE)

    async def _change(self, claim: DeliveryClaim, **values: Any) -> bool:  # noqa: ANN401  # columns
        ours = update(self._table).where(self._is_of(claim))
        async with self._database.transaction(turn=False) as connection:
            return (await connection.execute(ours.values(**values))).rowcount == 1

    def _is_of(self, claim: DeliveryClaim) -> ColumnElement[bool]:
        rows = self._table.c
        return and_(self._key == claim.key, rows.state == SENDING, rows.token == claim.token)


async def resume(
    connection: AsyncConnection, key: Column[Any], now: int, but: Collection[str] = ()
) -> int:
    """Make every delivery of a table that was cut off due again, as ambiguous; return how many.

    Args:
        connection: inside a transaction.
        key: the column that names a row.
        now: epoch milliseconds; what another node has a lease for is left to it.
        but: those whose delivery is under way here.
    """
    rows = key.table.c
    lapsed = func.coalesce(rows.lease_until_ms, 0) <= now  # versions before wrote none
    result = await connection.execute(
        update(key.table)
        .where(rows.state == SENDING, lapsed, key.not_in(but))
        .values(state="pending", next_at_ms=now, ambiguous=1, **FREE)
    )
    return result.rowcount


def is_due(table: Any, now: int) -> ColumnElement[bool]:  # noqa: ANN401  # of any of the tables
    """Build the condition of what may be tried at ``now`` (epoch ms)."""
    next_at = table.c.next_at_ms
    never_so_late = next_at > now + LONGEST_WAIT_MS
    return and_(next_at.is_not(None), or_(next_at <= now, never_so_late))
