from dataclasses import replace

import pytest

from bots.telegram.address import TelegramAddress
from bots.telegram.request_form import RequestForm, refuse_pictures
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import Options
from core.errors import TooManyFiles

IMAGE, AUDIO, VIDEO = (
    MediaFile(kind[0] * 64, ".x", kind, 1)
    for kind in (MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO)
)


def of(*files: MediaFile) -> RequestForm:
    form = RequestForm()
    for file in files:
        form = form.with_file(file)
    return form


@pytest.mark.parametrize(
    ("files", "mode"),
    [
        ((IMAGE, AUDIO), Mode.LIPSYNC),
        ((AUDIO, IMAGE), Mode.LIPSYNC),
        ((VIDEO, IMAGE), Mode.STYLE),
        ((IMAGE, IMAGE), Mode.KEYFRAME),
        ((IMAGE,), None),
        ((AUDIO, VIDEO), Mode.EXTEND),
        ((VIDEO,), None),
        ((IMAGE,) * 3, Mode.KEYFRAME),
        ((IMAGE,) * 8, Mode.KEYFRAME),
        ((IMAGE,) * 9, None),
        ((), None),
    ],
)
def test_files_say_which_mode_is_meant(files: tuple[MediaFile, ...], mode: Mode | None) -> None:
    assert of(*files).guess_mode() == mode


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


def test_more_pictures_than_a_clip_can_have_are_refused_with_the_limit() -> None:
    pictures = [(MediaKind.IMAGE,)] * 9

    refuse_pictures(RequestForm(), pictures[:8])
    refuse_pictures(RequestForm(mode=Mode.I2V), pictures)
    for form in (RequestForm(), RequestForm(mode=Mode.KEYFRAME)):
        with pytest.raises(TooManyFiles) as caught:
            refuse_pictures(form, pictures)
        assert (caught.value.given, caught.value.limit) == (9, 8)


def test_without_files_every_mode_may_be_chosen() -> None:
    assert RequestForm().choices() == list(Mode)
    assert of(AUDIO).choices() == [Mode.A2V, Mode.LIPSYNC, Mode.EXTEND]


def test_new_words_replace_old_ones_and_leave_the_rest() -> None:
    form = RequestForm(options=Options(prompt="a kite", seed=7)).with_options(
        Options(prompt="a boat")
    )

    assert form.options == Options(prompt="a boat", seed=7)


def test_a_form_and_an_address_come_back_as_they_were_stored() -> None:
    form = of(IMAGE).with_mode(Mode.LIPSYNC).with_options(Options(prompt="hello"))
    at = TelegramAddress(-100, 5, 4, 3, thread_id=33, locale="de", silent="telegram:1:2")

    assert RequestForm.from_json(form.to_json()) == form
    assert TelegramAddress.of(at.to_reply()) == at
    assert at.moved(-200).message_id == 0
