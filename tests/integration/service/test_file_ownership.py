"""A file that somebody sent is there as long as anybody needs it, and not a round longer."""

from pathlib import Path

import pytest

from bots.telegram.request_form import RequestForm, RequestForms
from core.accounts.file_ownership import UPLOAD
from core.app.bootstrap import open_core
from core.app.core import Core
from core.demo.samples import write_png
from core.domain.jobs import ReplyTo
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import Mode
from core.domain.people import Requester
from core.domain.requests import Request
from core.errors import MediaFormatRefused, MediaGone
from core.settings import Settings
from core.testing.doubles import QuickExecutor, tiny
from core.testing.jobs import submit_request
from tests.support.jobs import caller

DAY_MS = 86_400_000


def files_below(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def admitted(core: Core, tmp_path: Path, owner: Requester) -> MediaFile:
    picture = write_png(tmp_path / "a.png")
    return await core.admission.admit(picture, "image", MediaKind.IMAGE, owner)


def moving(file: MediaFile) -> Request:
    return Request(mode=Mode.I2V, prompt="it moves", sampling=tiny(), files=(file,))


async def test_a_request_whose_file_is_gone_is_refused_before_any_quota(
    core: Core, tmp_path: Path, ann: Requester
) -> None:
    file = await admitted(core, tmp_path, ann)
    core.media.path_of(file).unlink()

    with pytest.raises(MediaGone):
        await submit_request(core, moving(file), ann, ReplyTo("test"), "one")

    assert (await core.quotas.quota(ann)).reserved_ms == 0
    assert await core.jobs.jobs_of(ann) == []


async def test_what_one_person_deletes_stays_for_the_request_another_is_making(
    core: Core, tmp_path: Path, ann: Requester, ben: Requester
) -> None:
    file = await admitted(core, tmp_path, ann)
    ticket = await submit_request(core, moving(file), ann, ReplyTo("test"), "one")
    await admitted(core, tmp_path, ben)

    await core.users.delete(caller(ann), ticket.job_id)
    await core.cancellation.forget(ann)

    assert (await submit_request(core, moving(file), ben, ReplyTo("test"), "two")).job_id


async def test_a_draft_keeps_its_picture_through_a_deletion_and_forgetting_takes_it(
    core: Core, tmp_path: Path
) -> None:
    person = Requester("telegram", "7")
    forms = RequestForms(core.community.state, core.users.files)
    file = await admitted(core, tmp_path, person)
    ticket = await submit_request(core, moving(file), person, ReplyTo("test"), "one")
    form = RequestForm(mode=Mode.I2V, media={"image": file})
    await forms.save(caller(person), 5, form)

    await core.users.delete(caller(person), ticket.job_id)
    kept = await forms.load(5, 7)
    await core.cancellation.forget(person)
    left = await forms.load(5, 7)

    assert kept is not None
    assert kept.media == {"image": file}
    assert left is None
    assert files_below(core.settings.media_folder) == []


async def test_a_start_empties_what_nobody_holds_and_keeps_held_uploads(
    settings: Settings, ann: Requester, dialect: str
) -> None:
    lost, held = (settings.uploads_folder / (letter * 64) / "p.jpg" for letter in "ab")
    async with open_core(settings, QuickExecutor()) as core:
        for path in (lost, held):
            path.parent.mkdir(parents=True)
            path.write_bytes(b"as it was sent")
        assert await core.files.hold([held], UPLOAD, ann, DAY_MS)
    (settings.uploads_folder / "tmpabcd_123").write_bytes(b"cut off")

    async with open_core(settings, QuickExecutor()) as core:
        if dialect == "postgres":  # others may be at work: a start leaves what was just sent
            assert lost.exists()
            await core.files.sweep(unheld_s=0)
        assert files_below(settings.uploads_folder) == ["p.jpg"]
        assert held.exists()
        assert not lost.parent.exists()
        await core.cancellation.forget(ann)

    assert list(settings.uploads_folder.iterdir()) == []


async def test_refused_bytes_are_never_written(core: Core, ann: Requester) -> None:
    with pytest.raises(MediaFormatRefused):
        await core.admission.admit_bytes(b"junk" * 1000, "image", MediaKind.IMAGE, ann)

    assert files_below(core.settings.media_folder) + files_below(core.settings.work_folder) == []
