"""A database file with our tables, made once a process, and one that cannot be written.

To copy the file costs a hundredth of making it.
"""

import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from core.runtime.paths import address_of
from core.runtime.permissions import PRIVATE_FILE, make_private_folder
from core.settings import DATABASE_NAME, Settings
from core.storage.migrations import migrate


def place_database_of(settings: Settings) -> None:
    """Do so where a service with ``settings`` would make one."""
    path = settings.data_dir / DATABASE_NAME
    if settings.database == address_of(path) and not path.exists():
        place_database(path)


def place_database(path: Path) -> None:
    """Write an empty database of the newest schema to ``path``, which is as private as ours."""
    make_private_folder(path.parent)
    path.touch(PRIVATE_FILE)
    path.write_bytes(_made())


@cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.db"
        migrate(path)
        return path.read_bytes()


@contextmanager
def unwritable(engine: AsyncEngine) -> Generator[None]:
    """Refuse what writes, as SQLite does on a full disk: what is there can be read."""

    def refuse(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    event.listen(engine.sync_engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", refuse)
