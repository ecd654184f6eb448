"""A copy of the database names the file, and the disk, that keeps it from being made."""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.errors.setup import DatabaseDamaged
from core.errors.storage import DatabaseLocked, StorageFaulty, StorageQuotaUsed
from core.storage import backup, migrations
from core.storage.backup import copy_database, examine_database
from core.storage.disk_probes import probe_in
from core.storage.trouble import named_troubles


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "rows.sqlite"
    migrations.migrate(path)
    return path


def test_a_copy_that_gets_no_locks_ends_and_is_named(source: Path, tmp_path: Path) -> None:
    """As on a share without locks, which looks like a program that never lets go."""
    target = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(target)) as other:
        other.execute("CREATE TABLE held (a)")
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(DatabaseLocked) as caught:
            copy_database(source, target)

    assert caught.value.path == str(target)


def spoil(path: Path) -> None:
    with closing(sqlite3.connect(path)) as rows:
        size, pages = (
            rows.execute(f"PRAGMA page_{one}").fetchone()[0] for one in ("size", "count")
        )
    with path.open("r+b") as file:
        file.seek(size * (pages // 2))
        file.write(bytes(size * (pages // 2)))


def test_pages_that_the_disk_cannot_read_are_no_damage(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    spoil(source)
    with pytest.raises(DatabaseDamaged):
        examine_database(source)
    for module in (backup, migrations):
        monkeypatch.setattr(module, "read_through", fails)

    with pytest.raises(StorageFaulty) as caught:
        examine_database(source)

    assert caught.value.path == str(source)


def test_a_file_without_a_name_is_not_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise OSError(errno.EDQUOT, "quota", str(tmp_path / "tmpx3"))

    monkeypatch.setattr("core.storage.disk_probes.TemporaryFile", refuses)

    with pytest.raises(StorageQuotaUsed) as caught, named_troubles(tmp_path), probe_in(tmp_path):
        pass

    assert caught.value.path == str(tmp_path)
