"""What people have to be told in private, kept until a front told it or a week is over."""

import asyncio
from collections.abc import Callable

from core.domain.access import AccessEntry
from core.domain.people import Requester
from core.domain.time_units import DAY_MS
from core.storage import accounts as rows
from core.storage.database import Database
from core.storage.records import AccountNotice

__all__ = ["AccountNotice", "Notices"]

NOTICE_LIFE_MS = 7 * DAY_MS


class Notices:
    """The notices that are owed; each front hands out those of its platform."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        """Take the database and the time (epoch ms)."""
        self._database = database
        self._now = now
        self._new = asyncio.Event()

    async def owed(self, platform: str) -> list[AccountNotice]:
        """List what people of ``platform`` have to be told, oldest first."""
        async with self._database.transaction(turn=False) as connection:
            return await rows.notices(connection, platform, self._now() - NOTICE_LIFE_MS)

    async def told(self, notice: AccountNotice) -> None:
        """Note that somebody was told."""
        async with self._database.transaction(turn=False) as connection:
            await rows.drop_notice(connection, notice.id)

    async def forget(self, person: Requester) -> None:
        """Drop everything that somebody was to be told, and what others were to be told of them."""
        names = {person.key, AccessEntry.of_person(person).key}
        async with self._database.transaction(turn=False) as connection:
            await rows.drop_notices(connection, [person.key])
            await rows.change_notices(
                connection, lambda _, data: data if names.isdisjoint(data.values()) else None
            )

    def owing(self) -> asyncio.Event:
        """Return the event that is set as soon as there is something new to tell."""
        return self._new

    def wake(self) -> None:
        """Let the fronts look again: a notice was added."""
        self._new.set()
        self._new = asyncio.Event()
