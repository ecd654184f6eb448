"""Migrations become the schema of a database of PostgreSQL, one program at a time.

The rows may be in use: everything here only adds. Programs that know an older schema go on; each
revision says which is the oldest that can (``oldest``), and the book of migrations keeps it.
"""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from core.runtime.clock import Clock, now_ms
from core.storage.addresses import PostgresAddress
from core.storage.engine_schema import migrate_engine, require_room
from core.storage.every_table import TABLES
from core.storage.migration_files import MIGRATIONS, POSTGRESQL, Migration, read_migrations
from core.storage.postgres_book import READ_BOOK, TABLE_OF_BOOK, book_of, judge
from core.storage.postgres_trouble import postgres_problem
from core.storage.roles import apply_roles, has_roles

log = structlog.get_logger(__name__)

# one program migrates a database; the others wait here, and find nothing left to do
_LOCK = int.from_bytes(hashlib.sha256(b"clapper schema").digest()[:8], "big", signed=True)
_CONNECTING = {"connect_timeout": 5, "application_name": "clapper db migrate"}  # seconds
_DDL_WAIT = "SET lock_timeout = '5s'"  # behind a statement that waits for a table all others wait


def migrate_server(
    address: PostgresAddress, clock: Clock = now_ms, folder: Path = MIGRATIONS
) -> list[str]:
    """Bring a database to the newest schema; the tables are made where there are none.

    Args:
        address: of the server and the database, with an account that may change tables.
        clock: what is written as the time of a migration.
        folder: where the migrations lie.

    Returns:
        The names of the migrations that were applied now.

    Raises:
        ServerProblem: the server does not answer, or refuses.
        SchemaTooNew: a newer program changed the schema in a way that this one cannot use.
        MigrationChanged: an applied migration has other text now, or is gone.
        BadConfiguration: tables of somebody else bear our names.
    """
    known = read_migrations(folder, POSTGRESQL)
    with locked_schema(address) as connection:
        with connection.begin():
            connection.exec_driver_sql(_DDL_WAIT)
            connection.exec_driver_sql(TABLE_OF_BOOK)
            book = book_of(connection.execute(READ_BOOK))
            pending = judge(book, known)
            if not book:
                require_room(connection, (table.name for table in TABLES))
        applied = migrate_engine(connection, clock)  # triggers of ours call its functions
        if pending:
            from core.storage.revisions import upgrade

            upgrade(connection, folder, pending, clock, _note_oldest)
            with connection.begin():
                if has_roles(connection):  # an operator makes them; new tables have rights too
                    apply_roles(connection)
    return [*applied, *(migration.name for migration in pending)]


def grant_roles(address: PostgresAddress) -> None:
    """Make the roles of workers and fronts and grant their rights, as the owner of the tables.

    Raises:
        ServerProblem: the server does not answer, or refuses.
    """
    with locked_schema(address) as connection, connection.begin():
        apply_roles(connection)


def _note_oldest(connection: sa.Connection, migration: Migration, oldest: int) -> None:
    statement = sa.text("UPDATE migration SET oldest = :oldest WHERE number = :number")
    connection.execute(statement, {"oldest": oldest, "number": migration.number})
    log.info("migrated", name=migration.name)


@contextmanager
def locked_schema(address: PostgresAddress) -> Generator[sa.Connection]:
    """Connect, and be the only program that changes the schema or fills the tables.

    Raises:
        ServerProblem: the server does not answer, or refuses.
    """
    engine = sa.create_engine(
        address.url, poolclass=sa.NullPool, hide_parameters=True, connect_args=_CONNECTING
    )
    try:
        with engine.connect() as connection:
            with connection.begin():
                connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))  # to the end
            yield connection
    except DBAPIError as error:
        named = postgres_problem(error, address.server) or error
        raise named from (error if named is not error else error.__cause__)
    finally:
        engine.dispose()
