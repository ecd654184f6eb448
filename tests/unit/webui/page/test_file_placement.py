"""Files that come from anywhere: the mode they ask for, and the field they fill."""

import pytest

from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.errors.media import MediaFormatRefused, MediaTooLarge
from webui.page.file_placement import AnnouncedFile, Placement, answer, placements, refusal

LIMITS = MediaLimits()
PICTURE = AnnouncedFile("a.png", "image/png", 10)
SOUND = AnnouncedFile("a.mp3", "audio/mpeg", 10)
FILM = AnnouncedFile("a.mp4", "video/mp4", 10)
GIF = AnnouncedFile("a.gif", "image/gif", 10)


def place(
    opened: Mode, *files: AnnouncedFile, held: dict[str, MediaKind] | None = None
) -> tuple[Placement, ...]:
    return placements(opened, held or {}, [file.kinds for file in files])


@pytest.mark.parametrize(
    ("files", "mode", "roles"),
    [
        ((PICTURE,), Mode.I2V, ("image",)),
        ((GIF,), Mode.STYLE, ("video",)),  # asked, see below
        ((SOUND,), Mode.A2V, ("audio",)),
        ((PICTURE, PICTURE), Mode.KEYFRAME, ("first", "last")),
        ((PICTURE,) * 3, Mode.KEYFRAME, ("first", "second", "last")),
        ((PICTURE, SOUND), Mode.LIPSYNC, ("image", "audio")),
        ((SOUND, PICTURE), Mode.LIPSYNC, ("audio", "image")),
        ((PICTURE, FILM), Mode.STYLE, ("image", "video")),
        ((FILM, SOUND), Mode.EXTEND, ("video", "audio")),
    ],
)
def test_files_choose_the_mode_that_they_make_complete(
    files: tuple[AnnouncedFile, ...], mode: Mode, roles: tuple[str, ...]
) -> None:
    ways = place(Mode.T2V, *files)
    assert Placement(mode, roles) in ways


def test_a_film_alone_is_asked_about_and_a_picture_is_not() -> None:
    assert {way.mode for way in place(Mode.T2V, FILM)} == {Mode.STYLE, Mode.EXTEND}
    assert len(place(Mode.T2V, PICTURE)) == 1
    assert len(place(Mode.T2V, SOUND)) == 1


@pytest.mark.parametrize("mode", [mode for mode in MODES if MODES[mode].slots])
def test_the_open_mode_keeps_what_it_can_use(mode: Mode) -> None:
    by_kind = {MediaKind.IMAGE: PICTURE, MediaKind.AUDIO: SOUND, MediaKind.VIDEO: FILM}
    for slot in MODES[mode].slots:
        assert place(mode, by_kind[slot.kind])[0].mode == mode


def test_the_sound_of_a_film_is_a_sound_where_sound_is_wanted() -> None:
    assert place(Mode.A2V, FILM) == (Placement(Mode.A2V, ("audio",)),)


def test_the_next_free_field_is_filled_and_the_only_one_is_replaced() -> None:
    held = {"first": MediaKind.IMAGE}
    assert place(Mode.KEYFRAME, PICTURE, held=held)[0].roles == ("last",)
    assert place(Mode.KEYFRAME, PICTURE, PICTURE, held=held)[0].roles == ("second", "last")
    late = {"last": MediaKind.IMAGE}
    assert place(Mode.KEYFRAME, PICTURE, PICTURE, held=late)[0].roles == ("first", "second")
    gap = {"first": MediaKind.IMAGE, "third": MediaKind.IMAGE}
    assert place(Mode.KEYFRAME, PICTURE, held=gap)[0].roles == ("last",)
    held |= {"last": MediaKind.IMAGE}
    assert place(Mode.KEYFRAME, PICTURE, PICTURE, held=held)[0].roles == ("second", "third")
    assert place(Mode.I2V, PICTURE, held={"image": MediaKind.IMAGE})[0].roles == ("image",)


@pytest.mark.parametrize(
    ("opened", "held", "file", "mode", "moved"),
    [
        (Mode.I2V, {"image": MediaKind.IMAGE}, SOUND, Mode.LIPSYNC, {"image": "image"}),
        (Mode.A2V, {"audio": MediaKind.AUDIO}, PICTURE, Mode.LIPSYNC, {"audio": "audio"}),
        (Mode.I2V, {"image": MediaKind.IMAGE}, FILM, Mode.STYLE, {"image": "image"}),
    ],
)
def test_what_is_held_goes_along(
    opened: Mode, held: dict[str, MediaKind], file: AnnouncedFile, mode: Mode, moved: dict[str, str]
) -> None:
    best = place(opened, file, held=held)[0]
    assert (best.mode, best.moved) == (mode, moved)


def test_what_no_mode_takes_together_has_no_place() -> None:
    assert place(Mode.T2V, SOUND, SOUND) == ()
    assert place(Mode.T2V, *[PICTURE] * 9) == ()
    assert len(place(Mode.T2V, *[PICTURE] * 8)) == 1


@pytest.mark.parametrize("opened", [Mode.KEYFRAME, Mode.T2V])
def test_too_many_of_a_kind_are_told_how_many_there_is_room_for(opened: Mode) -> None:
    files = [{"name": "a.png", "type": "image/png", "size": 10}] * 8
    told = answer(opened, {"files": files, "held": ["first", "last", "second"]}, LIMITS)
    assert told is not None
    if opened is Mode.T2V:  # where none of these is held
        assert (told["refused"], len(told["ways"])) == ([], 1)
    else:
        (line,) = told["refused"]
        assert "up to 8 files" in line
        assert "room for 5 more" in line


def test_what_can_never_be_used_says_why_before_it_is_sent() -> None:
    pdf = refusal(AnnouncedFile("a.pdf", "application/pdf", 10), LIMITS)
    assert isinstance(pdf, MediaFormatRefused)
    assert pdf.found == "pdf"
    large = AnnouncedFile("a.mp4", "video/mp4", LIMITS.stream_bytes + 1)
    assert isinstance(refusal(large, LIMITS), MediaTooLarge)
    assert all(refusal(file, LIMITS) is None for file in (PICTURE, SOUND, FILM, GIF))
