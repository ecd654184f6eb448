"""See that a database of PostgreSQL has the tables that this program works with."""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.errors.setup import BadConfiguration, CopyUnfinished, SchemaBehind
from core.runtime.clock import Clock, now_ms
from core.storage.addresses import VARIABLE, PostgresAddress
from core.storage.engine_schema import BOOK, ENGINE, missing_in
from core.storage.engine_schema import READ_BOOK as READ_ENGINE_BOOK
from core.storage.engines import Connection
from core.storage.migration_files import (
    MIGRATIONS,
    POSTGRESQL,
    SchemaState,
    newest_of,
    read_migrations,
)
from core.storage.postgres_book import READ_BOOK, Book, book_of, judge
from core.storage.postgres_migrations import migrate_server
from core.storage.tables import job, sched

if TYPE_CHECKING:
    from core.storage.database import Database

POLL_S = 2.0  # how often a program that may not migrate looks again


class SchemaDuty(Enum):
    """What whoever opens a database does about a schema that is older than its own."""

    MIGRATE = auto()  # a front node
    REQUIRE = auto()  # a command beside running nodes
    AWAIT = auto()  # a worker: somebody else migrates


def require(state: SchemaState) -> None:
    """Do nothing where a program of ours can work with ``state``.

    Raises:
        SchemaBehind: migrations are missing.
        CopyUnfinished: rows are missing.
    """
    if state.pending:
        raise SchemaBehind(state.found, state.known)
    if not state.whole:
        raise CopyUnfinished


async def read_state(connection: Connection, folder: Path = MIGRATIONS) -> SchemaState:
    """Read how far a database is.

    Raises:
        BadConfiguration: it keeps text in another encoding.
        SchemaTooNew: this program cannot work with it.
        MigrationChanged: its schema is none of ours.
    """
    encoding = await connection.scalar(sa.text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise BadConfiguration(VARIABLE, f"its encoding is {encoding}; it has to be UTF8")
    known = read_migrations(folder, POSTGRESQL)
    book: Book = {}
    if await connection.scalar(sa.text("SELECT to_regclass('migration')")) is not None:
        book = book_of(await connection.execute(READ_BOOK))
    pending = judge(book, known)
    whole = empty = True
    if book:
        whole = await connection.scalar(sa.select(sched.c.id)) is not None
        empty = await connection.scalar(sa.select(job.c.seq).limit(1)) is None
    names = (*[migration.name for migration in pending], *await _engine_lacks(connection))
    return SchemaState(max(book, default=0), newest_of(known), names, whole, empty)


async def oldest_program(connection: Connection) -> int:
    """Read the schema that a program has to know at least, to go on with this database."""
    most = sa.text("SELECT coalesce(max(oldest), 0) FROM migration")
    return (await connection.execute(most)).scalar_one()


async def _engine_lacks(connection: Connection) -> list[str]:
    applied: list[str] = []
    if await connection.scalar(sa.text(f"SELECT to_regclass('{BOOK}')")) is not None:
        applied += await connection.scalars(READ_ENGINE_BOOK)
    return [f"{ENGINE} {name}" for name in missing_in(applied)]


async def prepare_schema(
    database: "Database",
    address: PostgresAddress,
    duty: SchemaDuty,
    clock: Clock = now_ms,
    folder: Path = MIGRATIONS,
    tell: Callable[[SchemaBehind], None] = lambda _: None,
) -> bool:
    """See to it that the database has our schema; return whether no job was ever accepted.

    Args:
        database: just opened.
        address: of the same.
        duty: what to do where it is behind.
        clock: what is written as the time of a migration.
        folder: where the migrations lie.
        tell: is called once, where it has to be waited for.

    Raises:
        SchemaBehind: somebody has to migrate first.
        SchemaTooNew: this program cannot work with it.
        MigrationChanged: its schema is none of ours.
        CopyUnfinished: somebody copies rows into it, or broke off.
        BadConfiguration: it is no database for us.
        ServerProblem: the server does not answer, or refuses.
    """
    look = partial(_look, database, folder)
    state = await look()
    if state.pending and duty is SchemaDuty.MIGRATE:
        await asyncio.to_thread(migrate_server, address, clock, folder)
        state = await look()
    if state.pending and duty is SchemaDuty.AWAIT:
        tell(SchemaBehind(state.found, state.known))
        while (state := await look()).pending:  # noqa: ASYNC110  # see below
            await asyncio.sleep(POLL_S)  # another program migrates, and tells nobody
    require(state)
    return state.empty


async def _look(database: "Database", folder: Path) -> SchemaState:
    async with database.snapshot() as connection:
        return await read_state(connection, folder)
