"""The examples of the Studio: one for each mode, small, and really usable."""

from pathlib import Path

import pytest

from core.domain.limits import MediaLimits
from core.domain.modes import MODES, Mode
from core.media.intake.store import MediaStore
from webui.page.examples import FOLDER, copy_files, files_of


@pytest.mark.parametrize("mode", Mode)
def test_every_slot_that_needs_a_file_has_one(mode: Mode) -> None:
    assert list(files_of(mode)) == [slot.role for slot in MODES[mode].slots]


def test_all_of_them_are_small_and_none_lies_there_unused() -> None:
    used = {name for mode in Mode for name in files_of(mode).values()}
    assert {path.name for path in FOLDER.iterdir()} == used
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 300_000


def test_copies_are_for_the_roles_that_were_asked_for(tmp_path: Path) -> None:
    copies = copy_files(Mode.LIPSYNC, {"audio", "nothing"}, tmp_path)
    assert list(copies) == ["audio"]
    assert copies["audio"].read_bytes() == (FOLDER / "speech.ogg").read_bytes()
    assert copy_files(Mode.LIPSYNC, {"audio"}, tmp_path)["audio"] != copies["audio"]


@pytest.mark.parametrize("mode", [Mode.LIPSYNC, Mode.EXTEND])
async def test_the_intake_takes_them(mode: Mode, tmp_path: Path) -> None:
    store = MediaStore(tmp_path, MediaLimits())
    for slot in MODES[mode].slots:
        file = await store.admit(FOLDER / files_of(mode)[slot.role], slot.role, slot.kind)
        assert file.notes == ()
