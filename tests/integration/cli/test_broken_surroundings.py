"""Every command, in every broken surrounding: a sentence and a status, never a traceback.

The commands are found in the program itself, so a new one is among them.
"""

import asyncio
import enum
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from core.cli.app import APP
from core.settings import load_settings
from core.storage.claim import put_mark
from core.storage.database import open_database

DEFECT = 70
SIGNALLED = range(128, 256)
DATABASE = "clapper.sqlite"


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if path and (not hasattr(group, "commands") or group.invoke_without_command):
        yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(APP)))
SHORTENED = {  # what would fetch from the network
    ("comfy", "install"): ["--no-packages"],
    ("comfy", "update"): ["--no-packages"],
    ("generate",): ["--seconds", "1", "--width", "256", "--height", "256", "--prompt", "x"],
}


def value_for(parameter: Any, folder: Path) -> str:
    kind = parameter.type_descriptor.annotation
    if issubclass(kind, enum.Enum):
        return str(next(iter(kind)).value)
    if issubclass(kind, int | float):
        return "1"
    return str(folder / f"{parameter.name}.x") if issubclass(kind, Path) else "discord:1"


def arguments_of(command: tuple[str, ...], folder: Path, data_dir: str) -> list[str]:
    found = [*command, *SHORTENED.get(command, [])]
    if command == ("demo",):  # it has a data directory of its own
        found += ["--out", f"{data_dir}/demo"]
    for parameter in COMMANDS[command].params:
        if parameter.required:
            value = value_for(parameter, folder)
            options = [] if parameter.param_type_name == "argument" else [parameter.opts[0]]
            found += [*options, value]
    return found


def used(folder: Path) -> Path:
    """A data directory that was used before, with its database."""
    folder.mkdir(parents=True)
    put_mark(folder)

    async def make() -> None:
        url = load_settings(data_dir=folder).database
        async with open_database(url, folder) as database, database.transaction():
            pass

    asyncio.run(make())
    return folder


Broken = Generator[Path | str]


def database_is_a_folder(tmp: Path) -> Broken:
    (used(tmp / "data") / DATABASE).unlink()
    (tmp / "data" / DATABASE).mkdir()
    yield tmp / "data"


def header_damaged(tmp: Path) -> Broken:
    file = used(tmp / "data") / DATABASE
    file.write_bytes(b"no database at all" * 200)
    yield tmp / "data"


def table_dropped(tmp: Path) -> Broken:
    with closing(sqlite3.connect(used(tmp / "data") / DATABASE)) as connection:
        connection.execute("DROP TABLE setting")
    yield tmp / "data"


def pipe_for(tmp: Path, name: str) -> Broken:
    path = used(tmp / "data") / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    yield tmp / "data"


def mark_is_a_pipe(tmp: Path) -> Broken:
    yield from pipe_for(tmp, ".clapper")


def record_is_a_pipe(tmp: Path) -> Broken:
    yield from pipe_for(tmp, ".database")


def database_is_a_device(tmp: Path) -> Broken:
    file = used(tmp / "data") / DATABASE
    file.unlink()
    file.symlink_to("/dev/full")
    yield tmp / "data"


def database_is_a_link_to_a_disk_that_is_not_there(tmp: Path) -> Broken:
    file = used(tmp / "data") / DATABASE
    file.unlink()
    file.symlink_to(tmp / "not mounted" / DATABASE)
    yield tmp / "data"
    assert not (tmp / "not mounted").exists()


def record_of_a_number_without_end(tmp: Path) -> Broken:
    (used(tmp / "data") / ".database").write_text('{"name": "a", "generation": 1e999}')
    yield tmp / "data"


def page_damaged(tmp: Path) -> Broken:
    file = used(tmp / "data") / DATABASE
    whole = bytearray(file.read_bytes())
    whole[8 * 4096 : 12 * 4096] = b"\xff" * (4 * 4096)
    file.write_bytes(whole)
    yield tmp / "data"


def newer_schema(tmp: Path) -> Broken:
    with closing(sqlite3.connect(used(tmp / "data") / DATABASE)) as connection:
        connection.execute("INSERT INTO migration VALUES (9999, '9999_x.sql', 'x', 0)")
        connection.commit()
    yield tmp / "data"


