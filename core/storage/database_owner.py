"""Tell a database of ours from one of another program, by its tables. Nothing is changed.

An address may name any file of SQLite, and our migrations in the database of another program would
be in its way for good.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from core.errors.setup import DatabaseForeign
from core.runtime.paths import readable

_TABLES = (
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
    " AND name NOT GLOB 'sqlite_*' ORDER BY name"
)
_FIRST = "SELECT name, checksum, at_ms FROM migration WHERE number=1"


def is_database_of_ours(path: Path) -> bool:
    """Tell whether ``path`` is an SQLite file with our table of migrations.

    Raises:
        OperationalError: it cannot be read; see :func:`core.storage.trouble.named_troubles`.
    """
    if not path.is_file():
        return False
    with closing(_looking(path)) as connection:
        return _has_our_book(connection)


def refuse_foreign(path: Path) -> None:
    """Refuse ``path`` where it holds tables of another program, before anything is made beside it.

    What only a journal holds is seen when it is opened (:func:`refuse_foreign_tables`).

    Raises:
        DatabaseForeign: it is another program's.
    """
    if not path.is_file():
        return
    try:
        with closing(_looking(path)) as connection:
            refuse_foreign_tables(connection, path)
    except sqlite3.Error:  # damaged, or being written to: named where it is opened
        return


def refuse_foreign_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse the open file ``path`` where it has tables and none of them is our book of migrations.

    Raises:
        DatabaseForeign: it is another program's.
    """
    tables = [str(row[0]) for row in connection.execute(_TABLES)]
    others = [name for name in tables if name != "migration"]
    if tables and not _has_our_book(connection):
        # a first start that was cut off may have left the book, empty and alone
        if not others and connection.execute("SELECT 1 FROM migration").fetchone() is None:
            return
        raise DatabaseForeign(readable(path), (others or tables)[0])


def _looking(path: Path) -> sqlite3.Connection:
    # immutable: opening the file of somebody else must not leave a journal beside it
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)


def _has_our_book(connection: sqlite3.Connection) -> bool:
    try:
        row = connection.execute(_FIRST).fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR:  # it has no such table
            return False
        raise
    return row is not None and str(row[0]).startswith("0001_") and len(str(row[1])) == 64
