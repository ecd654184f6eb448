"""Numbered SQL files become the schema, each whole or not at all.

Runs before the database is opened, with a connection of its own. ``migrations/NNNN_words.sql`` are
forward only; what was applied is remembered with its checksum.
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.errors.setup import DatabaseDamaged, MigrationChanged, SchemaTooNew
from core.runtime.atomic_files import publish
from core.runtime.clock import Clock, now_ms
from core.runtime.permissions import PRIVATE_FILE, make_private_folder
from core.settings import PROJECT_ROOT
from core.storage.trouble import named_troubles
from core.storage.vacuum import begin_incremental, convert

log = structlog.get_logger(__name__)

MIGRATIONS = PROJECT_ROOT / "migrations"
BUSY_S = 5.0  # waits so long for another program that holds the file
_NAME = re.compile(r"(\d{4})_\w+\.sql")
_BOOK = """
CREATE TABLE IF NOT EXISTS migration (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at_ms INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; ``checksum`` is the SHA-256 of its text."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Return what is remembered of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrate(path: Path, clock: Clock = now_ms, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the database file to the newest schema; it is made if it does not exist.

    Args:
        path: the SQLite file. The caller holds the lock of its folder.
        clock: what is written as the time of a migration.
        folder: where the SQL files lie.

    Returns:
        The names of the migrations that were applied now.

    Raises:
        DatabaseDamaged: not an SQLite file, or it fails SQLite's check.
        StorageProblem: it cannot be read or written.
        SchemaTooNew: it has a migration that is newer than all of ours.
        MigrationChanged: an applied migration has other text now, or is gone.
    """
    known = read_migrations(folder)
    with named_troubles(path):
        make_private_folder(path.parent)
        if not path.exists():
            path.touch(PRIVATE_FILE)  # before SQLite makes it; its journals take over the rights
        with closing(sqlite3.connect(path, BUSY_S, isolation_level=None)) as connection:
            _check_file(connection)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            begin_incremental(connection)
            applied = _applied(connection)
            _compare(applied, known)
            pending = [migration for migration in known if migration.number not in applied]
            if pending and applied:
                backup(connection, path.with_name(f"{path.name}.before-{pending[0].number:04d}"))
            for migration in pending:
                _apply(connection, migration, clock())
                log.info("migrated", name=migration.name)
            convert(connection, path)
    return [migration.name for migration in pending]


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Read the migrations of ``folder`` in order.

    Raises:
        ValueError: two files have the same number, or one has no number.
    """
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None or (found and found[-1].number == int(match[1])):
            raise ValueError(f"not a migration of its own number: {path.name}")
        found.append(Migration(int(match[1]), path.name, path.read_text("utf-8")))
    return found


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
    """
    findings = [row[0] for row in connection.execute(f"PRAGMA {check}(1)")]
    if findings != ["ok"]:
        raise DatabaseDamaged(str(findings[0]))


def _applied(connection: sqlite3.Connection) -> dict[int, tuple[str, str]]:
    connection.execute(_BOOK)
    rows = connection.execute("SELECT number, name, checksum FROM migration")
    return {number: (name, checksum) for number, name, checksum in rows}


def _compare(applied: dict[int, tuple[str, str]], known: list[Migration]) -> None:
    newest = max((migration.number for migration in known), default=0)
    if max(applied, default=0) > newest:
        raise SchemaTooNew(max(applied), newest)
    ours = {migration.number: migration.checksum for migration in known}
    for number, (name, checksum) in sorted(applied.items()):
        if ours.get(number) != checksum:
            raise MigrationChanged(name)


def check_database(connection: sqlite3.Connection, folder: Path = MIGRATIONS) -> int:
    """Let SQLite look at every page and index; return the newest migration that was applied.

    Raises:
        DatabaseDamaged: it found something.
        SchemaTooNew: it has a migration that is newer than all of ours.
        MigrationChanged: an applied migration has other text now, or is gone.
    """
    _check_file(connection, "integrity_check")
    rows = connection.execute("SELECT number, name, checksum FROM migration")
    applied = {number: (name, checksum) for number, name, checksum in rows}
    _compare(applied, read_migrations(folder))
    return max(applied, default=0)


def _apply(connection: sqlite3.Connection, migration: Migration, at_ms: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements(migration.text):
            connection.execute(statement)
        row = (migration.number, migration.name, migration.checksum, at_ms)
        connection.execute("INSERT INTO migration VALUES (?, ?, ?, ?)", row)
        connection.execute(f"PRAGMA user_version = {migration.number}")
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
