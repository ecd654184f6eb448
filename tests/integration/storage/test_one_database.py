"""One database is used by one process, whatever data directories and paths lead to it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.errors.setup import BadConfiguration
from core.errors.storage import DatabaseInUse
from core.i18n.messages import explain
from core.settings import Settings, load_settings
from core.storage.database import Database, database_path, open_database
from core.storage.lock import lock_database
from core.testing.doubles import QuickExecutor

HOLD = """
import asyncio, sys
from pathlib import Path
from core.errors import ClapperError
from core.storage.database import open_database

async def main(url, folder):
    async with open_database(url, Path(folder)):
        print("held", flush=True)
        sys.stdin.read()

try:
    asyncio.run(main(*sys.argv[1:]))
except ClapperError as error:
    print(error.code, flush=True)
"""


def address(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def same(path: Path) -> Path:
    return path


def link(path: Path) -> Path:
    (path.parent / "links").mkdir()
    (path.parent / "links" / "rows.sqlite").symlink_to(path)
    return path.parent / "links" / "rows.sqlite"


def folder_link(path: Path) -> Path:
    (path.parent / "folder").symlink_to(path.parent)
    return path.parent / "folder" / path.name


def hard_link(path: Path) -> Path:
    (path.parent / "hard").mkdir()
    os.link(path, path.parent / "hard" / "other.sqlite")
    return path.parent / "hard" / "other.sqlite"


def detour(path: Path) -> Path:
    return path.parent / "rows" / ".." / path.name


def bind_mount(path: Path) -> Path:
    bound = path.parent / "bound"
    bound.touch()
    if subprocess.run(
        ["mount", "--bind", path, bound], capture_output=True, check=False
    ).returncode:
        pytest.skip("needs the right to mount")
    return bound


WAYS = [same, link, folder_link, hard_link, detour, bind_mount]


@pytest.mark.parametrize("way", WAYS)
async def test_two_data_directories_do_not_share_a_database(
    tmp_path: Path, way: Callable[[Path], Path]
) -> None:
    file = tmp_path / "rows.sqlite"
    (tmp_path / "rows").mkdir()
    async with open_database(address(file), tmp_path / "one"):
        other = way(file)
        try:
            with pytest.raises(DatabaseInUse) as refused:
                async with open_database(address(other), tmp_path / "two"):
                    pass
            held = subprocess.run(  # noqa: ASYNC221
                [sys.executable, "-c", HOLD, address(other), str(tmp_path / "three")],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
        finally:
            if way is bind_mount:
                subprocess.run(["umount", str(other)], check=True)  # noqa: ASYNC221

    assert held.stdout.split() == ["database_in_use"], held.stderr
    assert refused.value.path == str(other)
    assert "CLAPPER_DATABASE_URL" in explain(refused.value)
    async with open_database(address(file), tmp_path / "two"):
        pass


def test_a_refused_second_use_takes_no_lock_of_sqlite_away(tmp_path: Path) -> None:
    """Closing a file gives up all that its process has locked of it, so it is not opened."""
    file = tmp_path / "rows.sqlite"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, address(file), str(tmp_path / "one")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert "held\n" in iter(holder.stdout.readline, "")  # after lines of the log
    with pytest.raises(DatabaseInUse), lock_database(file):
        pass

    holder.communicate("")

    assert holder.returncode == 0
    with lock_database(file):
        pass


async def test_the_second_service_says_so(
    settings_with: Callable[..., Settings], tmp_path: Path
) -> None:
    url = address(tmp_path / "rows.sqlite")
    first = settings_with(database_url=url)
    second = settings_with(database_url=url, data_dir=tmp_path / "second")
    async with open_core(first, QuickExecutor()):
        with pytest.raises(DatabaseInUse):
            async with open_core(second, QuickExecutor()):
                pass


@pytest.mark.parametrize(
    "name", ["has?x", "sharp#y", "per%20cent", "zwei wörter", "ü🎬", "100%", "a&b=c"]
)
def test_a_relative_address_means_the_current_folder_whatever_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    monkeypatch.setenv("CLAPPER_DATABASE_URL", "sqlite+aiosqlite:///my%20rows.sqlite")

    assert database_path(load_settings().database) == tmp_path / name / "my rows.sqlite"


@pytest.mark.parametrize("options", ["?mode=ro", "?x", "?x/rows.sqlite", "?uri=true"])
def test_an_address_with_options_is_refused_with_the_way_to_write_the_name(options: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        Database(f"sqlite+aiosqlite:////srv/has{options}")

    assert "%3F" in explain(refused.value)
