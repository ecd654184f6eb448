"""A backup is whole and private, is made while the service runs, and can be put back."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from core.app.backup import BackupOfAnother, BackupPlaceTaken, BackupPlaceUnfit, make_backup
from core.app.backup_contents import BackupDamaged, check_backup
from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.restore import RestoreRefused, restore_backup
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.errors.setup import DatabaseDamaged, DataDirectoryBusy
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, t2v
from core.testing.jobs import submit_request

ANN = Requester("discord", "ann")


@asynccontextmanager
async def served(settings: Settings, jobs: int = 0) -> AsyncGenerator[Core]:
    """A service that has made ``jobs`` clips."""
    async with open_core(settings, QuickExecutor()) as core:
        delivery = RecordingDelivery()
        core.router.register(delivery)
        async with running(core):
            for number in range(jobs):
                await submit_request(core, t2v(), ANN, ReplyTo("test"), f"key{number}")
            await delivery.until(jobs)
            yield core


def clips(folder: Path) -> set[str]:
    return {path.name for path in (folder / "clips").glob("*.mp4")}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rows(database: Path, table: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


async def test_a_backup_of_a_running_service_holds_what_was_committed(
    settings: Settings, tmp_path: Path
) -> None:
    async with served(settings, jobs=2) as core:
        assert (settings.data_dir / "clapper.sqlite-wal").stat().st_size  # where the rows are now
        made = make_backup(settings, tmp_path / "kept")
        await submit_request(core, t2v(), ANN, ReplyTo("test"), "later")

    assert made.contents.jobs == rows(tmp_path / "kept" / "clapper.sqlite", "job") == 2
    assert made.absent == 0
    assert len(clips(tmp_path / "kept")) == 2
    assert check_backup(tmp_path / "kept").files == made.files


async def test_a_backup_is_as_private_as_the_data(settings: Settings, tmp_path: Path) -> None:
    async with served(settings, jobs=1):
        pass
    before = os.umask(0)
    make_backup(settings, tmp_path / "kept")
    os.umask(before)

    found = [tmp_path / "kept", *(tmp_path / "kept").rglob("*")]
    assert len(found) > 4
    assert [str(path) for path in found if path.stat().st_mode & 0o077] == []


async def test_clips_of_a_backup_outlive_their_deletion(settings: Settings, tmp_path: Path) -> None:
    async with served(settings, jobs=1):
        pass
    made = make_backup(settings, tmp_path / "kept")
    for path in settings.clips_folder.glob("*"):
        path.unlink()

    assert check_backup(tmp_path / "kept").files == made.files


@pytest.mark.parametrize("error", [18, 1])  # EXDEV, EPERM
async def test_a_backup_on_another_disk_holds_copies(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    async with served(settings, jobs=1):
        pass

    def refuse(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "link", refuse)
    make_backup(settings, tmp_path / "kept")

    [clip] = (tmp_path / "kept" / "clips").glob("*.mp4")
    assert clip.stat().st_nlink == 1
    assert clip.read_bytes() == (settings.clips_folder / clip.name).read_bytes()
    assert clip.stat().st_mode & 0o777 == 0o600


async def test_an_earlier_backup_is_replaced_whole(settings: Settings, tmp_path: Path) -> None:
    async with served(settings, jobs=1):
        pass
    make_backup(settings, tmp_path / "kept")
    async with served(settings) as core:
        [job] = await core.jobs.jobs_of(ANN, 10)
        await core.users.delete(_caller(), job.id)
        make_backup(settings, tmp_path / "kept")

    assert clips(tmp_path / "kept") == set()
    assert names_in(tmp_path) == ["data", "kept"]


def _caller():
    from tests.support.jobs import caller

    return caller(ANN)


async def test_a_backup_of_another_database_is_not_replaced(
    settings_with: Callable[..., Settings], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        async with served(settings_with(data_dir=tmp_path / name), jobs=1):
            pass
    make_backup(settings_with(data_dir=tmp_path / "one"), tmp_path / "kept")

    with pytest.raises(BackupOfAnother):
        make_backup(settings_with(data_dir=tmp_path / "two"), tmp_path / "kept")

    restored = settings_with(data_dir=tmp_path / "three")
    restore_backup(restored, tmp_path / "kept", force=False)
    assert make_backup(restored, tmp_path / "kept").contents.jobs == 1


@pytest.mark.parametrize("damage", ["nothing", "database", "missing clip"])
async def test_a_backup_that_fails_leaves_the_earlier_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    async with served(settings, jobs=1):
        pass
    before = make_backup(settings, tmp_path / "kept")
    if damage == "database":
        whole = bytearray((settings.data_dir / "clapper.sqlite").read_bytes())
        for page in range(4, len(whole) // 4096):
            whole[page * 4096 : page * 4096 + 400] = b"\xff" * 400
        (settings.data_dir / "clapper.sqlite").write_bytes(bytes(whole))
    elif damage == "missing clip":
        monkeypatch.setattr("core.app.backup.link_or_copy", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))  # fmt: skip  # noqa: E501

    if damage == "nothing":
        make_backup(settings, tmp_path / "kept")
    else:
        with pytest.raises(Exception):  # noqa: B017, PT011
            make_backup(settings, tmp_path / "kept")

    assert check_backup(tmp_path / "kept").files.keys() == before.files.keys()
    assert names_in(tmp_path) == ["data", "kept"]


async def test_a_backup_that_was_killed_leaves_nothing_to_the_next(
    settings: Settings, tmp_path: Path
) -> None:
    async with served(settings, jobs=1):
        pass
    make_backup(settings, tmp_path / "kept")
    shutil.copytree(tmp_path / "kept", tmp_path / f".part-{'a' * 32}-kept")
    (tmp_path / f".part-{'a' * 32}-kept" / "backup.json").unlink()
    (tmp_path / "kept").rename(tmp_path / f".part-{'b' * 32}-kept")  # killed while it was replaced

    make_backup(settings, tmp_path / "kept")

    assert names_in(tmp_path) == ["data", "kept"]


CUT_OFF = """
import os, sqlite3, sys
change = sqlite3.connect(sys.argv[1], isolation_level=None)
change.execute("PRAGMA journal_mode=DELETE")
change.execute("PRAGMA cache_size=5")
change.execute("BEGIN IMMEDIATE")
change.execute(sys.argv[2])
change.execute("CREATE TABLE large (bytes)")
for _ in range(300):
    change.execute("INSERT INTO large VALUES (?)", (os.urandom(3000),))
