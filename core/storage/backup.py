"""Copy the database while it is in use, and check a copy.

The copy is made through a connection that only reads, so the service that writes is never held up,
and it is of one moment. It is a single file, without a journal.
"""

import sqlite3
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from core.errors.setup import DatabaseDamaged
from core.runtime.permissions import PRIVATE_FILE
from core.storage.disk_probes import read_through
from core.storage.migrations import BUSY_S, check_database
from core.storage.record import NAME_SETTING
from core.storage.trouble import DAMAGED, named_troubles

_OF_SOURCE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
}
_COUNTS = {
    "jobs": "SELECT count(*) FROM job",
    "clips": "SELECT count(*) FROM artifact",
    "ledger": "SELECT count(*) FROM ledger",
    "deliveries": "SELECT count(*) FROM outbox",
}


@dataclass(frozen=True, slots=True)
class DatabaseContents:
    """What a database holds: the number of its newest migration, and of rows of each kind."""

    schema: int
    jobs: int
    clips: int
    ledger: int
    deliveries: int


def copy_database(source: Path, target: Path) -> DatabaseContents:
    """Write a copy of ``source`` as it is at one moment to ``target``, and check the copy.

    Args:
        source: a database of ours, which others may be writing to.
        target: an absent file.

    Raises:
        DatabaseDamaged: SQLite finds something, or the copy holds something else.
        StorageProblem: either cannot be read or written.
    """
    with named_troubles(target):
        target.touch(PRIVATE_FILE)
        with named_troubles(source), _reading(source) as reader:
            reader.execute("BEGIN")
            counted = _counts(reader)
            with (
                _told_of_copy(target),
                closing(sqlite3.connect(target, isolation_level=None)) as writer,
            ):
                reader.backup(writer, progress=_stop_where_held)
                writer.execute("PRAGMA journal_mode=DELETE")
    contents = examine_database(target)
    if contents != DatabaseContents(contents.schema, **counted):
        raise DatabaseDamaged(f"{source.name}, copy")
    return contents


def roll_back(path: Path) -> None:
    """Undo the change to ``path`` that a process died in, as whoever opens it next does.

    Who only reads may not do that, and meets a file that is half changed.

    Raises:
        StorageProblem: it cannot be read or written.
    """
    journal = path.with_name(f"{path.name}-journal")
    with named_troubles(path):
        if path.is_file() and journal.is_file() and journal.stat().st_size:
            with _opened(path, "rw") as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def examine_database(path: Path) -> DatabaseContents:
    """Let SQLite check ``path``, which nobody writes to, and count what is in it.

    Raises:
        DatabaseDamaged: SQLite finds something.
        SchemaTooNew: a newer Clapper wrote it.
        MigrationChanged: its schema is none of ours.
        StorageProblem: it cannot be read.
    """
    with named_troubles(path), _reading(path) as reader:
        return DatabaseContents(check_database(reader), **_counts(reader))


def clips_of(path: Path) -> dict[str, int]:
    """Return the clips that the rows in ``path`` name, with their sizes in bytes."""
    with named_troubles(path), _reading(path) as reader:
        return dict(reader.execute("SELECT path, size_bytes FROM artifact").fetchall())


def name_of(path: Path) -> str:
    """Return the random name of the database ``path`` (:mod:`core.storage.record`), or nothing."""
    with named_troubles(path), _reading(path) as reader:
        found = reader.execute("SELECT value FROM setting WHERE name = ?", (NAME_SETTING,))
        row = found.fetchone()
    return "" if row is None else str(row[0])


def digests_of(path: Path) -> list[tuple[str, str]]:
    """List the clips that the rows in ``path`` name, each with its SHA-256."""
    with named_troubles(path), _reading(path) as reader:
        return reader.execute("SELECT path, sha256 FROM artifact").fetchall()


def doubt_deliveries(path: Path) -> None:
    """Note in a restored database that what it owes may have been handed over since its copy.

    Raises:
        StorageProblem: it cannot be written.
    """
    with (
        named_troubles(path),
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        connection.execute("UPDATE outbox SET ambiguous = 1 WHERE state IN ('pending', 'sending')")


def _stop_where_held(status: int, left: int, total: int) -> None:
    """End a copy that is refused its locks; Python tries again for ever.

    Nobody else uses a copy that is being made, so its disk has no locks.
    """
    del left, total
    if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        refused = sqlite3.OperationalError("the copy is locked")
        refused.sqlite_errorcode = status
        raise refused


@contextmanager
def _told_of_copy(target: Path) -> Generator[None]:
    """Name ``target`` for what breaks inside the block, unless the source could not be read.

    Raises:
        Error: it could not.
        StorageProblem: the copy cannot be written.
    """
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) in _OF_SOURCE:
            raise
        with named_troubles(target):
            raise


def _reading(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    return _opened(path, "ro")


@contextmanager
def _opened(path: Path, mode: str) -> Generator[sqlite3.Connection]:
    address = f"file:{quote(str(path))}?mode={mode}"
    with closing(
        sqlite3.connect(address, timeout=BUSY_S, isolation_level=None, uri=True)
    ) as connection:
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED:
                read_through(path)
            raise


def _counts(reader: sqlite3.Connection) -> dict[str, int]:
    return {name: reader.execute(query).fetchone()[0] for name, query in _COUNTS.items()}
