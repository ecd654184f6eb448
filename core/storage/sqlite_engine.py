"""SQLite: one file, one connection, one transaction at a time."""

import asyncio
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from core.errors import ClapperError
from core.storage.engines import TransactionKind
from core.storage.sqlite_driver import connect
from core.storage.trouble import storage_problem
from core.storage.uncut_connection import UncutConnection, whole
from core.storage.vacuum import shrink

BUSY_MS = 5000  # for foreign readers such as a backup tool; we have no second connection


class SqliteEngine:
    """One connection serves everybody in turn, whatever kind of transaction they ask for.

    That is as fast as SQLite gets with synchronous commits, keeps the worst case short, and keeps
    clear of the WAL-reset defect of SQLite before 3.51.3, which needs two connections.
    """

    def __init__(self, url: str, path: Path) -> None:
        """Take the address and the file that it names; nothing is opened before it is used."""
        self.file = path
        self._turn = asyncio.Lock()
        self._changes = 0  # rows that the connection has written
        self.engine = create_async_engine(
            url,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,  # errors are logged, and rows hold prompts
            async_creator=partial(connect, path, BUSY_MS / 1000),
        )
        event.listen(self.engine.sync_engine, "connect", _prepare)
        event.listen(self.engine.sync_engine, "begin", _begin)

    def queue(self, kind: TransactionKind) -> AbstractAsyncContextManager[object]:
        """Return the one line that everybody waits in."""
        del kind
        return self._turn

    async def enter(self, connection: UncutConnection, kind: TransactionKind) -> None:
        """Open ``connection`` inside ``BEGIN IMMEDIATE``."""
        del kind
        await connection.start()
        await connection.begin()

    async def wrote(self, connection: UncutConnection) -> bool:
        """Count the rows that were written through the driver's connection since it opened."""
        driver: Any = (await connection.get_raw_connection()).driver_connection
        before, self._changes = self._changes, int(driver.total_changes)
        return self._changes != before

    def problem(self, error: BaseException) -> ClapperError | None:
        """Return our error for what SQLite or the system reports."""
        return storage_problem(error, self.file)

    async def empty_journal(self) -> bool:
        """Write the journal back into the file and empty it.

        Returns:
            False where another program reads the file; what it may still need stays.
        """
        async with self._turn:
            connection = UncutConnection(self.engine)
            await whole(connection.start())
            try:
                return await whole(_checkpoint(connection))
            finally:
                await whole(connection.close())

    async def shrink(self, connection: AsyncConnection, pages: int) -> bool:
        """Give at most ``pages`` unused pages back to the system; tell whether there are more."""
        return await shrink(connection, pages)


async def _checkpoint(connection: UncutConnection) -> bool:
    """Checkpoint and truncate, without waiting for readers: everybody else waits meanwhile."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.execute("PRAGMA busy_timeout=0")
    try:
        async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
            busy, *_ = await cursor.fetchone()
    finally:
        await driver.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    return not busy


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a commit is on the disk before anybody is told
        "foreign_keys=ON",
        "secure_delete=ON",  # what people deleted is overwritten
        f"busy_timeout={BUSY_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: SyncConnection) -> None:
    # immediate: a read that turns into a write late is refused at once, without waiting
    connection.exec_driver_sql("BEGIN IMMEDIATE")
