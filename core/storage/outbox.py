"""What is still owed to people. A row is the promise; it ends ``sent`` or ``dead``.

``pending`` becomes ``sending`` before the platform hears anything. A row still ``sending`` at the
next start is ambiguous: nobody knows whether the platform took it, so the next attempt is told.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, or_, select, update
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


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """One delivery that is due: the terminal job, and what is known of earlier tries."""

    job: Job
    attempt: DeliveryAttempt


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How many deliveries are in which state."""

    pending: int
    sending: int
    sent: int
    dead: int


class Outbox:
    """The rows of owed deliveries. Every change is guarded by the state it begins from."""

    def __init__(self, database: Database, clips_folder: Path, clock: Clock = now_ms) -> None:
        self._database = database
        self._clips_folder = clips_folder
        self._clock = clock

    async def due(self, platform: str | None = None, limit: int = 10) -> list[DueDelivery]:
        """List what may be tried now, the longest overdue first.

        Args:
            platform: only what goes there; None takes all.
            limit: at most so many.
        """
        now = self._clock()
        never_so_late = outbox.c.next_at_ms > now + LONGEST_WAIT_MS
        query = (
            job_rows()
            .add_columns(outbox)
            .join(outbox, outbox.c.job_id == job.c.id)
            .where(PENDING, or_(outbox.c.next_at_ms <= now, never_so_late))
            .order_by(outbox.c.next_at_ms)
            .limit(limit)
        )
        if platform is not None:
            query = query.where(outbox.c.dest == platform)
        async with self._database.snapshot() as connection:
            found = list(await connection.execute(query))
        folder = self._clips_folder
        return [DueDelivery(job_with_clip(row).job(folder), _attempt(row)) for row in found]

    async def begin(self, job_id: str) -> bool:
        """Note that the platform hears of it now; False where it is not pending any more."""
        return await self._change(
            job_id,
            "pending",
            state="sending",
            attempts=outbox.c.attempts + 1,
            next_at_ms=None,
            began_at_ms=self._clock(),
        )

    async def sent(self, job_id: str, receipt: Receipt) -> bool:
        """Note that the platform took it."""
        return await self._change(
            job_id, "sending", state="sent", sent_id=receipt.sent_id, error=None
        )

    async def retry(self, job_id: str, after_ms: int, error: str, ambiguous: bool) -> bool:  # noqa: FBT001  # positional by contract
        """Put it back, due in ``after_ms``; what was ambiguous once stays so."""
        return await self._change(
            job_id,
            "sending",
            state="pending",
            next_at_ms=self._clock() + min(max(0, after_ms), LONGEST_WAIT_MS),
            error=error[:ERROR_LENGTH],
            ambiguous=greater(outbox.c.ambiguous, int(ambiguous)),
        )

    async def dead(self, job_id: str, reason: str) -> bool:
        """Give up; the clip stays fetchable."""
        return await self._change(job_id, "sending", state="dead", error=reason[:ERROR_LENGTH])

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

    async def _change(self, job_id: str, seen: str, **values: Any) -> bool:  # noqa: ANN401  # columns
        async with self._database.transaction(turn=False) as connection:
            result = await connection.execute(
                update(outbox)
                .where(outbox.c.job_id == job_id, outbox.c.state == seen)
                .values(**values)
            )
            return result.rowcount == 1


async def resume(connection: AsyncConnection, now: int) -> int:
    """Make every delivery that was cut off due again, as ambiguous; return how many."""
    result = await connection.execute(
        update(outbox).where(SENDING).values(state="pending", next_at_ms=now, ambiguous=1)
    )
    return result.rowcount


def _attempt(row: Row[Any]) -> DeliveryAttempt:
    return DeliveryAttempt(row.attempts + 1, bool(row.ambiguous), row.nonce, row.sent_id)
