"""Whoever is forgotten leaves nothing that they wrote, in any byte of the data directory."""

import os
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PIL import Image

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import ReplyTo, Ticket
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.people import Requester
from core.domain.requests import Request, latents_name
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, tiny
from core.testing.jobs import submit_request
from tests.support.jobs import caller

Submit = Callable[..., Awaitable[Ticket]]
WORDS = "a narwhal reads the evening paper"


def found(data: Path) -> list[str]:
    """Return the files that hold the words, as text, in JSON or as UTF-16."""
    marks = [WORDS.encode(), WORDS.encode("utf-16-le")]
    return [
        str(path.relative_to(data))
        for path in data.rglob("*")
        if path.is_file() and any(mark in path.read_bytes() for mark in marks)
    ]


def picture(path: Path) -> Path:
    image = Image.new("RGB", (64, 64), (10, 90, 200))
    exif = Image.Exif()
    exif[0x010E] = WORDS  # ImageDescription
    image.save(path, "JPEG", exif=exif)
    return path


async def fill(core: Core, ann: Requester, tmp_path: Path) -> None:
    """Leave the words everywhere that a person's words get to."""
    source = picture(tmp_path / "a.jpg")
    file = await core.admission.admit(source, "image", MediaKind.IMAGE, ann)
    for number in range(12):
        mode, files = (Mode.I2V, (file,)) if number % 2 else (Mode.T2V, ())
        request = Request(mode=mode, prompt=f"{WORDS} {number}", sampling=tiny(), files=files)
        await submit_request(core, request, ann, ReplyTo("test", {"to": WORDS}), f"key {number}")
        latents = core.settings.latents_folder / f"{latents_name(request)}-{'0' * 16}.safetensors"
        latents.parent.mkdir(parents=True, exist_ok=True)
        latents.write_bytes(WORDS.encode())
    uploads = core.settings.uploads_folder / ("0" * 32)
    uploads.mkdir(parents=True)
    sent = uploads / "picture.jpg"
    sent.write_bytes(source.read_bytes())
    assert await core.users.files.keep_upload(caller(ann), sent)
    staged = core.settings.comfy_folder / "input" / file.name
    staged.parent.mkdir(parents=True, exist_ok=True)
    staged.write_bytes(WORDS.encode())
    for name in ("output", "temp/sub"):
        folder = core.settings.comfy_folder / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "preview_00001_.png").write_bytes(WORDS.encode())
        os.utime(folder / "preview_00001_.png", (0, 0))
    await core.community.state.remember("test-draft", f"77:{ann.user_id}", {"prompt": WORDS})
    for place in ann.private_places:
        styles = core.community.styles.of_place(ann, place, core.users.limits)
        await styles.save("paper", {"before": WORDS})
        await styles.set_defaults("", {"style": "paper"})
    async with core.database.transaction() as connection:
        from core.storage.accounts import add_notice

        await add_notice(connection, ann.key, "linked", {"name": WORDS}, 0)


@pytest.fixture
def settings(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(max_queued=50)


@pytest.mark.sqlite
async def test_no_byte_of_a_forgotten_person_is_left_while_the_service_runs(
    core: Core, delivery: RecordingDelivery, ann: Requester, tmp_path: Path
) -> None:
    core.router.register(delivery)
    data = core.settings.data_dir
    async with running(core):
        await fill(core, ann, tmp_path)
        await delivery.until(12)
        assert len(found(data)) > 5

        assert await core.users.forget(caller(ann)) == 12

        assert found(data) == []


@pytest.mark.sqlite
async def test_a_copy_from_before_a_migration_goes_with_who_is_forgotten(
    core: Core, ann: Requester, tmp_path: Path
) -> None:
    await fill(core, ann, tmp_path)
    data = core.settings.data_dir
    copy, theirs = data / "clapper.sqlite.before-0007", data / "clapper.sqlite.before-lunch"
    for path in (copy, theirs):
        path.write_bytes(b"some words")

    await core.users.forget(caller(ann))

    assert (copy.exists(), theirs.exists()) == (False, True)


@pytest.mark.sqlite
async def test_a_reader_only_delays_what_has_to_go(
    core: Core, ann: Requester, tmp_path: Path
) -> None:
    await fill(core, ann, tmp_path)
    data = core.settings.data_dir
    reader = sqlite3.connect(data / "clapper.sqlite")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM job").fetchone()

    await core.users.forget(caller(ann))
    assert found(data) != []
    reader.close()
    await core.housekeeping.clear_traces()

    assert found(data) == []


@pytest.mark.sqlite
async def test_a_deleted_clip_leaves_no_words_after_the_next_round(
    core: Core, delivery: RecordingDelivery, submit: Submit, ann: Requester
) -> None:
    core.router.register(delivery)
    request = Request(mode=Mode.T2V, prompt=WORDS, sampling=tiny())
    async with running(core):
        ticket = await submit("one", request=request)
        await delivery.until(1)
        await core.users.delete(caller(ann), ticket.job_id)
        await core.housekeeping.clear_traces()
        assert found(core.settings.data_dir) == []


async def test_what_others_wrote_stays(
    core: Core, submit: Submit, ann: Requester, ben: Requester, tmp_path: Path
) -> None:
    await fill(core, ann, tmp_path)
    theirs = await submit("theirs", requester=ben)
    of_all = core.community.styles.of_place(ann, "test:garden", core.users.limits)
    await of_all.save("rain", {"before": "heavy rain"})
    await core.community.state.remember("test-draft", f"77:1{ann.user_id}", {"prompt": "mine"})
    await core.community.state.remember("other-draft", f"77:{ann.user_id}", {"prompt": "mine"})

    await core.users.forget(caller(ann))

    assert (await core.jobs.get(theirs.job_id)).requester == ben
    assert [one.name for one in (await of_all.read()).styles] == ["rain"]
    assert {one.target for one in await core.community.audit.entries(9)} == {"test:garden"}
    assert await core.community.state.recall("test-draft", f"77:1{ann.user_id}") is not None
    assert await core.community.state.recall("other-draft", f"77:{ann.user_id}") is not None


async def test_a_scratch_file_that_may_be_in_use_goes_later(core: Core, ann: Requester) -> None:
    fresh = core.settings.comfy_folder / "temp" / "preview.png"
    fresh.parent.mkdir(parents=True)
    fresh.write_bytes(b"half a")

    await core.users.forget(caller(ann))
    assert fresh.exists()
    os.utime(fresh, (0, 0))
    await core.housekeeping.clear_traces()

    assert not fresh.exists()


@pytest.mark.sqlite
async def test_copies_of_before_migrations_are_few_and_not_old(settings: Settings) -> None:
    async with open_core(settings, QuickExecutor()) as core:
        names = [f"clapper.sqlite.before-000{number}" for number in (2, 4, 7)]
        for age, name in enumerate(reversed(names)):
            (settings.data_dir / name).write_bytes(b"rows")
            moment = 4_000_000_000 - age
            os.utime(settings.data_dir / name, (moment, moment))
        await core.housekeeping.prune()
        assert [name for name in names if (settings.data_dir / name).exists()] == names[-1:]
        os.utime(settings.data_dir / names[-1], (0, 0))
        await core.housekeeping.prune()
        assert not (settings.data_dir / names[-1]).exists()
