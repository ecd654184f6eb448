"""The figures that health and metrics need of the rows, in one short transaction."""

from dataclasses import dataclass, field

from sqlalchemy import func, select

from core.storage import jobs as rows
from core.storage.database import Database
from core.storage.job_queries import count_live
from core.storage.tables import WAITING, job, outbox

_OWED = outbox.c.state.in_(("pending", "sending"))


@dataclass(frozen=True, slots=True)
class RowFigures:
    """How full the rows are; moments are epoch milliseconds, None where there is nothing."""

    intake: str
    running: int
    waiting: int
    oldest_waiting_ms: int | None
    deliveries: dict[str, int] = field(default_factory=dict[str, int])  # by state
    oldest_owed_ms: dict[str, int] = field(default_factory=dict[str, int])  # by platform


class HealthFigures:
    """Reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def known_trouble(self) -> str | None:
        """Return the code of what keeps rows from being written or read; None: nothing known."""
        return self._database.trouble

    async def examine(self) -> None:
        """Find out whether what kept rows from being written is over."""
        await self._database.examine()

    async def read(self) -> RowFigures:
        """Read all figures."""
        states = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        owed = (
            select(outbox.c.dest, func.min(job.c.finished_at_ms))
            .join(job, job.c.id == outbox.c.job_id)
            .where(_OWED)
            .group_by(outbox.c.dest)
        )
        waiting = select(func.min(job.c.created_at_ms)).where(WAITING)
        async with self._database.snapshot() as connection:
            counts = await count_live(connection)
            return RowFigures(
                intake=await rows.read_setting(connection, "intake") or "open",
                running=counts.running,
                waiting=counts.waiting,
                oldest_waiting_ms=await connection.scalar(waiting),
                deliveries={row[0]: row[1] for row in await connection.execute(states)},
                oldest_owed_ms={row[0]: row[1] for row in await connection.execute(owed)},
            )
