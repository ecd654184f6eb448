"""Up to eight pictures, each in its time: where they are put, and what is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

from core.domain.keyframes import picture_frames, pictures_of
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import Options
from core.domain.request_builder import compose
from core.domain.requests import Request, from_json, to_json
from core.errors import (
    InvalidInput,
    NotANumber,
    OutOfRange,
    TimesNotApart,
    TimesOutOfOrder,
    TimesUncounted,
)
from core.i18n.messages import explain, languages

LIMITS = RequestLimits()
MOST = len(MODES[Mode.KEYFRAME].every_slot)


def picture(number: int) -> MediaFile:
    return MediaFile(f"{number}" * 64, ".png", MediaKind.IMAGE, 10, 640, 480)


def pictures(count: int) -> dict[str, MediaFile]:
    roles = MODES[Mode.KEYFRAME].roles_for(MediaKind.IMAGE, count)
    return {role: picture(number) for number, role in enumerate(roles)}


def through(count: int, times: str = "", **options: Any) -> Request:
    typed = Options.of({"seconds": 5.0, "seed": 1, "times": times, **options})
    return compose(Mode.KEYFRAME, typed, pictures(count), LIMITS).request


@pytest.mark.parametrize("count", range(2, MOST + 1))
def test_pictures_are_spread_evenly_from_the_first_frame_to_the_last(count: int) -> None:
    request = through(count)

    places = list(picture_frames(request).values())
    assert [file.sha256[0] for file in pictures_of(request).values()] == [*"01234567"[:count]]
    assert places[0] == 0
    assert places[-1] == request.sampling.frames - 1 == 120
    assert max(places[i + 1] - places[i] for i in range(count - 1)) <= 120 // (count - 1) + 1
    assert from_json(json.loads(json.dumps(to_json(request)))) == request


@pytest.mark.parametrize(
    ("typed", "kept", "frames"),
    [
        ("0,1.5,5", "0, 1.5, 5", [0, 36, 120]),
        ("0 1,5 5s", "0, 1.5, 5", [0, 36, 120]),
        ("0; 2; 4.9", "0, 2, 4.9", [0, 48, 118]),
        ("0.5, 2.25, 3", "0.5, 2.25, 3", [12, 54, 72]),
    ],
)
def test_times_are_typed_as_people_write_numbers(typed: str, kept: str, frames: list[int]) -> None:
    request = through(3, typed)

    assert request.sampling.times == kept
    assert list(picture_frames(request).values()) == frames


@pytest.mark.parametrize(
    ("count", "times", "refusal"),
    [
        (3, "0, 1", TimesUncounted),
        (2, "0, 1, 2", TimesUncounted),
        (3, "0, 3, 2", TimesOutOfOrder),
        (3, "0, 2, 9", OutOfRange),
        (3, "-1, 2, 3", OutOfRange),
        (3, "0, soon, 3", NotANumber),
        (3, "0, nan, 3", NotANumber),
        (3, "0, 1, 1.01", TimesNotApart),
        (2, "5, 5", TimesNotApart),
    ],
)
def test_times_that_cannot_work_are_refused_in_a_sentence(
    count: int, times: str, refusal: type[InvalidInput]
) -> None:
    with pytest.raises(refusal) as caught:
        through(count, times)

    for language in languages():
        assert len(explain(caught.value, language)) > 30


@pytest.mark.parametrize("seconds", [1.5, 2, 2.3, 3.5, 5])
@pytest.mark.parametrize("fps", [24, 25, 30])
def test_who_names_the_length_that_was_asked_for_means_the_last_frame(
    seconds: float, fps: int
) -> None:
    request = through(2, f"0, {seconds:g}", seconds=seconds, fps=fps)  # frames are 8k + 1

    sampling = from_json(to_json(request)).sampling
    last = list(picture_frames(request).values())[-1]
    assert last == min(round(seconds * fps), sampling.frames - 1)
    with pytest.raises(OutOfRange):
        through(2, f"0, {seconds + 1:g}", seconds=seconds, fps=fps)


def test_a_gap_in_the_roles_is_closed() -> None:
    files = pictures(2) | {"sixth": picture(7)}

    request = compose(Mode.KEYFRAME, Options(seed=1), files, LIMITS).request

    assert list(pictures_of(request)) == ["first", "second", "last"]
    assert [file.sha256[0] for file in pictures_of(request).values()] == [*"071"]


def test_two_pictures_of_an_older_version_are_read_as_they_were() -> None:
    data = to_json(through(2))
    del data["sampling"]["times"]

    request = from_json(data)

    assert list(request.media()) == ["first", "last"]
    assert list(picture_frames(request).values()) == [0, 120]


def test_a_shorter_clip_does_not_take_the_times_of_a_longer_one() -> None:
    request = through(3, "0, 2, 5")
    shorter = replace(request, sampling=replace(request.sampling, frames=49))

    with pytest.raises(OutOfRange):
        picture_frames(shorter)
