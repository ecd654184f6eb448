"""Each cause that SQLite or the system reports has its own error; only damage is damage."""

import errno
import os
import resource
import sqlite3
import subprocess
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from core.errors import ClapperError
from core.errors.setup import DatabaseDamaged
from core.errors.storage import (
    DatabaseLocked,
    FileTooLarge,
    LinksInCircle,
    MemoryShort,
    NameTooLong,
    PathIsFile,
    PathIsFolder,
    StorageFaulty,
    StorageFilesUsed,
    StorageForbidden,
    StorageFull,
    StorageGone,
    StorageInUse,
    StorageProblem,
    StorageQuotaUsed,
    StorageReadOnly,
    StorageUnavailable,
    StorageUnsupported,
    StorageUnusable,
    TooManyOpenFiles,
    TooManyThreads,
)
from core.i18n.messages import explain, languages
from core.storage.backup import copy_database
from core.storage.database import Database, open_database
from core.storage.migrations import migrate
from core.storage.tables import setting
from core.storage.trouble import named_troubles, of_system, storage_problem

HERE = Path("/nowhere/rows.sqlite")
OF_THE_SYSTEM = {
    "ENOSPC": StorageFull, "EDQUOT": StorageQuotaUsed, "EFBIG": StorageUnusable,
    "EROFS": StorageReadOnly, "EACCES": StorageForbidden, "EPERM": StorageForbidden,
    "EISDIR": PathIsFolder, "ENOTDIR": PathIsFile, "EEXIST": PathIsFile,
    "ENAMETOOLONG": NameTooLong, "ELOOP": LinksInCircle, "EBUSY": StorageInUse,
    "ETXTBSY": StorageInUse, "EMFILE": TooManyOpenFiles, "ENFILE": TooManyOpenFiles,
    "ENOMEM": MemoryShort, "ENOENT": StorageGone, "ESTALE": StorageGone, "ENODEV": StorageGone,
    "ENXIO": StorageGone, "ENOTCONN": StorageGone, "EHOSTDOWN": StorageGone, "EIO": StorageFaulty,
    "EUCLEAN": StorageFaulty, "EREMOTEIO": StorageFaulty, "ENOLCK": StorageUnsupported,
    "EOPNOTSUPP": StorageUnsupported, "EINVAL": StorageUnusable, "EDOM": StorageUnusable,
}  # fmt: skip
DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT"}
DEFECTS = {"SQLITE_ERROR", "SQLITE_CONSTRAINT", "SQLITE_MISUSE", "SQLITE_MISMATCH", "SQLITE_RANGE",
           "SQLITE_TOOBIG", "SQLITE_INTERNAL", "SQLITE_ABORT", "SQLITE_INTERRUPT", "SQLITE_EMPTY",
           "SQLITE_NOTFOUND", "SQLITE_SCHEMA", "SQLITE_NOTICE", "SQLITE_WARNING", "SQLITE_OK",
           "SQLITE_DONE", "SQLITE_ROW"}  # fmt: skip
# all codes of errors that this SQLite knows; other constants are actions and options
PRIMARY = {name for name in dir(sqlite3) if name.startswith("SQLITE_")} & {
    *DAMAGED, *DEFECTS, "SQLITE_FULL", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL",
    "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM", "SQLITE_AUTH",
    "SQLITE_NOMEM", "SQLITE_NOLFS",
}  # fmt: skip
CODES = sorted(
    name
    for name in dir(sqlite3)
    if name in PRIMARY or any(name.startswith(f"{primary}_") for primary in PRIMARY - {"SQLITE_OK"})
)


