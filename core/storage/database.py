"""The database: transactions on a file of SQLite or a server of PostgreSQL, all or nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.errors.setup import SchemaBehind
from core.errors.storage import StorageUnavailable
from core.runtime.clock import Clock, now_ms
from core.runtime.tasks import outcome_of
from core.storage.addresses import database_path, is_postgres, postgres_address
from core.storage.dialects import DatabaseTime
from core.storage.engines import TROUBLES, Connection, StorageEngine, TransactionKind
from core.storage.known_trouble import KnownTrouble, write_and_forget
from core.storage.lock import DirectoryHold, lock, lock_database
from core.storage.migration_files import MIGRATIONS
from core.storage.migrations import migrate
from core.storage.ordinary_files import require_file
from core.storage.postgres_engine import PostgresEngine
from core.storage.postgres_schema import SchemaDuty, prepare_schema
from core.storage.record import DatabaseStanding, advance, look
from core.storage.sqlite_engine import SqliteEngine
from core.storage.trouble import named_troubles
from core.storage.uncut_connection import UncutConnection, whole

__all__ = ["Connection", "Database", "database_path", "open_database"]

log = structlog.get_logger(__name__)


class Database:
    """The only way to the rows. What it is made of is its engine's business."""

    def __init__(self, url: str, *, insecure: bool = False) -> None:
        """Take the address; nothing is opened before the first transaction.

        ``insecure``: the way to a server on another machine need not be encrypted.

        Raises:
            BadConfiguration: not an address of a database.
        """
        self._storage: StorageEngine = (
            PostgresEngine(postgres_address(url, insecure=insecure))
            if is_postgres(url)
            else SqliteEngine(url, database_path(url))
        )
        self._trouble = KnownTrouble()
        self._version = 0
        self.standing = DatabaseStanding.NEWEST  # to the clips beside it, see core.storage.record

    @property
    def engine(self) -> AsyncEngine:
        """Return SQLAlchemy's engine, for listeners; statements go through :meth:`transaction`."""
        return self._storage.engine

    @property
    def file(self) -> Path | None:
        """Return the file of SQLite, None where the rows are on a server."""
        return self._storage.file

    @property
    def newest(self) -> bool:
        """Tell whether files without a row are leftovers; else newer rows may name them."""
        return self.standing is DatabaseStanding.NEWEST

    @property
    def version(self) -> int:
        """Return a number that differs whenever this process may have changed a row.

        What was read at a version needs no second reading before the next one where nobody else
        writes; see :mod:`core.bus.row_version` for where others do.
        """
        return self._version

    @property
    def trouble(self) -> str | None:
        """Return the code of what keeps rows from being read or written; None: nothing known."""
        return self._trouble.code

    @asynccontextmanager
    async def transaction(self, *, turn: bool = True) -> AsyncGenerator[AsyncConnection]:
        """Give a connection inside a transaction; commit at the end.

        Keep it short and await nothing else inside: everybody else waits. Whatever leaves the
        block early, a cancellation included, rolls everything back.

        Args:
            turn: nobody else changes what is read here before the end, in any process. Only what
                is right by one statement alone may do without.

        Raises:
            StorageUnavailable: the disk is full, another program holds the rows, the server does
                not answer, or the like; nothing was changed, unless the connection was lost while
                the end was on its way. The operator's view is its cause.
        """
        async with self._guarded(TransactionKind.TURN if turn else TransactionKind.STEP) as begun:
            yield begun

    @asynccontextmanager
    async def statement(self) -> AsyncGenerator[AsyncConnection]:
        """Give a connection for one statement that is right by itself, or for one batch.

        It costs a server fewer trips than a transaction without a turn.

        Raises:
            StorageUnavailable: as of :meth:`transaction`.
        """
        async with self._guarded(TransactionKind.STATEMENT) as begun:
            yield begun

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[AsyncConnection]:
        """Give a connection that reads everything as it was at one moment, and changes nothing.

        Raises:
            StorageUnavailable: as of :meth:`transaction`.
        """
        async with self._guarded(TransactionKind.SNAPSHOT) as begun:
            yield begun

    @asynccontextmanager
    async def _guarded(self, kind: TransactionKind) -> AsyncGenerator[AsyncConnection]:
        begun = False
        async with self._storage.queue(kind):
            before = self._version
            try:
                async with self._begun(kind) as connection:
                    begun = True
                    yield connection
            except (*TROUBLES, sqlite3.Error) as error:
                of_writes = begun and kind is not TransactionKind.SNAPSHOT
                named = self._named(error, of_writes=of_writes)
                raise named from named.__cause__
            self._trouble.passed(wrote=self._version != before)

    @asynccontextmanager
    async def _begun(self, kind: TransactionKind) -> AsyncGenerator[AsyncConnection]:
        connection = UncutConnection(self._storage.engine)
        try:
            await whole(self._storage.enter(connection, kind))
            yield connection
            wrote = await self._storage.wrote(connection)
        except BaseException:
            await whole(connection.leave(keep=False))
            raise
        try:
            await whole(connection.leave(keep=True))
        finally:
            self._version += wrote

    def _named(self, error: Exception, *, of_writes: bool) -> Exception:
        """Return what callers are told of ``error``: itself where it is a defect of ours."""
        problem = self._storage.problem(error)
        if problem is None:
            return error
        self._trouble.met(problem.code, of_writes=of_writes)
        problem.__cause__ = error
        refusal = StorageUnavailable(problem.code)
        refusal.__cause__ = problem
        return refusal

    async def examine(self) -> None:
        """Try to write where a file could not be written: reads do not tell whether that is over.

        A server gets writes all the time, with signs of life of every node.
        """
        if self._trouble.of_writes and self._trouble.code and self.file:
            with suppress(StorageUnavailable):
                async with self.transaction() as connection:
                    await write_and_forget(connection)

    async def time_ms(self) -> int:
        """Ask the database for its time, in epoch milliseconds.

        Raises:
            StorageUnavailable: as of :meth:`transaction`.
        """
        async with self.transaction(turn=False) as connection:
            return int(await connection.scalar(select(DatabaseTime())) or 0)

    async def reconnect(self) -> None:
        """Let go of the connections that nobody uses; the next transaction opens new ones."""
        await self._storage.engine.dispose()

    async def empty_journal(self) -> bool:
        """Remove what is left of deleted rows beside the tables.

        Returns:
            False where another program reads there; what it may still need stays.
        """
        return await self._storage.empty_journal()

    async def shrink(self, connection: AsyncConnection, pages: int) -> bool:
        """Give at most ``pages`` unused pages back; tell whether there are more."""
        return await self._storage.shrink(connection, pages)

    async def close(self) -> None:
        """Let go of the rows, after the transaction under way."""
        async with self._storage.queue(TransactionKind.TURN):
            await self._storage.engine.dispose()


