"""Give pages that hold nothing back to the system, a few at a time.

A file of before is converted once, where there is room for the copy that SQLite makes of it.
"""

import shutil
import sqlite3
from pathlib import Path

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

log = structlog.get_logger(__name__)

_INCREMENTAL = 2  # as SQLite numbers it
_ROOM = (
    3  # times the file: the copy, the journal that it is written back through, and as much again
)


def convert(connection: sqlite3.Connection, path: Path) -> None:
    """Rebuild the open file of before so that it gives pages back, where there is room for it.

    The caller is the only one who has it open.
    """
    if connection.execute("PRAGMA auto_vacuum").fetchone()[0] == _INCREMENTAL:
        return
    need, free = _ROOM * path.stat().st_size, shutil.disk_usage(path.parent).free
    if free < need:
        log.warning("database_not_compacted", need_bytes=need, free_bytes=free)
        return
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("VACUUM")


async def shrink(connection: AsyncConnection, pages: int) -> bool:
    """Give at most ``pages`` pages back; tell whether there are more. Inside a transaction."""
    await connection.execute(text(f"PRAGMA incremental_vacuum({int(pages)})"))
    converted = (await connection.execute(text("PRAGMA auto_vacuum"))).scalar() == _INCREMENTAL
    left = (await connection.execute(text("PRAGMA freelist_count"))).scalar() or 0
    return converted and left > 0
