"""Migrations become the schema of an SQLite file, each whole or not at all.

Runs before the database is opened, with a connection of its own: the SQL files as they are, then
alembic's revisions (:mod:`core.storage.revisions`), which nothing imports where none is due.
"""

import re
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
import structlog
from sqlalchemy import event

from core.errors.setup import DatabaseDamaged, SchemaTooNew
from core.runtime.atomic_files import publish
from core.runtime.clock import Clock, now_ms
from core.runtime.permissions import PRIVATE_FILE, make_private_folder
from core.storage.database_owner import refuse_foreign_tables
from core.storage.disk_probes import read_through
from core.storage.migration_files import (
    MIGRATIONS,
    Applied,
    Migration,
    SchemaState,
    compare,
    newest_of,
    read_migrations,
)
from core.storage.trouble import named_troubles
from core.storage.vacuum import convert

log = structlog.get_logger(__name__)

BUSY_S = 5.0  # waits so long for another program that holds the file
_BOOK = """
CREATE TABLE IF NOT EXISTS migration (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at_ms INTEGER NOT NULL
) STRICT
"""
_HAS_BOOK = "SELECT 1 FROM sqlite_master WHERE name = 'migration'"
# as alembic makes it, and strict as all of our tables
_ALEMBIC = """
CREATE TABLE IF NOT EXISTS alembic_version (
    version_num TEXT NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY
) STRICT
"""


