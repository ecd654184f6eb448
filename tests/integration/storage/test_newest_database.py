"""An older database beside newer clips, another one or none is told, and costs no clip."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.app.bootstrap import open_core
from core.cli.app import APP
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.settings import Settings
from core.storage.record import DatabaseStanding
from core.testing.doubles import QuickExecutor, t2v
from core.testing.jobs import submit_request

ANN = Requester("discord", "ann")


def clip(settings: Settings, letter: str) -> Path:
    path = settings.clips_folder / f"{letter * 32}.mp4"
    path.write_bytes(b"clip")
    os.utime(path, (0, 0))
    return path


def put_in(settings: Settings) -> Path:
    path = settings.media_folder / f"{'d' * 64}.png"
    path.write_bytes(b"input")
    os.utime(path, (0, 0))
    return path


def copy_of_database(settings: Settings, tmp_path: Path) -> Path:
    kept = tmp_path / "kept.sqlite"
    shutil.copy(settings.data_dir / "clapper.sqlite", kept)
    return kept


async def live(settings: Settings, jobs: int = 0) -> tuple[DatabaseStanding, list[str]]:
    told: list[str] = []
    async with open_core(settings, QuickExecutor(), announce=told.append) as core:
        for number in range(jobs):
            await submit_request(core, t2v(), ANN, ReplyTo("test"), f"{number}{os.urandom(4)!r}")
        standing = core.database.standing
        await core.housekeeping.prune()
    return standing, [line for line in told if "clips" in line]


def remove_database(settings: Settings) -> None:
    for path in settings.data_dir.glob("clapper.sqlite*"):
        path.unlink()


@pytest.mark.parametrize("how", ["older", "other", "missing"])
async def test_what_no_row_names_is_kept_until_the_operator_agrees(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    await live(settings)
    older = copy_of_database(settings, tmp_path)
    await live(settings, jobs=1)
    files = [clip(settings, "a"), put_in(settings)]
    remove_database(settings)
    if how == "older":
        shutil.copy(older, settings.data_dir / "clapper.sqlite")
    if how == "other":
        settings_of_other = settings.model_copy(update={"data_dir": tmp_path / "second"})
        await live(settings_of_other)
        shutil.copy(tmp_path / "second" / "clapper.sqlite", settings.data_dir / "clapper.sqlite")

    first, told = await live(settings, jobs=2)
    again, told_again = await live(settings, jobs=2)

    assert first == how
    assert again is not DatabaseStanding.NEWEST
    assert len(told) == len(told_again) == 1
    assert "accept-database" in told[0]
    assert all(path.exists() for path in files)

    monkeypatch.setenv("CLAPPER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("CLAPPER_EXECUTOR", "draft")
    accepted = await asyncio.to_thread(CliRunner().invoke, APP, ["accept-database"])
    assert accepted.exit_code == 0, accepted.output
    assert await live(settings) == (DatabaseStanding.NEWEST, [])
    assert not any(path.exists() for path in files)


async def test_the_newer_database_that_was_put_back_counts_again(
    settings: Settings, tmp_path: Path
) -> None:
    await live(settings)
    older = copy_of_database(settings, tmp_path)
    await live(settings, jobs=1)
    newer = settings.data_dir / "clapper.sqlite"
    newer.rename(tmp_path / "newer.sqlite")
    shutil.copy(older, newer)
    assert (await live(settings))[0] is DatabaseStanding.OLDER

    remove_database(settings)
    shutil.copy(tmp_path / "newer.sqlite", newer)

    assert await live(settings) == (DatabaseStanding.NEWEST, [])


async def test_clips_from_before_the_record_are_kept_beside_a_new_database(
    settings: Settings,
) -> None:
    await live(settings)
    kept = clip(settings, "b")
    (settings.data_dir / ".database").unlink()
    remove_database(settings)

    assert (await live(settings))[0] is DatabaseStanding.MISSING
    assert (await live(settings))[0] is not DatabaseStanding.NEWEST
    assert kept.exists()


async def test_a_database_from_before_the_record_is_the_newest(settings: Settings) -> None:
    await live(settings, jobs=1)
    (settings.data_dir / ".database").unlink()
    with closing(sqlite3.connect(settings.data_dir / "clapper.sqlite")) as connection:
        connection.execute("DELETE FROM setting WHERE name LIKE 'database_%'")
        connection.commit()
    clip(settings, "c")

    assert await live(settings) == (DatabaseStanding.NEWEST, [])


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"name": 1}', '{"name":"x","generation":"y"}']
)
async def test_a_record_that_cannot_be_read_keeps_the_clips(
    settings: Settings, content: str
) -> None:
    await live(settings)
    kept = clip(settings, "e")
    (settings.data_dir / ".database").write_text(content)

    standing, told = await live(settings)

    assert standing is DatabaseStanding.OTHER
    assert len(told) == 1
    assert kept.exists()


async def test_a_whole_data_directory_from_a_copy_is_the_newest(
    settings: Settings, settings_with: Callable[..., Settings], tmp_path: Path
) -> None:
    await live(settings, jobs=1)
    shutil.copytree(settings.data_dir, tmp_path / "copied")
    await live(settings, jobs=1)

    assert await live(settings_with(data_dir=tmp_path / "copied")) == (DatabaseStanding.NEWEST, [])
