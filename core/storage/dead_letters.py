"""Deliveries that were given up: listed for operators, and tried again when they say so."""

from dataclasses import dataclass

from sqlalchemy import func, select, update

from core.runtime.clock import Clock, now_ms
from core.storage.database import Database
from core.storage.tables import outbox

_DEAD = outbox.c.state == "dead"


@dataclass(frozen=True, slots=True)
class DeadDelivery:
    """One delivery that was given up; ``reason`` is a code."""

    job_id: str
    platform: str
    reason: str


class DeadDeliveries:
    """The rows of the outbox that ended ``dead``."""

    def __init__(self, database: Database, clock: Clock = now_ms) -> None:
        """Take the database and the time (epoch ms)."""
        self._database = database
        self._clock = clock

    async def newest(self, limit: int) -> list[DeadDelivery]:
        """List the newest ``limit``, by when they were tried last."""
        query = select(outbox).where(_DEAD).order_by(outbox.c.began_at_ms.desc()).limit(limit)
        async with self._database.snapshot() as connection:
            found = await connection.execute(query)
            return [DeadDelivery(row.job_id, row.dest, row.error or "") for row in found]

    async def count(self) -> int:
        """Count them."""
        async with self._database.snapshot() as connection:
            return await connection.scalar(select(func.count()).where(_DEAD)) or 0

    async def revive(self, job_id: str | None = None) -> list[DeadDelivery]:
        """Make what was given up due now, with all its attempts: of one job, or of all.

        What the platform may have taken meanwhile is ambiguous, so it is looked for first.

        Returns:
            What is owed again.
        """
        chosen = _DEAD if job_id is None else _DEAD & (outbox.c.job_id == job_id)
        async with self._database.transaction() as connection:
            rows = list(await connection.execute(select(outbox).where(chosen)))
            await connection.execute(
                update(outbox)
                .where(chosen)
                .values(
                    state="pending",
                    attempts=0,
                    next_at_ms=self._clock(),
                    ambiguous=1,
                    error=None,
                )
            )
        return [DeadDelivery(row.job_id, row.dest, row.error or "") for row in rows]
