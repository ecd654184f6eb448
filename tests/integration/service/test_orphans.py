"""What a killed process left in the data directory goes at the next start, and nothing else."""

import os
import shutil
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.runtime.clock import now_ms
from core.settings import Settings
from core.storage.record import DatabaseStanding
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, t2v
from core.testing.jobs import submit_request
from tests.support.jobs import clip_in

ANN = Requester("test", "ann")
MADE = [f"{'a' * 32}.mp4", f"{'a' * 32}.png", f"{'b' * 32}-last.png", f"{'c' * 32}-100000.mp4"]
THEIRS = ["wedding.mp4", f"{'a' * 31}.mp4", f"{'A' * 32}.mp4", f"{'a' * 32}.mp4.bak", "notes"]


def leave(folder: Path, names: list[str], age_s: float = 60.0) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    moment = now_ms() / 1000 - age_s
    for name in names:
        (folder / name).write_bytes(b"bytes")
        os.utime(folder / name, (moment, moment))
    return [folder / name for name in names]


async def make_clip(settings: Settings) -> Path:
    delivery = RecordingDelivery()
    async with open_core(settings, QuickExecutor()) as core:
        core.router.register(delivery)
        async with running(core):
            ticket = await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")
            await delivery.until(1)
        return (await clip_in(core, ticket.job_id)).path


@pytest.mark.parametrize("folder", ["clips", "fitted"])
async def test_clips_that_no_row_names_go_at_a_start(settings: Settings, folder: str) -> None:
    kept = await make_clip(settings)
    own = leave(settings.data_dir / folder, [f"{kept.stem}-last.png", f"{kept.stem}-9000.mp4"])
    orphans = leave(settings.data_dir / folder, MADE)
    theirs = leave(settings.data_dir / folder, THEIRS)

    async with open_core(settings, QuickExecutor()):
        pass

    assert [path for path in orphans if path.exists()] == []
    assert [path for path in (kept, *own, *theirs) if not path.exists()] == []


@pytest.mark.sqlite
async def test_clips_that_are_younger_than_the_database_stay(settings: Settings) -> None:
    """A backup of the database was put back: what it does not know was made later."""
    await make_clip(settings)
    backup = settings.data_dir.with_name("backup.sqlite")
    shutil.copy(settings.data_dir / "clapper.sqlite", backup)
    later = leave(settings.clips_folder, MADE, -3600)

    shutil.copy(backup, settings.data_dir / "clapper.sqlite")
    async with open_core(settings, QuickExecutor()):
        pass

    assert [path for path in later if not path.exists()] == []


@pytest.mark.sqlite
async def test_clips_beside_a_database_that_is_new_stay(settings: Settings) -> None:
    kept = await make_clip(settings)
    for path in settings.data_dir.glob("clapper.sqlite*"):
        path.unlink()

    async with open_core(settings, QuickExecutor()) as core:
        assert await core.housekeeping.remove_orphans() == 0

    assert kept.exists()


@pytest.mark.sqlite
async def test_an_older_database_decides_about_no_file(settings: Settings) -> None:
    await make_clip(settings)
    async with open_core(settings, QuickExecutor()) as core:
        orphans = leave(settings.clips_folder, MADE, 3600)
        core.database.standing = DatabaseStanding.OLDER
        assert await core.housekeeping.remove_orphans() == 0
        assert [path for path in orphans if not path.exists()] == []


async def test_a_clip_that_is_about_to_be_named_is_not_pruned(settings: Settings) -> None:
    async with open_core(settings, QuickExecutor()) as core:
        fresh = leave(settings.clips_folder, MADE, 0)
        await core.housekeeping.prune()
        assert [path for path in fresh if not path.exists()] == []
