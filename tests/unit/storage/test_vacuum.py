"""The file becomes smaller when rows go, also one of before, and never where there is no room."""

import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from core.storage import vacuum
from core.storage.migrations import migrate

Usage = namedtuple("Usage", "total used free")


async def fill(room) -> None:
    async with room.database.transaction() as connection:
        for number in range(300):
            statement = text("INSERT INTO setting VALUES (:name, :value)")
            await connection.execute(statement, {"name": f"n{number}", "value": "x" * 4000})
    await room.database.empty_journal()


@pytest.mark.sqlite
async def test_pages_are_given_back_a_few_at_a_time(room, tmp_path: Path) -> None:
    file = tmp_path / "clapper.sqlite"
    await fill(room)
    full = file.stat().st_size
    async with room.database.transaction() as connection:
        await connection.execute(text("DELETE FROM setting WHERE name LIKE 'n%'"))
    steps = 0
    more = True
    while more:
        async with room.database.transaction() as connection:
            more = await vacuum.shrink(connection, 64)
        steps += 1
    await room.database.empty_journal()

    assert steps > 3
    assert file.stat().st_size < full - 300 * 4000


def before(path: Path) -> None:
    """Make a file as versions before made it."""
    migrate(path)
    with closing(sqlite3.connect(path)) as rows:
        rows.execute("PRAGMA auto_vacuum=NONE")
        rows.execute("VACUUM")
        rows.execute("PRAGMA journal_mode=WAL")
        rows.execute("CREATE TABLE kept (words TEXT)")
        rows.execute("INSERT INTO kept VALUES ('a row of before')")
        rows.commit()


@pytest.mark.parametrize("free", [0, 10**12])
def test_a_file_of_before_is_rebuilt_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    path = tmp_path / "clapper.sqlite"
    before(path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free, 0, free))

    migrate(path)

    with closing(sqlite3.connect(path)) as rows:
        assert rows.execute("PRAGMA auto_vacuum").fetchone() == ((2 if free else 0),)
        assert rows.execute("SELECT words FROM kept").fetchone() == ("a row of before",)
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