os._exit(9)
"""


@pytest.mark.parametrize("change", ["DROP TABLE migration", "DELETE FROM job", "SELECT 1"])
async def test_a_change_that_a_process_died_in_is_undone_before_a_backup(
    settings: Settings, tmp_path: Path, change: str
) -> None:
    async with served(settings, jobs=2):
        pass
    database = settings.data_dir / "clapper.sqlite"
    dies = [sys.executable, "-c", CUT_OFF, database, change]
    await asyncio.to_thread(subprocess.run, dies, check=False)
    assert database.with_name("clapper.sqlite-journal").stat().st_size

    made = make_backup(settings, tmp_path / "kept")

    assert made.contents.jobs == 2


@pytest.mark.parametrize("where", ["data", "data/backup", ".", "file", "full"])
async def test_a_backup_goes_over_nothing_that_is_not_one(
    settings: Settings, tmp_path: Path, where: str
) -> None:
    async with open_core(settings, QuickExecutor()):
        pass
    (tmp_path / "file").write_text("theirs")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("theirs")

    with pytest.raises((BackupPlaceTaken, BackupPlaceUnfit)):
        make_backup(settings, tmp_path / where)

    assert (tmp_path / "file").read_text() == (tmp_path / "full" / "notes.txt").read_text()


async def test_a_restored_backup_goes_on_and_what_was_there_is_kept(
    settings: Settings, tmp_path: Path
) -> None:
    async with served(settings, jobs=2):
        make_backup(settings, tmp_path / "kept")
    async with served(settings) as core:
        newer = await submit_request(core, t2v(), ANN, ReplyTo("test"), "newer")
        (settings.clips_folder / "notes.txt").write_text("theirs")
    had = clips(settings.data_dir)

    with pytest.raises(RestoreRefused):
        restore_backup(settings, tmp_path / "kept", force=False)
    assert clips(settings.data_dir) == had
    _, aside = restore_backup(settings, tmp_path / "kept", force=True)

    assert aside is not None
    assert clips(aside) == had
    assert (aside / "clips" / "notes.txt").exists()
    assert rows(aside / "clapper.sqlite", "job") == 3
    told: list[str] = []
    async with open_core(settings, QuickExecutor(), announce=told.append) as core:
        jobs = await core.jobs.jobs_of(ANN, 10)
        assert {job.id for job in jobs} != {newer.job_id}
        assert len(jobs) == 2
        assert all(job.clip is not None and job.clip.path.is_file() for job in jobs)
        assert core.database.newest
    assert told == []
    assert check_backup(tmp_path / "kept").contents.jobs == 2


async def test_what_a_restored_database_owes_is_looked_up_before_it_is_sent_again(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_core(settings, QuickExecutor()) as core, running(core):
        job = await submit_request(core, t2v(), ANN, ReplyTo("test"), "owed")
        from tests.support.jobs import until_ended

        await until_ended(core, job.job_id)  # no delivery of its platform takes it
        make_backup(settings, tmp_path / "kept")
    shutil.rmtree(settings.data_dir)

    restore_backup(settings, tmp_path / "kept", force=False)

    async with open_core(settings, QuickExecutor()) as core:
        [due] = await core.outbox.due()
        assert due.attempt.ambiguous


async def test_nothing_is_restored_beside_a_running_service(
    settings: Settings, tmp_path: Path
) -> None:
    async with served(settings, jobs=1):
        make_backup(settings, tmp_path / "kept")
        with pytest.raises(DataDirectoryBusy):
            restore_backup(settings, tmp_path / "kept", force=True)


@pytest.mark.parametrize(
    "damage",
    ["no folder", "foreign", "clip", "list", "database", "swapped", "byte", "linked clip"],
)
async def test_a_backup_that_is_not_whole_is_not_restored(
    settings: Settings, tmp_path: Path, damage: str
) -> None:
    async with served(settings, jobs=1):
        pass
    kept = tmp_path / "kept"
    make_backup(settings, kept)
    if damage == "no folder":
        shutil.rmtree(kept)
    elif damage == "foreign":
        (kept / ".clapper").unlink()
    elif damage == "clip":
        next((kept / "clips").glob("*.mp4")).unlink()
    elif damage == "list":
        (kept / "backup.json").write_text("[]")
    elif damage in {"byte", "linked clip"}:
        clip = next((kept / "clips").glob("*.mp4"))
        whole = clip.read_bytes()
        clip.unlink()  # another name of the live one
        if damage == "byte":
            clip.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        else:
            (tmp_path / "elsewhere.mp4").write_bytes(whole)
            clip.symlink_to(tmp_path / "elsewhere.mp4")
    elif damage == "swapped":
        with closing(sqlite3.connect(kept / "clapper.sqlite")) as connection:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("DELETE FROM job")
            connection.commit()
    else:
        size = (kept / "clapper.sqlite").stat().st_size
        (kept / "clapper.sqlite").write_bytes(b"x" * size)
    had = clips(settings.data_dir)

    with pytest.raises((BackupDamaged, DatabaseDamaged)):
        restore_backup(settings, kept, force=True)

    assert clips(settings.data_dir) == had
    assert rows(settings.data_dir / "clapper.sqlite", "job") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"files": []},
        {"files": {"clapper.sqlite": "12"}},
        {"files": {"clips/../../secret.txt": 5}},
        {"files": {"../secret.txt": 5}},
        {"files": {"clips/secret.txt": 5}},
        {"files": {"/etc/passwd": 5}},
        {"made_at_ms": "yesterday"},
        {"contents": None},
        {"absent": 1e400},
    ],
    ids=range(9),
)
async def test_a_list_that_no_backup_has_is_refused(
    settings: Settings, tmp_path: Path, change: dict[str, object]
) -> None:
    async with open_core(settings, QuickExecutor()):
        pass
    kept = tmp_path / "kept"
    make_backup(settings, kept)
    listed = json.loads((kept / "backup.json").read_text())
    if isinstance(change.get("files"), dict):
        change = {"files": {**listed["files"], **change["files"]}}
    (kept / "backup.json").write_text(json.dumps({**listed, **change}))
    for place in (tmp_path / "secret.txt", kept / "clips" / "secret.txt"):
        place.write_text("their")

    with pytest.raises(BackupDamaged):
        restore_backup(settings, kept, force=True)


async def test_a_database_elsewhere_is_backed_up_and_restored_there(
    settings_with: Callable[..., Settings], tmp_path: Path
) -> None:
    address = f"sqlite+aiosqlite:///{tmp_path}/else where/rows.sqlite"
    settings = settings_with(database_url=address)
    (tmp_path / "else where").mkdir()
    async with served(settings, jobs=1):
        pass
    make_backup(settings, tmp_path / "kept")
    (tmp_path / "else where" / "rows.sqlite").unlink()

    _, aside = restore_backup(settings, tmp_path / "kept", force=True)

    assert aside is not None
    assert rows(tmp_path / "else where" / "rows.sqlite", "job") == 1
    assert [path.name for path in (tmp_path / "else where").iterdir() if "part" in path.name] == []


def test_the_commands_say_what_they_did(
    clapper: Callable[..., Result], data_dir: Path, tmp_path: Path, small: list[object]
) -> None:
    assert clapper("backup", "kept").exit_code == 5
    assert clapper("generate", "t2v", "-p", "x", *small, "-o", "x.mp4").exit_code == 0

    made, again = clapper("backup", "kept"), clapper("restore", "kept")
    forced = clapper("restore", "kept", "--force")

    assert (made.exit_code, again.exit_code, forced.exit_code) == (0, 5, 0), forced.output
    assert "1 job," in made.stdout
    assert "--force" in again.output
    assert "before-restore-" in forced.stdout
    assert "before-restore-" in clapper("doctor").stdout
    assert clapper("jobs").exit_code == clapper("invariants").exit_code == 0


class Killed(BaseException):
    """What a process that is killed does: nothing any more, its clearing up neither."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, number: int) -> Generator[None]:
    """Let everything that changes names fail from the one of this ``number`` on."""
    done = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def change(*given: Any, **more: Any) -> Any:
            nonlocal done
            done += 1
            if done >= number:
                raise Killed
            return call(*given, **more)

        return change

    with monkeypatch.context() as patch:
        for name in ("rename", "replace", "link", "mkdir", "unlink", "remove", "rmdir"):
            patch.setattr(os, name, counted(getattr(os, name)))
        yield


