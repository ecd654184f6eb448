"""What is still owed to people. A row is the promise; it ends ``sent`` or ``dead``.

``pending`` becomes ``sending`` before the platform hears anything, and then belongs to one token
while its lease goes on. After it the row is ambiguous: nobody knows whether the platform took it,
so the next attempt is told, and whoever held the token before is refused. A process that is alone
at its rows needs no lease: what is ``sending`` at its start was cut off.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import Job
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.runtime.clock import Clock, now_ms
from core.storage.database import Database
from core.storage.dialects import greater
from core.storage.mapping import job_rows, job_with_clip
from core.storage.tables import PENDING, SENDING, job, outbox

ERROR_LENGTH = 200
LONGEST_WAIT_MS = 24 * 3_600_000  # of a retry, whatever a platform or a stepped clock says
LEASE_MS = 60_000  # of a delivery under way beside other nodes, unless it is extended
PLACE_ABSENT = "place_absent"  # why a delivery is given up that only one machine can make
_FREE = {"owner": None, "token": None, "lease_until_ms": None}


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """One delivery that is due: the terminal job, and what is known of earlier tries."""

    job: Job
    attempt: DeliveryAttempt


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """One attempt at a delivery, which nobody else may make meanwhile."""

    job_id: str
    token: str
    attempt: DeliveryAttempt


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How many deliveries are in which state."""

    pending: int
    sending: int
    sent: int
    dead: int


