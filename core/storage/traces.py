"""Remove what deleted rows leave behind: in the journal, and in copies that migrations made.

SQLite overwrites deleted rows (``secure_delete``), but what was written before lies in the journal
until that is emptied. A copy of before a migration keeps everything; it may go as soon as the new
schema works, and goes at the latest when somebody asks to be forgotten.
"""

import asyncio
import re

import structlog

from core.runtime import file_names
from core.storage.database import Database

log = structlog.get_logger(__name__)

COPIES_KEPT = 1  # the newest one; and none for longer than what is kept in the database
_COPY = r"\.before-\d{4}(\.part)?"


class Traces:
    """What deleted rows leave behind in the files of one database."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database
        self._due = False

    def note(self) -> None:
        """Note that something was deleted; :meth:`clear` removes what it left, sooner or later."""
        self._due = True

    async def forget(self) -> bool:
        """Remove what is left of anything deleted so far, the copies included.

        Returns:
            False where another program reads the database right now; :meth:`clear` tries again.
        """
        await asyncio.to_thread(self._remove_copies, 0, None)
        self._due = True
        return await self.clear()

    async def clear(self) -> bool:
        """Empty the journal where something was deleted; False where a reader hinders that."""
        if self._due:
            self._due = not await self._database.empty_journal()
        return not self._due

    async def remove_old_copies(self, before_s: float) -> None:
        """Remove copies made before then (epoch seconds), and all but the newest one."""
        await asyncio.to_thread(self._remove_copies, COPIES_KEPT, before_s)

    def _remove_copies(self, kept: int, before_s: float | None) -> None:
        file = self._database.file
        if file is None:
            return
        shape = re.compile(re.escape(file.name) + _COPY)
        found = file_names.files_of(file.parent.resolve(), shape)
        found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for place, path in enumerate(found):
            if place >= kept or (before_s is not None and path.stat().st_mtime < before_s):
                path.unlink(missing_ok=True)
                log.info("database_copy_removed", name=path.name)
