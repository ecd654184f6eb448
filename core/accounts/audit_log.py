"""What operators did, for operators to read."""

from collections.abc import Callable

from core.domain.people import Requester
from core.storage import moderation as rows
from core.storage.database import Database
from core.storage.records import AuditEntry

__all__ = ["AuditEntry", "AuditLog"]


class AuditLog:
    """The log; entries are only ever added."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        """Take the database and the time (epoch ms)."""
        self._database = database
        self._now = now

    async def note(self, actor: Requester, verb: str, target: str = "", detail: str = "") -> None:
        """Write down what an operator did."""
        async with self._database.transaction(turn=False) as connection:
            await rows.note(connection, self._now(), actor.key, verb, target, detail)

    async def entries(self, limit: int = 20) -> list[AuditEntry]:
        """Read the newest entries, newest first."""
        async with self._database.snapshot() as connection:
            return await rows.notes(connection, limit)