def everywhere(data_dir: Path) -> set[str]:
    """Return the clips of the data directory, and of what a restore put aside in it."""
    folders = [data_dir, *data_dir.glob("before-restore-*")]
    return set().union(*(clips(folder) for folder in folders))


@pytest.mark.parametrize("what", ["backup", "restore"])
async def test_one_that_is_killed_loses_nothing_and_leaves_nothing_to_the_next(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    async with served(settings, jobs=2):
        pass
    place, data_dir = tmp_path / "kept", settings.data_dir
    make_backup(settings, place)
    kept, newer = clips(data_dir), settings.clips_folder / f"{'f' * 32}.mp4"

    def run() -> None:
        if what == "backup":
            make_backup(settings, place)
        else:
            restore_backup(settings, place, force=True)

    for number in range(1, 500, 2):
        newer.write_bytes(b"made since")
        died = False
        try:
            with killed_at(monkeypatch, number):
                run()
        except Killed:
            died = True
        assert {*kept, newer.name} <= everywhere(data_dir), number
        run()
        assert kept <= clips(data_dir), number
        assert rows(data_dir / "clapper.sqlite", "job") == 2
        assert kept <= clips(place)
        assert check_backup(place).contents.jobs == 2
        unfinished = [one for one in (*names_in(data_dir), *names_in(tmp_path)) if "part-" in one]
        assert unfinished == [], number
        for aside in data_dir.glob("before-restore-*"):
            shutil.rmtree(aside)
        if not died:
            assert number > 20
            return
    pytest.fail("it never ended")


async def test_a_start_removes_what_a_killed_restore_brought_and_nothing_else(
    settings: Settings,
) -> None:
    async with served(settings):
        pass
    data_dir, one = settings.data_dir, "0" * 32
    (data_dir / f".part-{one}-restore" / "clips").mkdir(parents=True)
    (data_dir / f".part-{one}-clapper.sqlite").write_bytes(b"words")
    for name in (f".part-{one}-mine", ".part-restore", f"part-{one}-clapper.sqlite"):
        (data_dir / name).write_bytes(b"mine")

    async with served(settings):
        left = [name for name in names_in(data_dir) if "part-" in name]

    assert left == [f".part-{one}-mine", ".part-restore", f"part-{one}-clapper.sqlite"]