def foreign_write_lock(tmp: Path) -> Broken:
    with closing(sqlite3.connect(used(tmp / "data") / DATABASE)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        yield tmp / "data"


def data_dir_is_a_file(tmp: Path) -> Broken:
    (tmp / "data").write_text("x")
    yield tmp / "data"


def data_dir_is_below_a_file(tmp: Path) -> Broken:
    (tmp / "file").write_text("x")
    yield tmp / "file" / "data"


def name_too_long(tmp: Path) -> Broken:
    yield tmp / ("x" * 600)


def path_too_long(tmp: Path) -> Broken:
    yield Path(tmp, *["y" * 200] * 25)


def links_in_a_circle(tmp: Path) -> Broken:
    (tmp / "data").symlink_to(tmp / "other")
    (tmp / "other").symlink_to(tmp / "data")
    yield tmp / "data"


def lock_is_a_folder(tmp: Path) -> Broken:
    lock = used(tmp / "data") / ".lock"
    lock.unlink()
    lock.mkdir()
    yield tmp / "data"


def database_lock_is_a_folder(tmp: Path) -> Broken:
    lock = used(tmp / "data") / f"{DATABASE}.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    yield tmp / "data"


def mark_is_a_folder(tmp: Path) -> Broken:
    (tmp / "data" / ".clapper").mkdir(parents=True)
    yield tmp / "data"


def a_file_for_every_folder(tmp: Path) -> Broken:
    folder = used(tmp / "data")
    for name in ("work", "media", "clips", "fitted", "studio", "models", "comfyui"):
        (folder / name).write_text("x")
    yield folder


def journal_is_a_folder(tmp: Path) -> Broken:
    (used(tmp / "data") / f"{DATABASE}-journal").mkdir()
    (tmp / "data" / f"{DATABASE}-wal").mkdir()
    yield tmp / "data"


def immutable_database(tmp: Path) -> Broken:
    file = used(tmp / "data") / DATABASE
    if not shutil.which("chattr") or subprocess.run(["chattr", "+i", file], check=False).returncode:
        pytest.skip("needs chattr and the right to use it")
    yield tmp / "data"
    subprocess.run(["chattr", "-i", file], check=True)


def nothing_may_be_written(tmp: Path) -> Broken:
    folder = used(tmp / "data")
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folder.chmod(0o500)
    yield folder
    folder.chmod(0o700)


def mounted(tmp: Path, options: str, *, fill: bool = False) -> Broken:
    folder = tmp / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        data = used(folder / "data")
        if fill:
            subprocess.run(
                ["dd", "if=/dev/zero", f"of={folder}/rest"], check=False, capture_output=True
            )
        if options:
            subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
        yield data
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def full_disk(tmp: Path) -> Broken:
    yield from mounted(tmp, "", fill=True)


def read_only_disk(tmp: Path) -> Broken:
    yield from mounted(tmp, "ro")


def limited(tmp: Path, limit: int, *, fresh: bool) -> Broken:
    folder = tmp / "data" if fresh else used(tmp / "data")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files_may_not_grow(tmp: Path) -> Broken:
    yield from limited(tmp, 4096, fresh=False)


def files_may_not_grow_at_the_first_start(tmp: Path) -> Broken:
    yield from limited(tmp, 65_536, fresh=True)


def files_may_hold_nothing(tmp: Path) -> Broken:
    yield from limited(tmp, 0, fresh=True)


def current_folder_is_gone(tmp: Path) -> Broken:
    here, gone = Path.cwd(), tmp / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    yield "data"
    os.chdir(here)


def address_with_options(tmp: Path) -> Broken:
    os.environ["CLAPPER_DATABASE_URL"] = f"sqlite+aiosqlite:///{tmp}/has?x/rows.sqlite"
    yield tmp / "data"
    del os.environ["CLAPPER_DATABASE_URL"]


def database_of_another_program(tmp: Path) -> Broken:
    (tmp / "theirs").mkdir()
    file = tmp / "theirs" / "recipes.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")
    before = file.read_bytes()
    os.environ["CLAPPER_DATABASE_URL"] = f"sqlite+aiosqlite:///{file}"
    yield tmp / "data"
    del os.environ["CLAPPER_DATABASE_URL"]
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def folder_of_somebody_else(tmp: Path) -> Broken:
    (tmp / "data").mkdir()
    (tmp / "data" / "thesis.txt").write_text("x")
    yield tmp / "data"


BROKEN = [kind for name, kind in list(globals().items()) if getattr(kind, "__annotations__", {}).get("return") is Broken and name not in {"mounted", "limited", "pipe_for"}]  # fmt: skip  # noqa: E501
# where nothing can be made, also not the folder of `clapper demo`
NO_PLACE = {
    data_dir_is_a_file, data_dir_is_below_a_file, name_too_long, path_too_long, links_in_a_circle,
    full_disk, read_only_disk,
}  # fmt: skip
ODD_NAMES = ["has?x", "sharp#y", "per%20cent", "zwei wörter", "🎬", "it's \"so\"", "a&b=c;d", "x:y@z", "[red]", "-v"]  # fmt: skip  # noqa: E501


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on a data directory; no front is configured, nothing reaches the network."""
    values = {
        "EXECUTOR": "draft", "MIN_FREE_MEGABYTES": "0", "STUDIO": "false",
        "COMFYUI_DIR": str(tmp_path / "comfyui"), "WORKFLOWS_DIR": str(tmp_path / "workflows"),
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"CLAPPER_{name}", value)
    for name in ("https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("core.storage.sqlite_engine.BUSY_MS", 50)
    monkeypatch.setattr("core.storage.migrations.BUSY_S", 0.05)

    def invoke(command: tuple[str, ...], data_dir: Path | str) -> Result:
        monkeypatch.setenv("CLAPPER_DATA_DIR", str(data_dir))
        return CliRunner().invoke(APP, arguments_of(command, tmp_path / "given", str(data_dir)))

    return invoke


def explained(result: Result) -> None:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output, result.output
    assert result.exit_code not in {DEFECT, *SIGNALLED}, result.output
    assert result.exit_code == 0 or result.output.strip()


@pytest.mark.parametrize("broken", BROKEN, ids=lambda kind: kind.__name__)
def test_no_command_ends_in_a_traceback(
    broken: Callable[[Path], Broken], run: Callable[..., Result], tmp_path: Path
) -> None:
    surroundings = broken(tmp_path)
    data_dir = next(surroundings)
    try:
        chosen = [one for one in COMMANDS if one != ("demo",) or broken in NO_PLACE]
        results = {command: run(command, data_dir) for command in chosen}
    finally:
        assert next(surroundings, None) is None

    for result in results.values():
        explained(result)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_means_itself_wherever_it_becomes_an_address(
    name: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "beside").mkdir()
    data_dir = tmp_path / "beside" / name
    quick = [command for command in COMMANDS if command[0] in {"jobs", "quota", "invariants"}]
    quick += [("stats",), ("estimate",), ("serve",)]

    for command in quick:
        explained(run(command, data_dir))

    assert (data_dir / DATABASE).is_file()
    assert [path.name for path in (tmp_path / "beside").iterdir()] == [name]