def migrate(path: Path, clock: Clock = now_ms, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the database file to the newest schema; it is made if it does not exist.

    Args:
        path: the SQLite file. The caller holds the lock of its folder.
        clock: what is written as the time of a migration.
        folder: where the migrations lie.

    Returns:
        The names of the migrations that were applied now.

    Raises:
        DatabaseDamaged: not an SQLite file, or it fails SQLite's check.
        DatabaseForeign: it is another program's.
        StorageProblem: it cannot be read or written.
        SchemaTooNew: it has a migration that is newer than all of ours.
        MigrationChanged: an applied migration has other text now, or is gone.
    """
    known = read_migrations(folder)
    with named_troubles(path):
        make_private_folder(path.parent)
        if not path.exists():
            path.touch(PRIVATE_FILE)  # before SQLite makes it; its journals take over the rights
        with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as connection:
            _check_file(connection)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
                pending = _make(connection, known, clock, folder)
            else:
                pending = _go_on(connection, path, known, clock, folder)
            convert(connection, path)
    return [migration.name for migration in pending]


def _make(
    connection: sqlite3.Connection, known: list[Migration], clock: Clock, folder: Path
) -> list[Migration]:
    """Migrate an empty file: in memory, so that the disk is waited for once."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as draft:
        draft.execute("PRAGMA auto_vacuum=INCREMENTAL")  # gives pages back
        draft.execute(_BOOK)
        try:
            _apply_all(draft, known, known, clock, folder)
        finally:
            draft.backup(connection)
    return known


def _go_on(
    connection: sqlite3.Connection, path: Path, known: list[Migration], clock: Clock, folder: Path
) -> list[Migration]:
    """Apply what the file does not have, after a copy of it."""
    refuse_foreign_tables(connection, path)
    connection.execute(_BOOK)
    applied = _read_book(connection)
    _compare(applied, known)
    pending = [migration for migration in known if migration.number not in applied]
    if pending and applied:
        backup(connection, path.with_name(f"{path.name}.before-{pending[0].number:04d}"))
    _apply_all(connection, known, pending, clock, folder)
    return pending


def backup(connection: sqlite3.Connection, target: Path) -> None:
    """Write a consistent copy of the open database to ``target``, replacing it whole."""
    draft = target.with_name(f"{target.name}.part")
    draft.unlink(missing_ok=True)
    draft.touch(PRIVATE_FILE)
    connection.execute("VACUUM INTO ?", (str(draft),))
    publish(draft, target)


def _check_file(connection: sqlite3.Connection, check: str = "quick_check") -> None:
    """Let SQLite look at every page.

    Raises:
        DatabaseDamaged: it found something.
        OSError: the disk cannot read the file.
    """
    findings = [row[0] for row in connection.execute(f"PRAGMA {check}(1)")]
    if findings != ["ok"]:
        read_through(Path(connection.execute("PRAGMA database_list").fetchone()[2]))
        raise DatabaseDamaged(str(findings[0]))


def _read_book(connection: sqlite3.Connection) -> Applied:
    rows = connection.execute("SELECT number, name, checksum FROM migration")
    return {number: (name, checksum) for number, name, checksum in rows}


def _compare(applied: Applied, known: list[Migration]) -> None:
    if max(applied, default=0) > newest_of(known):
        raise SchemaTooNew(max(applied), newest_of(known))
    compare(applied, known)


def check_database(connection: sqlite3.Connection, folder: Path = MIGRATIONS) -> int:
    """Let SQLite look at every page and index; return the newest migration that was applied.

    Raises:
        DatabaseDamaged: it found something.
        SchemaTooNew: it has a migration that is newer than all of ours.
        MigrationChanged: an applied migration has other text now, or is gone.
    """
    _check_file(connection, "integrity_check")
    applied = _read_book(connection)
    _compare(applied, read_migrations(folder))
    return max(applied, default=0)


def read_file_state(path: Path, folder: Path = MIGRATIONS) -> SchemaState:
    """Read how far the file ``path`` is, beside a service that may be using it.

    Raises:
        SchemaTooNew: it has a migration that is newer than all of ours.
        MigrationChanged: an applied migration has other text now, or is gone.
        StorageProblem: it cannot be read.
    """
    known, applied = read_migrations(folder), Applied()
    with named_troubles(path):
        if path.exists() and path.stat().st_size:
            address = f"file:{quote(str(path))}?mode=ro"
            with closing(sqlite3.connect(address, timeout=BUSY_S, uri=True)) as connection:
                refuse_foreign_tables(connection, path)
                if connection.execute(_HAS_BOOK).fetchone():
                    applied = _read_book(connection)
    _compare(applied, known)
    pending = tuple(migration.name for migration in known if migration.number not in applied)
    return SchemaState(max(applied, default=0), newest_of(known), pending)


def _apply_all(
    connection: sqlite3.Connection,
    known: list[Migration],
    pending: list[Migration],
    clock: Clock,
    folder: Path,
) -> None:
    for migration in pending:
        if not migration.is_revision:
            _apply(connection, migration, clock())
            log.info("migrated", name=migration.name)
    revisions = [migration for migration in pending if migration.is_revision]
    if revisions:
        files = [migration for migration in known if not migration.is_revision]
        _revise(connection, newest_of(files), revisions, clock, folder)


def _revise(
    connection: sqlite3.Connection,
    begun: int,
    revisions: list[Migration],
    clock: Clock,
    folder: Path,
) -> None:
    """Let alembic apply ``revisions`` to a database that has all SQL files, up to ``begun``."""
    from core.storage.revisions import upgrade

    with _transaction(connection):
        connection.execute(_ALEMBIC)
        stamp = (
            "INSERT INTO alembic_version SELECT ? WHERE NOT EXISTS (SELECT 1 FROM alembic_version)"
        )
        connection.execute(stamp, (f"{begun:04d}",))
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
    event.listen(engine, "begin", _begin)
    with engine.connect() as wrapped:
        upgrade(wrapped, folder, revisions, clock, _number_file)


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _number_file(connection: sa.Connection, migration: Migration, oldest: int) -> None:
    del oldest  # a file belongs to one program
    connection.exec_driver_sql(f"PRAGMA user_version = {migration.number}")
    log.info("migrated", name=migration.name)


def _apply(connection: sqlite3.Connection, migration: Migration, at_ms: int) -> None:
    with _transaction(connection):
        for statement in statements(migration.text):
            connection.execute(statement)
        row = (migration.number, migration.name, migration.checksum, at_ms)
        connection.execute("INSERT INTO migration VALUES (?, ?, ?, ?)", row)
        connection.execute(f"PRAGMA user_version = {migration.number}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself where the disk is full
            connection.execute("ROLLBACK")
        raise


def statements(text: str) -> Iterator[str]:
    """Yield the statements of ``text``; ``executescript`` would end the transaction.

    Raises:
        ValueError: the last statement has no end.
    """
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if re.sub(r"--[^\n]*", "", pending).strip():
        raise ValueError("a statement without its semicolon")
