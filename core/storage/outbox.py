"""What is still owed to people. A row is the promise; it ends ``sent`` or ``dead``.

How a row goes from one state to the next is in :mod:`core.storage.owed_rows`.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, update

from core.domain.jobs import Job
from core.interfaces.delivery import DeliveryAttempt
from core.runtime.clock import Clock, now_ms
from core.storage import alerts
from core.storage.database import Connection, Database
from core.storage.mapping import attempt_of, job_rows, job_with_clip
from core.storage.owed_rows import ERROR_LENGTH, FREE, DeliveryClaim, OwedRows, is_due
from core.storage.tables import PENDING, job, outbox

DELIVERY_DEAD = "delivery_dead"  # the kind of alert
PLACE_ABSENT = "place_absent"  # why a delivery is given up that only one machine can make


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


class Outbox(OwedRows):
    """The rows of owed results; a clip whose delivery is given up stays fetchable."""

    def __init__(
        self,
        database: Database,
        clips_folder: Path,
        clock: Clock = now_ms,
        owner: str = "",
        lease_ms: int = 0,
    ) -> None:
        """Take where their clips lie; the rest as of :class:`OwedRows`."""
        super().__init__(database, outbox.c.job_id, clock, owner, lease_ms)
        self._clips_folder = clips_folder

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
            .where(is_due(outbox, self._clock()))
            .order_by(outbox.c.next_at_ms)
            .limit(limit)
        )
        if platform is not None:
            query = query.where(outbox.c.dest == platform)
        async with self._database.snapshot() as connection:
            found = list(await connection.execute(query))
        folder = self._clips_folder
        return [
            DueDelivery(job_with_clip(row).job(folder), attempt_of(row, row.attempts + 1))
            for row in found
        ]

    async def dead(self, claim: DeliveryClaim, reason: str) -> bool:
        """Give up, and owe operators a word."""
        ours = update(outbox).where(self._is_of(claim))
        given_up = ours.values(state="dead", error=reason[:ERROR_LENGTH], **FREE)
        async with self._database.transaction(turn=False) as connection:
            if (await connection.execute(given_up)).rowcount != 1:
                return False
            await self._owe_alert(connection, claim.key, reason)
        return True

    async def _owe_alert(self, connection: Connection, job_id: str, reason: str) -> None:
        data = {"job_id": job_id, "reason": reason}
        await alerts.owe(connection, DELIVERY_DEAD, data, self._clock())

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
            .values(state="dead", error=PLACE_ABSENT, next_at_ms=None, **FREE)
            .returning(outbox.c.job_id)
        )
        async with self._database.transaction(turn=False) as connection:
            gone = [row.job_id for row in await connection.execute(giving_up)]
            for job_id in gone:
                await self._owe_alert(connection, job_id, PLACE_ABSENT)
        return gone

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
