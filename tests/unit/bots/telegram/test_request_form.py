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


@pytest.mark.parametrize(
    ("files", "mode"),
    [
        ((IMAGE, AUDIO), Mode.LIPSYNC),
        ((AUDIO, IMAGE), Mode.LIPSYNC),
        ((VIDEO, IMAGE), Mode.STYLE),
        ((IMAGE, IMAGE), Mode.KEYFRAME),
        ((IMAGE,), None),
        ((AUDIO, VIDEO), None),
        ((), None),
    ],
)
def test_two_files_say_which_mode_is_meant(files: tuple[MediaFile, ...], mode: Mode | None) -> None:
    assert of(*files).guess_mode() == mode


@pytest.mark.parametrize("mode", [mode for mode in Mode if MODES[mode].slots])
def test_files_find_their_slots_in_any_order(mode: Mode) -> None:
    kinds = {MediaKind.IMAGE: IMAGE, MediaKind.AUDIO: AUDIO, MediaKind.VIDEO: VIDEO}
    files = [kinds[slot.kind] for slot in MODES[mode].slots]

    form = of(*reversed(files)).with_mode(mode)

    assert form.missing() == []
    assert set(form.media) == {slot.role for slot in MODES[mode].slots}


def test_without_files_every_mode_may_be_chosen() -> None:
    assert RequestForm().choices() == list(Mode)
    assert of(AUDIO).choices() == [Mode.A2V, Mode.LIPSYNC]


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
