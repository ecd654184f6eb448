"""The SQLite driver with one trip to its thread per statement instead of four.

The stock driver visits its thread to make a cursor, to execute, to fetch and to close. Here a
statement and all of its rows are one visit; a trip costs more than most of our statements.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite

_Rows = list[Any]


class OneTripCursor(aiosqlite.Cursor):
    """A cursor that has its rows as soon as it has executed."""

    _rows: _Rows

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "OneTripCursor":
        """Execute ``sql`` and fetch what it gives."""
        self._rows = await self._execute(  # pyright: ignore[reportUnknownMemberType]  # untyped there
            self._run, sql, parameters or ()
        )
        return self

    async def fetchall(self) -> _Rows:
        """Return what was fetched."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Let go of the statement, which is at its end already."""
        self._cursor.close()

    def _run(self, sql: str, parameters: Iterable[Any]) -> _Rows:
        self._cursor.execute(sql, parameters)  # pyright: ignore[reportArgumentType]  # SQLAlchemy gives tuples
        return self._cursor.fetchall() if self._cursor.description else []


class OneTripConnection(aiosqlite.Connection):
    """A connection that makes cursors where it is asked to."""

    def cursor(self) -> OneTripCursor:  # pyright: ignore[reportIncompatibleMethodOverride]  # a cursor is its own context manager
        """Return a new cursor, to be entered; that is only an object, no work for the thread."""
        return OneTripCursor(self, self._conn.cursor())


def _open(path: Path, timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,  # cursors are made and closed outside of its thread
    )
    # a byte that is no UTF-8 spoils the text that it is in, not every statement that meets its row
    connection.text_factory = _readable
    return connection


def _readable(stored: bytes) -> str:
    return stored.decode("utf-8", "replace")


async def connect(path: Path, timeout_s: float) -> OneTripConnection:
    """Open the file.

    Args:
        path: of the database.
        timeout_s: how long to wait for another process's lock.

    Returns:
        A connection that begins no transactions by itself.

    Raises:
        Error: SQLite cannot open it.
    """
    connection = OneTripConnection(partial(_open, path, timeout_s), iter_chunk_size=64)
    connection._thread.daemon = True  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001  # or a lost connection keeps the process alive
    try:
        await connection
    except BaseException:
        # its thread still answers to this loop, which may be closed before it is done
        await asyncio.to_thread(connection._thread.join)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001  # the only way to know
        raise
    return connection
