"""Admitted files that all nodes share: nobody counts on one that another node deletes meanwhile.

A deletion is a row first, then the object, then no row. Who needs a file waits until it is over,
holds the file by a row and puts it there again; a file that a row holds is never deleted.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from core.artefacts.clips import discard
from core.errors.artefacts import ArtefactGone
from core.interfaces.artefacts import MEDIA, Artefacts
from core.runtime.clock import Clock
from core.storage import files as rows
from core.storage.database import Connection, Database

log = structlog.get_logger(__name__)

GOING_MS = 60_000  # a deletion that takes longer is over: its process ended
LOOK_S = 0.05  # between two looks whether a deletion is over


class SharedFiles:
    """What a bucket adds to the holds on files; nothing where folders keep everything."""

    def __init__(
        self, database: Database, data_dir: Path, artefacts: Artefacts, clock: Clock
    ) -> None:
        """Name files by their paths below ``data_dir``, as rows and artefacts do."""
        self._database = database
        self._data_dir = data_dir
        self._artefacts = artefacts
        self._clock = clock

    @property
    def exist(self) -> bool:
        """Return whether other nodes reach admitted files."""
        return self._artefacts.shared

    def includes(self, name: str) -> bool:
        """Return whether the file called so is one of them; uploads lie on one node only."""
        return self._artefacts.shared and name.startswith(MEDIA)

    @asynccontextmanager
    async def settled(self, names: Iterable[str]) -> AsyncGenerator[Connection]:
        """Open a transaction in which none of ``names`` is being deleted.

        Those that all nodes share, and that are there, are on this node then.

        Raises:
            ArtefactsUnavailable: nobody can say whether they are there.
        """
        shared = [name for name in names if self.includes(name)]
        while True:
            for name in shared:
                with suppress(ArtefactGone):
                    await self._artefacts.local(name)
            async with self._database.transaction() as connection:
                if not shared or not await rows.going(connection, shared, self._clock()):
                    yield connection
                    return
            await asyncio.sleep(LOOK_S)

    async def share(self, names: Iterable[str]) -> None:
        """Put what is held and lies here where all nodes look; what is there stays.

        Raises:
            ArtefactsUnavailable: that cannot be done just now.
        """
        for name in names:
            path = self._data_dir / name
            if self.includes(name) and path.is_file():
                await self._artefacts.put(name, path)

    async def note_going(self, connection: Connection, name: str) -> None:
        """Write that ``name``, which nobody holds, is being deleted."""
        if self.includes(name):
            await rows.hold(connection, [name], rows.GOING, "", self._clock() + GOING_MS)

    async def delete(self, name: str) -> None:
        """Delete what :meth:`note_going` named, and the note."""
        if not self.includes(name):
            return
        await discard(self._artefacts, name)
        async with self._database.transaction() as connection:
            await rows.let_go(connection, files=[name], holder=rows.GOING)