def reported(code: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = getattr(sqlite3, code)
    return error


def primary_of(code: str) -> str:
    return max((one for one in PRIMARY if code == one or code.startswith(f"{one}_")), key=len)


@pytest.mark.parametrize(("name", "kind"), OF_THE_SYSTEM.items())
def test_every_refusal_of_the_system_has_its_cause(name: str, kind: type[ClapperError]) -> None:
    number = getattr(errno, name)
    found = of_system(OSError(number, os.strerror(number), "/srv/clips/a.mp4"))

    assert type(found) is kind
    assert "path" not in found.data() or found.data()["path"] == "/srv/clips/a.mp4"
    assert all(explain(found, language) for language in languages())


@pytest.mark.parametrize("code", CODES)
def test_only_what_sqlite_found_in_the_file_is_damage(code: str, tmp_path: Path) -> None:
    found = storage_problem(reported(code), tmp_path / "rows.sqlite")

    assert isinstance(found, DatabaseDamaged) == (primary_of(code) in DAMAGED)
    assert (found is None) == (primary_of(code) in DEFECTS)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SQLITE_FULL", StorageFull),
        ("SQLITE_BUSY_SNAPSHOT", DatabaseLocked),
        ("SQLITE_BUSY_RECOVERY", DatabaseLocked),
        ("SQLITE_LOCKED_SHAREDCACHE", DatabaseLocked),
        ("SQLITE_IOERR_FSYNC", StorageFaulty),
        ("SQLITE_IOERR_NOMEM", MemoryShort),
        ("SQLITE_NOMEM", MemoryShort),
        ("SQLITE_READONLY_DBMOVED", StorageGone),
        ("SQLITE_READONLY_DIRECTORY", StorageForbidden),
        ("SQLITE_PERM", StorageForbidden),
        ("SQLITE_CANTOPEN_SYMLINK", StorageUnusable),
        ("SQLITE_NOLFS", StorageUnusable),
    ],
)
def test_codes_of_sqlite_have_their_cause(
    code: str, kind: type[ClapperError], tmp_path: Path
) -> None:
    assert type(storage_problem(reported(code), tmp_path / "rows.sqlite")) is kind


def folder_for_the_file(tmp: Path) -> Path:
    (tmp / "rows.sqlite").mkdir()
    return tmp / "rows.sqlite"


def file_for_the_folder(tmp: Path) -> Path:
    (tmp / "data").write_text("x")
    return tmp / "data" / "rows.sqlite"


def folder_for_a_journal(tmp: Path) -> Path:
    (tmp / "rows.sqlite").touch()
    (tmp / "rows.sqlite-wal").mkdir()
    return tmp / "rows.sqlite"


def circle(tmp: Path) -> Path:
    (tmp / "rows.sqlite").symlink_to(tmp / "rows.sqlite")
    return tmp / "rows.sqlite"


@pytest.mark.parametrize("code", ["SQLITE_CANTOPEN", "SQLITE_IOERR_WRITE", "SQLITE_READONLY"])
@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (folder_for_the_file, PathIsFolder),
        (file_for_the_folder, PathIsFile),
        (folder_for_a_journal, PathIsFolder),
        (circle, LinksInCircle),
        (lambda tmp: tmp / "gone" / "rows.sqlite", StorageGone),
        (lambda tmp: tmp / ("x" * 400) / "rows.sqlite", NameTooLong),
        (lambda tmp: Path(tmp, *["y" * 200] * 25, "rows.sqlite"), NameTooLong),
    ],
)
def test_where_sqlite_says_little_the_system_is_asked(
    code: str, place: object, kind: type[ClapperError], tmp_path: Path
) -> None:
    assert callable(place)
    assert type(storage_problem(reported(code), place(tmp_path))) is kind


