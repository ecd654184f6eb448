"""A folder becomes a data directory by our mark alone, and only files of our making leave it."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

from core.app.bootstrap import open_core
from core.errors.setup import DataDirectoryLink
from core.settings import Settings
from core.storage.claim import MARK, MARK_NAME
from core.testing.doubles import QuickExecutor

Clapper = Callable[..., Result]
COMMANDS = [["jobs"], ["doctor"], ["invariants"], ["quota", "show"], ["stats"], ["estimate", "t2v"]]


def tree(folder: Path) -> dict[str, tuple[bytes | None, int]]:
    """Every path below ``folder`` with its bytes and rights."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes() if path.is_file() else None,
            path.lstat().st_mode,
        )
        for path in folder.rglob("*")
    }


def old(path: Path, content: bytes = b"theirs") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (0, 0))
    return path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "files",
    [
        ["work/thesis/chapter.txt"],
        ["clips/wedding.mp4", "media/song.flac", "fitted/x.pdf"],
        ["notes.txt"],
        ["clips/sub/film.mp4"],
        [".lock"],
        [".clapper", "notes.txt"],
        ["studio.key"],
        [f"clips/{'a' * 32}.mp4"],
    ],
)
def test_no_command_changes_anything_in_a_folder_of_somebody_else(
    clapper: Clapper, data_dir: Path, command: list[str], files: list[str]
) -> None:
    for name in files:
        old(data_dir / name)
    before, rights = tree(data_dir), data_dir.stat().st_mode

    result = clapper(*command)

    if command[0] not in {"stats", "estimate"}:  # these only read
        assert result.exit_code == 5
        assert "nothing was changed" in result.output
    assert tree(data_dir) == before
    assert data_dir.stat().st_mode == rights


def test_a_foreign_database_of_our_name_is_left_as_it_is(clapper: Clapper, data_dir: Path) -> None:
    data_dir.mkdir()
    with closing(sqlite3.connect(data_dir / "clapper.sqlite")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.commit()
    before = tree(data_dir)

    assert [clapper(*command).exit_code for command in COMMANDS[:4]] == [5] * 4
    clapper("stats")

    assert tree(data_dir) == before


def test_the_current_folder_is_no_data_directory_when_somebody_works_in_it(
    clapper: Clapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = old(tmp_path / "work" / "thesis.txt")
    monkeypatch.setenv("CLAPPER_DATA_DIR", ".")

    assert clapper("jobs").exit_code == 5
    assert theirs.exists()
    assert not (tmp_path / "clapper.sqlite").exists()


@pytest.mark.parametrize("there", [[], ["lost+found/"], ["clips/lost+found/", "media/"]])
def test_an_empty_folder_becomes_ours_and_stays_ours(
    clapper: Clapper, data_dir: Path, there: list[str]
) -> None:
    data_dir.mkdir(mode=0o755)
    for name in there:
        (data_dir / name).mkdir(parents=True)

    assert clapper("jobs").exit_code == 0
    (data_dir / "notes.txt").write_text("put there by the operator")
    assert clapper("jobs").exit_code == 0

    assert (data_dir / MARK_NAME).read_text().startswith(MARK)
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert (data_dir / "notes.txt").exists()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_data_directory_from_before_the_mark_is_known_marked_and_tightened(
    clapper: Clapper,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    small: list[object],
    elsewhere: bool,  # pytest passes it
) -> None:
    if elsewhere:
        address = f"sqlite+aiosqlite:///{tmp_path / 'rows.sqlite'}"
        monkeypatch.setenv("CLAPPER_DATABASE_URL", address)
    assert clapper("generate", "t2v", "-p", "x", *small, "-o", "x.mp4").exit_code == 0
    (data_dir / MARK_NAME).unlink()
    outside = tmp_path / "outside.txt"
    outside.write_text("of somebody")
    outside.chmod(0o644)
    for path in (data_dir, *data_dir.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    if not elsewhere:
        (data_dir / "clips" / "link.txt").symlink_to(outside)

    listed = clapper("jobs")

    assert listed.exit_code == 0, listed.output
    assert "no jobs yet" not in listed.stdout
    assert (data_dir / MARK_NAME).exists()
    loose = [path for path in (data_dir, *data_dir.rglob("*")) if not path.is_symlink()]
    assert [str(path) for path in loose if path.stat().st_mode & 0o077] == []
    assert outside.stat().st_mode & 0o777 == 0o644


async def test_pruning_and_starting_delete_only_names_of_our_making(settings: Settings) -> None:
    async with open_core(settings, QuickExecutor()):
        pass
    data = settings.data_dir
    ours = [
        old(data / "clips" / f"{'a' * 32}.mp4"),
        old(data / "clips" / f"{'b' * 32}-last.png"),
        old(data / "fitted" / f"{'c' * 32}-9000.mp4"),
        old(data / "media" / f"{'d' * 64}.flac"),
        old(data / "comfyui" / "input" / f"{'e' * 64}.mp4"),
        old(data / "comfyui" / "latents" / f"{'f' * 64}-{'0' * 16}.safetensors"),
        old(data / "clips" / f".part-{'0' * 32}.mp4"),
        old(data / "work" / f"{'a' * 32}.{'b' * 8}" / "frames.raw"),
    ]
    theirs = [
        old(data / folder / name)
        for folder in ("clips", "media", "fitted", "work", "comfyui/input", "comfyui/latents")
        for name in ("wedding.mp4", "notes", f"{'A' * 32}.mp4", f"{'a' * 31}.mp4", ".part-x.mp4",
                     f"{'a' * 32}.mp4.bak", f"{'a' * 64}.txt", "sub/thesis.txt")
    ]  # fmt: skip

    async with open_core(settings, QuickExecutor()) as core:
        await core.housekeeping.prune()

    assert [str(path) for path in ours if path.exists()] == []
    assert [str(path) for path in theirs if not path.exists()] == []


async def test_links_inside_the_data_directory_lead_no_deletion_out_of_it(
    settings: Settings, tmp_path: Path
) -> None:
    precious = old(tmp_path / "precious" / f"{'a' * 32}.mp4")
    deep = old(tmp_path / "deep" / "frames.raw")
    async with open_core(settings, QuickExecutor()) as core:
        (settings.work_folder / f"{'a' * 32}.{'b' * 8}").symlink_to(deep.parent)
        (settings.clips_folder / f"{'c' * 32}.mp4").symlink_to(precious)
        fitted = settings.data_dir / "fitted"
        fitted.symlink_to(precious.parent)
        await core.housekeeping.prune()
    fitted.unlink()
    async with open_core(settings, QuickExecutor()):
        assert list(settings.work_folder.iterdir()) == []
    settings.clips_folder.rename(tmp_path / "moved")
    settings.clips_folder.symlink_to(precious.parent)

    with pytest.raises(DataDirectoryLink):
        async with open_core(settings, QuickExecutor()):
            pass

    assert precious.exists()
    assert deep.exists()


@pytest.mark.parametrize("name", ["has?x", "per%20cent", "sharp#y", "zwei wörter"])
async def test_the_database_lies_in_the_data_directory_whatever_its_name(
    settings_with: Callable[..., Settings], tmp_path: Path, name: str
) -> None:
    async with open_core(settings_with(data_dir=tmp_path / name), QuickExecutor()):
        assert (tmp_path / name / "clapper.sqlite").exists()
    assert set(tree(tmp_path)) == {name, *(f"{name}/{path}" for path in tree(tmp_path / name))}
