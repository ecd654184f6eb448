"""Know whether the database in use is the newest one that the clips beside it have seen.

A database that is older than its clips (a backup put back), another one, or none at all would take
what newer rows name for leftovers. So a record lies beside the clips: which database it was, by a
random name, and how far it was, by a number that only grows. Both are in the database too. Where
they disagree the operator is told, and nothing is deleted for want of a row until they agree.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from core.domain.decoding import decode, parse_stored, whole
from core.runtime import file_names
from core.runtime.atomic_files import write_atomically
from core.storage import jobs as rows
from core.storage.ordinary_files import require_file

if TYPE_CHECKING:
    from core.storage.database import Connection, Database

CLIPS = "clips"  # the folder, in the data directory
RECORD_NAME = ".database"
NAME_SETTING, _GENERATION = "database_name", "database_generation"  # in the database


class DatabaseStanding(StrEnum):
    """What the database in use is to the clips beside it."""

    NEWEST = "newest"
    OLDER = "older"  # it was further when the record was written
    OTHER = "other"  # the record names another one
    MISSING = "missing"  # it was just made, and clips are there


@dataclass(frozen=True, slots=True)
class Record:
    """Which database, and how far it was."""

    name: str
    generation: int


async def look(database: "Database", data_dir: Path, *, fresh: bool) -> DatabaseStanding:
    """Compare the database with the record beside the clips of ``data_dir``.

    Args:
        database: open and migrated.
        data_dir: where the clips lie.
        fresh: it was made just now.
    """
    recorded = read_record(data_dir)
    async with database.transaction() as connection:
        own = await _own(connection)
        files = recorded is None and fresh and _has_files(data_dir)  # else nobody asks
        standing = _compare(own, recorded, fresh=fresh, files=files)
        if own is None and fresh and standing is not DatabaseStanding.NEWEST:
            await _note(connection, Record(uuid4().hex, 0))
    if recorded is None and standing is not DatabaseStanding.NEWEST and (data_dir / CLIPS).is_dir():
        _write(data_dir, Record("", 0))  # so that the next start knows it too
    return standing


def _compare(
    own: Record | None, recorded: Record | None, *, fresh: bool, files: bool
) -> DatabaseStanding:
    if recorded is None:
        return DatabaseStanding.MISSING if fresh and files else DatabaseStanding.NEWEST
    if own is None:
        return DatabaseStanding.MISSING if fresh else DatabaseStanding.OLDER
    if own.name != recorded.name:
        return DatabaseStanding.OTHER
    return (
        DatabaseStanding.OLDER if own.generation < recorded.generation else DatabaseStanding.NEWEST
    )


async def advance(database: "Database", data_dir: Path) -> None:
    """Note in the database and beside its clips that it went on; not where it is not the newest."""
    if not database.newest or not (data_dir / CLIPS).is_dir():
        return
    await accept(database, data_dir)


async def accept(database: "Database", data_dir: Path) -> None:
    """Make the database the one that the clips of ``data_dir`` belong to from now on."""
    recorded = read_record(data_dir)
    async with database.transaction() as connection:
        own = await _own(connection) or Record(uuid4().hex, 0)
        known = recorded.generation if recorded is not None and recorded.name == own.name else 0
        now = Record(own.name, max(own.generation, known) + 1)
        await _note(connection, now)
    _write(data_dir, now)  # after the commit: the record is never ahead of its database
    database.standing = DatabaseStanding.NEWEST


async def database_name(database: "Database") -> str:
    """Return the random name of the database, which it gets here if it has none yet."""
    async with database.transaction() as connection:
        own = await _own(connection)
        if own is None:
            own = Record(uuid4().hex, 0)
            await _note(connection, own)
    return own.name


def read_record(data_dir: Path) -> Record | None:
    """Read the record; one that cannot be read names no database."""
    path = data_dir / RECORD_NAME
    require_file(path)
    try:
        return decode(Record, parse_stored(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except ValueError:  # what it says is none, or no text at all
        return Record("", 0)


def _write(data_dir: Path, record: Record) -> None:
    text = json.dumps({"name": record.name, "generation": record.generation})
    write_atomically(data_dir / RECORD_NAME, text)


def _has_files(data_dir: Path) -> bool:
    clips = file_names.files_of(data_dir / CLIPS, file_names.CLIP)
    return bool(clips or file_names.files_of(data_dir / "media", file_names.MEDIA))


async def _own(connection: "Connection") -> Record | None:
    name = await rows.read_setting(connection, NAME_SETTING)
    generation = await rows.read_setting(connection, _GENERATION)
    return Record(name, whole({"": generation}, "")) if name and generation else None


async def _note(connection: "Connection", record: Record) -> None:
    await rows.write_setting(connection, NAME_SETTING, record.name)
    await rows.write_setting(connection, _GENERATION, str(record.generation))