def test_a_limit_on_files_is_named_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "rows.sqlite").write_bytes(bytes(8192))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        found = storage_problem(reported("SQLITE_IOERR_WRITE"), tmp_path / "rows.sqlite")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert isinstance(found, FileTooLarge)
    assert found.limit_bytes == 8192


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    """A disk of 1 MB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def fill(disk: Path) -> Path:
    rest = disk / "rest"
    with rest.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return rest


async def write(database: Database, size: int) -> None:
    async with database.transaction() as connection:
        await connection.execute(setting.delete())
        await connection.execute(setting.insert().values(name="x", value="y" * size))


async def test_a_full_disk_refuses_in_words_and_the_same_again_succeeds(disk: Path) -> None:
    async with open_database(f"sqlite+aiosqlite:///{disk}/rows.sqlite", disk) as database:
        rest = fill(disk)
        with pytest.raises(StorageUnavailable) as refused:
            await write(database, 100_000)
        rest.unlink()
        await write(database, 100_000)

    assert refused.value.reason == "storage_full"
    assert isinstance(refused.value.__cause__, StorageFull)
    assert str(disk) not in explain(refused.value)


def test_a_copy_onto_a_full_disk_names_that_disk(
    disk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("rows") / "rows.sqlite"
    migrate(source)
    fill(disk)

    with pytest.raises(StorageFull) as caught:
        copy_database(source, disk / "copy.sqlite")

    assert caught.value.path.startswith(str(disk))


async def test_a_disk_that_becomes_read_only_is_told(disk: Path) -> None:
    async with open_database(f"sqlite+aiosqlite:///{disk}/rows.sqlite", disk):
        pass
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)  # noqa: ASYNC221

    with pytest.raises(StorageReadOnly):
        async with open_database(f"sqlite+aiosqlite:///{disk}/rows.sqlite", disk):
            pass


async def test_a_foreign_lock_is_told_and_over_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.storage.sqlite_engine.BUSY_MS", 20)
    url = f"sqlite+aiosqlite:///{tmp_path}/rows.sqlite"
    async with open_database(url, tmp_path) as database:
        with closing(sqlite3.connect(tmp_path / "rows.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailable) as refused:
                await write(database, 1)
        await write(database, 1)

    assert refused.value.reason == "database_locked"
    assert "another program" in explain(refused.value)


def test_defects_of_ours_pass_as_they_are() -> None:
    error = OperationalError("SELECT", None, reported("SQLITE_ERROR"))
    with pytest.raises(OperationalError), named_troubles(HERE):
        raise error


def test_the_cause_is_found_in_groups_and_behind_what_people_are_told(tmp_path: Path) -> None:
    cause = StorageFull("/data")
    told = StorageUnavailable("storage_full")
    told.__cause__ = cause
    group = BaseExceptionGroup("", [KeyError(), BaseExceptionGroup("", [told])])

    assert storage_problem(group) is cause


def test_a_name_that_is_no_text_can_be_told() -> None:
    error = OSError(errno.ENOENT, "gone", b"/srv/\xff.sqlite")

    found = of_system(error)

    assert isinstance(found, StorageProblem)
    assert explain(found).encode()


def test_a_disk_with_room_that_takes_no_more_files_is_not_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = dict.fromkeys(("f_files", "f_bavail"), 1000) | {"f_favail": 0}
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**fields))
    path = tmp_path / "clips" / "a.mp4"

    found = of_system(OSError(errno.ENOSPC, "No space left on device", str(path)))

    assert type(found) is StorageFilesUsed
    assert all("df -i" in explain(found, language) for language in languages())


@pytest.mark.parametrize(
    "error", [RuntimeError("can't start new thread"), BlockingIOError(errno.EAGAIN, "again")]
)
def test_threads_and_processes_that_cannot_start_are_told(error: Exception) -> None:
    assert type(storage_problem(error)) is TooManyThreads


def test_links_in_a_circle_are_told_whatever_python_makes_of_them(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")

    with pytest.raises(LinksInCircle), named_troubles(HERE):
        (tmp_path / "a" / "rows.sqlite").resolve(strict=True)


def test_a_link_to_what_is_not_there_names_both_ends(tmp_path: Path) -> None:
    link = tmp_path / "data"
    link.symlink_to("/mnt/unplugged")

    with pytest.raises(StorageGone) as caught, named_troubles(HERE):
        link.mkdir(parents=True, exist_ok=True)

    assert caught.value.path == f"{link} → /mnt/unplugged"


def test_what_migrations_made_and_is_missing_is_damage(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(tmp_path / "rows.sqlite")) as rows,
        pytest.raises(DatabaseDamaged, match="no such table: job"),
        named_troubles(HERE),
    ):
        rows.execute("SELECT 1 FROM job")


def test_a_disk_without_locks_is_not_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    path = tmp_path / "rows.sqlite"
    assert type(storage_problem(reported("SQLITE_BUSY"), path)) is DatabaseLocked
    monkeypatch.setattr("os.lockf", refuse)
    assert type(storage_problem(reported("SQLITE_BUSY"), path)) is StorageUnsupported


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENODEV, StorageUnsupported), (errno.ENOMEM, MemoryShort)]
)
def test_a_share_without_shared_memory_is_no_dying_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[ClapperError]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "rows.sqlite"
    assert type(storage_problem(reported("SQLITE_IOERR_SHMMAP"), path)) is StorageFaulty
    monkeypatch.setattr("mmap.mmap", refuse)
    assert type(storage_problem(reported("SQLITE_IOERR_SHMMAP"), path)) is kind
