from dataclasses import replace

import pytest

from bots.telegram.address import TelegramAddress
from bots.telegram.request_form import RequestForm
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import Options

IMAGE, AUDIO, VIDEO = (
    MediaFile(kind[0] * 64, ".x", kind, 1)
    for kind in (MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO)
)


def of(*files: MediaFile) -> RequestForm:
    form = RequestForm()
    for file in files:
        form = form.with_file(file)
    return form


@pytest.mark.parametrize("mode", [mode for mode in Mode if MODES[mode].slots])
def test_files_find_their_slots_in_any_order(mode: Mode) -> None:
    kinds = {MediaKind.IMAGE: IMAGE, MediaKind.AUDIO: AUDIO, MediaKind.VIDEO: VIDEO}
    files = [kinds[slot.kind] for slot in MODES[mode].slots]

    form = of(*reversed(files)).with_mode(mode)

    assert form.missing() == []
    assert set(form.media) == {slot.role for slot in MODES[mode].slots}


@pytest.mark.parametrize("count", range(2, 9))
def test_pictures_of_an_album_keep_their_order(count: int) -> None:
    files = [replace(IMAGE, sha256=f"{number}" * 64) for number in range(count)]

    at_once = of(*files).with_mode(Mode.KEYFRAME)
    one_by_one = RequestForm(mode=Mode.KEYFRAME)
    for file in files:
        one_by_one = one_by_one.with_file(file)

    roles = MODES[Mode.KEYFRAME].roles_for(MediaKind.IMAGE, count)
    assert [at_once.media[role] for role in roles] == files
    assert one_by_one.media == at_once.media
    assert at_once.missing() == []


def test_new_words_replace_old_ones_and_leave_the_rest() -> None:
    form = RequestForm(options=Options(prompt="a kite", seed=7)).with_options(
        Options(prompt="a boat")
    )

    assert form.options == Options(prompt="a boat", seed=7)


def test_a_form_and_an_address_come_back_as_they_were_stored() -> None:
    form = of(IMAGE, IMAGE).with_mode(Mode.LIPSYNC).with_options(Options(prompt="hello"))
    form = replace(form, left_out=2, question=7)
    at = TelegramAddress(-100, 5, 4, 3, thread_id=33, locale="de", silent="telegram:1:2")

    assert RequestForm.from_json(form.to_json()) == form
    assert TelegramAddress.of(at.to_reply()) == at
    assert at.moved(-200).message_id == 0
