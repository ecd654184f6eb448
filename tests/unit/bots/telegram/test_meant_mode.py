from dataclasses import replace

import pytest

from bots.telegram.meant_mode import choices, default_mode, guess_mode, refuse_surplus, used_files
from bots.telegram.request_form import RequestForm
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import Options
from core.errors import FilesNotUsed, TooManyFiles
from tests.unit.bots.telegram.test_request_form import AUDIO, IMAGE, VIDEO, of

PICTURE, ANY = (MediaKind.IMAGE,), tuple(MediaKind)


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
        ((IMAGE,) * 3, None),
        ((IMAGE,) * 8, None),
        ((IMAGE,) * 9, None),
        ((), None),
    ],
)
def test_files_say_which_mode_is_meant(files: tuple[MediaFile, ...], mode: Mode | None) -> None:
    assert guess_mode(of(*files)) == mode


def test_an_option_of_one_mode_says_what_many_pictures_are_for() -> None:
    three, times = of(*(IMAGE,) * 3), Options(times="0 1 2")

    assert guess_mode(replace(three, options=times)) is Mode.KEYFRAME
    assert guess_mode(replace(three, options=Options(seconds=2))) is None
    assert guess_mode(replace(of(*(IMAGE,) * 8), options=times, left_out=1)) is None


@pytest.mark.parametrize(
    ("files", "offered"),
    [
        ((IMAGE,) * 3, {Mode.KEYFRAME: 3, Mode.I2V: 1}),
        ((IMAGE,) * 8, {Mode.KEYFRAME: 8, Mode.I2V: 1}),
        ((IMAGE, IMAGE, VIDEO), {Mode.KEYFRAME: 2, Mode.STYLE: 2, Mode.I2V: 1, Mode.EXTEND: 1}),
        ((VIDEO,) * 3, {Mode.EXTEND: 1}),
        ((AUDIO,) * 10, {Mode.A2V: 1}),
        (
            (IMAGE, VIDEO, AUDIO),
            {Mode.LIPSYNC: 2, Mode.STYLE: 2, Mode.EXTEND: 2, Mode.I2V: 1, Mode.A2V: 1},
        ),
    ],
)
def test_many_files_are_offered_for_what_they_complete_and_the_most_of_them_first(
    files: tuple[MediaFile, ...], offered: dict[Mode, int]
) -> None:
    form = of(*files)

    assert {mode: used_files(form, mode) for mode in choices(form)} == offered
    assert list(offered) == choices(form)
    assert default_mode(form) is None


def test_a_choice_leaves_the_files_that_it_does_not_use_to_another_one() -> None:
    files = [replace(IMAGE, sha256=f"{number}" * 64) for number in range(4)]

    form = of(*files).with_mode(Mode.I2V)

    assert form.media == {"image": files[0]}
    assert of(*files).with_mode(Mode.KEYFRAME) == form.with_mode(Mode.KEYFRAME)


@pytest.mark.parametrize(
    ("mode", "files", "kind", "limit"),
    [
        (Mode.KEYFRAME, [PICTURE] * 9, "pictures", 8),
        (Mode.I2V, [PICTURE] * 3, "pictures", 1),
        (Mode.LIPSYNC, [PICTURE] * 2, "pictures", 1),
        (Mode.STYLE, [(MediaKind.VIDEO,)] * 2, "files", 1),
        (Mode.I2V, [ANY] * 2, "pictures", 1),
    ],
)
def test_an_album_with_files_that_have_no_place_is_refused_with_the_limit(
    mode: Mode, files: list[tuple[MediaKind, ...]], kind: str, limit: int
) -> None:
    form = RequestForm(mode=mode)

    with pytest.raises(TooManyFiles) as caught:
        refuse_surplus(form, files)
    assert (caught.value.kind, caught.value.given, caught.value.limit) == (kind, len(files), limit)
    refuse_surplus(form, files[:1])
    refuse_surplus(form, files[:limit])


@pytest.mark.parametrize("files", [[PICTURE], [(MediaKind.AUDIO,)], [PICTURE] * 3])
def test_files_with_a_command_that_is_made_from_words_alone_are_refused(
    files: list[tuple[MediaKind, ...]],
) -> None:
    with pytest.raises(FilesNotUsed):
        refuse_surplus(RequestForm(mode=Mode.T2V), files)


def test_a_command_of_words_alone_needs_no_files() -> None:
    refuse_surplus(RequestForm(mode=Mode.T2V), [])


def test_without_files_every_mode_may_be_chosen() -> None:
    assert choices(RequestForm()) == list(MODES)
    assert choices(of(AUDIO)) == [Mode.A2V, Mode.LIPSYNC, Mode.EXTEND]