class Outbox:
    """The rows of owed deliveries. Every change is guarded by the token of its attempt."""

    def __init__(
        self,
        database: Database,
        clips_folder: Path,
        clock: Clock = now_ms,
        owner: str = "",
        lease_ms: int = 0,
    ) -> None:
        """Take the rows, where their clips lie, the time, and the node that delivers.

        ``lease_ms`` is how long nobody else takes its deliveries; 0 where nobody else is.
        """
        self._database = database
        self._clips_folder = clips_folder
        self._clock = clock
        self._owner = owner
        self._lease_ms = lease_ms

    async def due(self, platform: str | None = None, limit: int = 10) -> list[DueDelivery]:
        """List what may be tried now, the longest overdue first.

        Args:
            platform: only what goes there; None takes all.
            limit: at most so many.
        """
        query = (
            job_rows()
            .add_columns(outbox)
            .join(outbox, outbox.c.job_id == job.c.id)
            .where(_due(self._clock()))
            .order_by(outbox.c.next_at_ms)
            .limit(limit)
        )
        if platform is not None:
            query = query.where(outbox.c.dest == platform)
        async with self._database.snapshot() as connection:
            found = list(await connection.execute(query))
        folder = self._clips_folder
        return [
            DueDelivery(job_with_clip(row).job(folder), _attempt(row, row.attempts + 1))
            for row in found
        ]

    async def begin(self, job_id: str) -> DeliveryClaim | None:
        """Note that the platform hears of it now; None where it is not due any more.

        A node that is just taking the same row is not waited for.
        """
        now, token = self._clock(), uuid4().hex
        free = select(outbox.c.job_id).where(outbox.c.job_id == job_id, _due(now))
        claiming = (
            update(outbox)
            .where(outbox.c.job_id.in_(free.with_for_update(skip_locked=True)))
            .values(
                state="sending",
                attempts=outbox.c.attempts + 1,
                next_at_ms=None,
                began_at_ms=now,
                owner=self._owner,
                token=token,
                lease_until_ms=now + self._lease_ms,
            )
            .returning(outbox)
        )
        async with self._database.transaction(turn=False) as connection:
            row = (await connection.execute(claiming)).first()
        return None if row is None else DeliveryClaim(job_id, token, _attempt(row, row.attempts))

    async def take_back(self, here: Collection[str]) -> int:
        """Make deliveries due again whose lease is over, as ambiguous; return how many.

        ``here`` are the jobs that are being delivered in this process, however late it is.
        """
        async with self._database.transaction(turn=False) as connection:
            return await resume(connection, self._clock(), but=here)

    async def extend(self, claim: DeliveryClaim) -> bool:
        """Extend the lease of a delivery under way; False where it is somebody else's by now."""
        return await self._change(claim, lease_until_ms=self._clock() + self._lease_ms)

    async def sent(self, claim: DeliveryClaim, receipt: Receipt) -> bool:
        """Note that the platform took it."""
        return await self._change(claim, state="sent", sent_id=receipt.sent_id, error=None, **_FREE)

    async def retry(
        self, claim: DeliveryClaim, after_ms: int, error: str, *, ambiguous: bool
    ) -> bool:
        """Put it back, due in ``after_ms``; what was ambiguous once stays so."""
        return await self._change(
            claim,
            state="pending",
            next_at_ms=self._clock() + min(max(0, after_ms), LONGEST_WAIT_MS),
            error=error[:ERROR_LENGTH],
            ambiguous=greater(outbox.c.ambiguous, int(ambiguous)),
            **_FREE,
        )

    async def dead(self, claim: DeliveryClaim, reason: str) -> bool:
        """Give up; the clip stays fetchable."""
        return await self._change(claim, state="dead", error=reason[:ERROR_LENGTH], **_FREE)

    async def give_up_elsewhere(self, platform: str, here: str, before_ms: int) -> list[str]:
        """Give up what was due at other places of a platform before ``before_ms``.

        Args:
            platform: of all its places, ``platform:place``; one without a place is elsewhere too.
            here: the place of this process.
            before_ms: epoch milliseconds.

        Returns:
            Whose result it was: ids of jobs. Their clips stay fetchable.
        """
        there = (outbox.c.dest == platform) | outbox.c.dest.startswith(f"{platform}:")
        late = PENDING & (outbox.c.next_at_ms < before_ms)
        giving_up = (
            update(outbox)
            .where(late, there, outbox.c.dest != here)
            .values(state="dead", error=PLACE_ABSENT, next_at_ms=None, **_FREE)
            .returning(outbox.c.job_id)
        )
        async with self._database.transaction(turn=False) as connection:
            return [row.job_id for row in await connection.execute(giving_up)]

    async def counts(self) -> OutboxCounts:
        """Count how many deliveries are in which state."""
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        async with self._database.snapshot() as connection:
            found: dict[str, int] = {row[0]: row[1] for row in await connection.execute(query)}
        return OutboxCounts(
            found.get("pending", 0),
            found.get("sending", 0),
            found.get("sent", 0),
            found.get("dead", 0),
        )

    async def _change(self, claim: DeliveryClaim, **values: Any) -> bool:  # noqa: ANN401  # columns
        ours = update(outbox).where(
            outbox.c.job_id == claim.job_id, SENDING, outbox.c.token == claim.token
        )
        async with self._database.transaction(turn=False) as connection:
            return (await connection.execute(ours.values(**values))).rowcount == 1


async def resume(connection: AsyncConnection, now: int, but: Collection[str] = ()) -> int:
    """Make every delivery that was cut off due again, as ambiguous; return how many.

    Args:
        connection: inside a transaction.
        now: epoch milliseconds; what another node has a lease for is left to it.
        but: jobs whose delivery is under way here.
    """
    lapsed = func.coalesce(outbox.c.lease_until_ms, 0) <= now  # versions before wrote none
    result = await connection.execute(
        update(outbox)
        .where(SENDING, lapsed, outbox.c.job_id.not_in(but))
        .values(state="pending", next_at_ms=now, ambiguous=1, **_FREE)
    )
    return result.rowcount


def _due(now: int) -> ColumnElement[bool]:
    never_so_late = outbox.c.next_at_ms > now + LONGEST_WAIT_MS
    return and_(PENDING, or_(outbox.c.next_at_ms <= now, never_so_late))


def _attempt(row: Row[Any], number: int) -> DeliveryAttempt:
    return DeliveryAttempt(number, bool(row.ambiguous), row.nonce, row.sent_id)