@asynccontextmanager
async def open_database(
    url: str,
    data_dir: Path,
    clock: Clock = now_ms,
    migrations: Path = MIGRATIONS,
    *,
    insecure: bool = False,
    duty: SchemaDuty = SchemaDuty.REQUIRE,
    hold: DirectoryHold = DirectoryHold.ALONE,
    tell: Callable[[SchemaBehind], None] = lambda _: None,
) -> AsyncGenerator[Database]:
    """Lock the data directory, check and migrate the database, and give it.

    Args:
        url: ``sqlite+aiosqlite:///…`` or ``postgresql://…``.
        data_dir: the folder that one process at a time may use.
        clock: the time that is written beside applied migrations.
        migrations: the folder that they lie in.
        insecure: as of :class:`Database`.
        duty: what to do about an older schema on a server, which others may be using; a file is
            always migrated.
        hold: how ``data_dir`` is held; a file of rows is always one process's.
        tell: is called once where a server's schema has to be waited for.

    Raises:
        DataDirectoryBusy: another process uses ``data_dir``.
        DatabaseInUse: another process uses the file, from another data directory.
        StorageProblem: file or folder cannot be read or written.
        ServerProblem: the server does not answer, or refuses.
        DatabaseDamaged: the file fails SQLite's check.
        DatabaseForeign: it is another program's.
        SchemaTooNew: a newer Clapper wrote it.
        SchemaBehind: somebody has to migrate it first.
        CopyUnfinished: rows are being copied into it.
        MigrationChanged: an applied migration is not what it was.
        BadConfiguration: not an address of a database.
    """
    async with AsyncExitStack() as held:
        held.enter_context(lock(data_dir, hold if is_postgres(url) else _of_file(hold)))
        if is_postgres(url):
            place, database = data_dir, Database(url, insecure=insecure)
            held.push_async_callback(_close, database)
            address = postgres_address(url, insecure=insecure)
            with named_troubles(place):
                fresh = await prepare_schema(database, address, duty, clock, migrations, tell)
        else:
            place = database_path(url)
            with named_troubles(place):
                require_file(place)
                fresh = not place.exists() or place.stat().st_size == 0
            held.enter_context(lock_database(place))
            await asyncio.to_thread(migrate, place, clock, migrations)
            database = Database(url)
            held.push_async_callback(_close, database)
        kept_here = hold is not DirectoryHold.NOT or not is_postgres(url)
        if kept_here:
            with named_troubles(place):
                database.standing = await look(database, data_dir, fresh=fresh)
        yield database
        if kept_here and duty is not SchemaDuty.AWAIT:  # fronts account for clips
            await _note_end(database, data_dir)


def _of_file(hold: DirectoryHold) -> DirectoryHold:
    """Return how a data directory with the rows in a file is held: by one process at a time."""
    brief = hold in {DirectoryHold.BRIEFLY, DirectoryHold.NOT}
    return DirectoryHold.BRIEFLY if brief else DirectoryHold.ALONE


async def _close(database: Database) -> None:
    await whole(database.close())


async def _note_end(database: Database, data_dir: Path) -> None:
    if database.version:
        noted = await outcome_of(advance(database, data_dir))
        if not noted.ok:  # the next start notes it
            log.warning("record_not_written", exc_info=noted.error)
