import pytest

from bots.telegram.address import Address
from bots.telegram.drafts import Draft
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.requests import Options

IMAGE, AUDIO, VIDEO = (
    MediaFile(kind[0] * 64, ".x", kind, 1)
    for kind in (MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO)
)


def of(*files: MediaFile) -> Draft:
    draft = Draft()
    for file in files:
        draft = draft.with_file(file)
    return draft


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
    assert of(*files).guess() == mode


@pytest.mark.parametrize("mode", [mode for mode in Mode if MODES[mode].slots])
def test_files_find_their_slots_in_any_order(mode: Mode) -> None:
    kinds = {MediaKind.IMAGE: IMAGE, MediaKind.AUDIO: AUDIO, MediaKind.VIDEO: VIDEO}
    files = [kinds[slot.kind] for slot in MODES[mode].slots]

    draft = of(*reversed(files)).with_mode(mode)

    assert draft.missing() == []
    assert set(draft.media) == {slot.role for slot in MODES[mode].slots}


def test_without_files_every_mode_may_be_chosen() -> None:
    assert Draft().choices() == list(Mode)
    assert of(AUDIO).choices() == [Mode.A2V, Mode.LIPSYNC]


def test_new_words_replace_old_ones_and_leave_the_rest() -> None:
    draft = Draft(options=Options(prompt="a kite", seed=7)).told(Options(prompt="a boat"))

    assert draft.options == Options(prompt="a boat", seed=7)


def test_a_draft_and_an_address_come_back_as_they_were_stored() -> None:
    draft = of(IMAGE).with_mode(Mode.LIPSYNC).told(Options(prompt="hello"))
    at = Address(-100, 5, 4, 3, thread_id=33, locale="de", silent="telegram:1:2")

    assert Draft.from_json(draft.to_json()) == draft
    assert Address.of(at.to_reply()) == at
    assert at.moved(-200).message_id == 0
