"""The database file: one connection, one transaction at a time, all of it or nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import structlog
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from core.errors.setup import BadConfiguration
from core.errors.storage import StorageUnavailable
from core.runtime.clock import Clock, now_ms
from core.runtime.tasks import outcome_of
from core.storage.lock import lock, lock_database
from core.storage.migration_files import MIGRATIONS
from core.storage.migrations import migrate
from core.storage.record import DatabaseStanding, advance, look
from core.storage.sqlite_driver import connect
from core.storage.trouble import named_troubles, storage_problem
from core.storage.uncut_connection import UncutConnection, whole

log = structlog.get_logger(__name__)

Connection: TypeAlias = AsyncConnection  # what the functions of this package take first
_ADDRESS = "it is sqlite+aiosqlite:///<file>, with ? as %3F, # as %23 and % as %25 in the name"
BUSY_MS = 5000  # for foreign readers such as a backup tool; we have no second connection


class Database:
    """The only way to the rows.

    One connection serves everybody in turn. That is as fast as SQLite gets with synchronous
    commits, keeps the worst case short, and keeps clear of the WAL-reset defect of SQLite before
    3.51.3, which needs two connections.
    """

    def __init__(self, url: str) -> None:
        """Take the address; nothing is opened before the first transaction.

        Raises:
            BadConfiguration: not an address of an SQLite file.
        """
        self._path = database_path(url)
        self._trouble: str | None = None  # code of the last cause, until a transaction succeeds
        self._turn = asyncio.Lock()
        self._version = 0
        self.standing = DatabaseStanding.NEWEST  # to the clips beside it, see core.storage.record
        self._changes = 0  # rows that the connection has written
        self._engine = create_async_engine(
            url,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,  # errors are logged, and rows hold prompts
            async_creator=partial(connect, self._path, BUSY_MS / 1000),
        )
        event.listen(self._engine.sync_engine, "connect", _prepare)
        event.listen(self._engine.sync_engine, "begin", _begin)

    @property
    def engine(self) -> AsyncEngine:
        """Return SQLAlchemy's engine, for listeners; statements go through :meth:`transaction`."""
        return self._engine

    @property
    def newest(self) -> bool:
        """Tell whether files without a row are leftovers; else newer rows may name them."""
        return self.standing is DatabaseStanding.NEWEST

    @property
    def version(self) -> int:
        """Return a number that differs whenever a row may have changed.

        What was read at a version needs no second reading before the next one: nobody else writes,
        the data directory is locked.
        """
        return self._version

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """Give a connection inside ``BEGIN IMMEDIATE``; commit at the end.

        Keep it short and await nothing else inside: everybody else waits. Whatever leaves the
        block early, a cancellation included, rolls everything back.

        Raises:
            StorageUnavailable: the disk is full, another program holds the file, or the like;
                nothing was changed. The operator's view is its cause.
        """
        async with self._turn:
            try:
                async with self._begun() as connection:
                    yield connection
            except (DBAPIError, sqlite3.Error) as error:
                named = self._named(error)
                raise named from named.__cause__
            self._tell(None)

    @asynccontextmanager
    async def _begun(self) -> AsyncGenerator[AsyncConnection]:
        connection = UncutConnection(self._engine)
        try:
            await whole(connection.enter())
            yield connection
            changes = await connection.changes()
        except BaseException:
            await whole(connection.leave(keep=False))
            raise
        try:
            await whole(connection.leave(keep=True))
        finally:
            self._note(changes)

    def _named(self, error: Exception) -> Exception:
        """Return what callers are told of ``error``: itself where it is a defect of ours."""
        problem = storage_problem(error, self._path)
        if problem is None:
            return error
        self._tell(problem.code)
        problem.__cause__ = error
        refusal = StorageUnavailable(problem.code)
        refusal.__cause__ = problem
        return refusal

    def _tell(self, trouble: str | None) -> None:
        """Log the beginning and the end of a trouble, not every transaction that it stops."""
        if trouble is not None and trouble != self._trouble:
            log.warning("storage_trouble", cause=trouble)
        elif trouble is None and self._trouble is not None:
            log.warning("storage_trouble_over", cause=self._trouble)
        self._trouble = trouble

    async def empty_journal(self) -> bool:
        """Write the journal back into the file and empty it.

        Returns:
            False where another program reads the file; what it may still need stays.
        """
        async with self._turn:
            connection = UncutConnection(self._engine)
            await whole(connection.start())
            try:
                return await whole(connection.empty_journal(BUSY_MS))
            finally:
                await whole(connection.close())

    def _note(self, changes: int) -> None:
        if changes != self._changes:
            self._version += 1
        self._changes = changes

    async def close(self) -> None:
        """Let go of the file, after the transaction under way."""
        async with self._turn:
            await self._engine.dispose()


@asynccontextmanager
async def open_database(
    url: str, data_dir: Path, clock: Clock = now_ms, migrations: Path = MIGRATIONS
) -> AsyncGenerator[Database]:
    """Lock the data directory, check and migrate the file, and give the database.

    Args:
        url: ``sqlite+aiosqlite:///…``.
        data_dir: the folder that one process at a time may use.
        clock: the time that is written beside applied migrations.
        migrations: the folder of numbered SQL files.

    Raises:
        DataDirectoryBusy: another process uses ``data_dir``.
        DatabaseInUse: another process uses the database, from another data directory.
        StorageProblem: file or folder cannot be read or written.
        DatabaseDamaged: the file fails SQLite's check.
        SchemaTooNew: a newer Clapper wrote it.
        MigrationChanged: an applied migration is not what it was.
        BadConfiguration: not an address of an SQLite file.
    """
    path = database_path(url)
    with lock(data_dir):
        with named_troubles(path):
            fresh = not path.exists() or path.stat().st_size == 0
        with lock_database(path):
            await asyncio.to_thread(migrate, path, clock, migrations)
            database = Database(url)
            try:
                with named_troubles(path):
                    database.standing = await look(database, data_dir, fresh=fresh)
                yield database
                await _note_end(database, data_dir)
            finally:
                await whole(database.close())


async def _note_end(database: Database, data_dir: Path) -> None:
    if database.version:
        noted = await outcome_of(advance(database, data_dir))
        if not noted.ok:  # the next start notes it
            log.warning("record_not_written", exc_info=noted.error)


def database_path(url: str) -> Path:
    """Find the file that ``url`` names.

    Raises:
        BadConfiguration: not an address of an SQLite file.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadConfiguration("CLAPPER_DATABASE_URL", "unreadable") from None
    known = parsed.drivername == "sqlite+aiosqlite" and "?" not in url
    if not known or parsed.database in {None, "", ":memory:"}:
        raise BadConfiguration("CLAPPER_DATABASE_URL", _ADDRESS)
    return Path(str(parsed.database))


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
