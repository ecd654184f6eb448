"""Twice the frame rate: which rates there are, and what else changes with them."""

from dataclasses import replace

import pytest

from core.domain.continuation import longer
from core.domain.keyframes import picture_frames, sampled_frames
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.request_builder import compose
from core.domain.request_check import allows, check_limits
from core.domain.requests import Request, from_json, latents_name, to_json
from core.errors import FpsNotEven, OutOfRange, TimesNotApart
from core.i18n.messages import explain, languages

LIMITS = RequestLimits()
PICTURES = {
    role: MediaFile(role[0] * 64, ".png", MediaKind.IMAGE, 10, 640, 480)
    for role in ("first", "last")
}


def at(fps: int, seconds: float = 5.0, limits: RequestLimits = LIMITS) -> Request:
    typed = Options(prompt="a kite", seed=1, fps=fps, seconds=seconds)
    return compose(Mode.T2V, typed, {}, limits).request


@pytest.mark.parametrize("fps", [32, 48, 50, 60])
@pytest.mark.parametrize("seconds", [1.0, 5.0, 20.0])
def test_above_the_highest_sampled_rate_half_of_it_is_sampled(fps: int, seconds: float) -> None:
    sampling = at(fps, seconds).sampling

    assert (sampling.doubled, sampling.fps, sampling.sampled_fps) == (True, fps, fps // 2)
    assert sampling.frames == 2 * (sampling.sampled_frames - 1) + 1
    assert sampling.sampled_frames == at(fps // 2, seconds).sampling.frames
    assert sampling.seconds == pytest.approx(seconds, abs=0.3)
    check_limits(at(fps, seconds), LIMITS)
    assert from_json(to_json(at(fps, seconds))) == at(fps, seconds)


def test_no_other_rate_is_doubled() -> None:
    assert not at(30).sampling.doubled
    assert not at(48, limits=RequestLimits(max_fps=60)).sampling.doubled


@pytest.mark.parametrize("fps", [31, 45, 59])
def test_an_odd_rate_is_refused_with_what_works(fps: int) -> None:
    with pytest.raises(FpsNotEven) as caught:
        at(fps)

    for language in languages():
        assert str(fps) in explain(caught.value, language)
        assert "48" in explain(caught.value, language)


@pytest.mark.parametrize(("fps", "limits"), [(62, LIMITS), (48, RequestLimits(max_fps=20))])
def test_more_than_twice_the_highest_rate_is_refused(fps: int, limits: RequestLimits) -> None:
    with pytest.raises(OutOfRange):
        at(fps, limits=replace(limits, default_fps=12))
    assert not allows(at(60), RequestLimits(max_fps=20))


def test_a_row_of_before_is_not_doubled() -> None:
    data = to_json(at(24))
    del data["sampling"]["doubled"]

    assert from_json(data) == at(24)


def test_a_doubled_clip_and_a_plain_one_share_no_latents_by_name() -> None:
    assert latents_name(at(48)) != latents_name(at(24))


def test_a_doubled_film_goes_on_doubled_in_whole_steps() -> None:
    request = at(48)
    film = MediaFile("c" * 64, ".mp4", MediaKind.VIDEO, 1, 1280, 704, 56.5, 48.0)

    more = longer(request, film, LIMITS).request.sampling

    assert (more.doubled, more.fps) == (True, 48)
    assert more.frames % 16 == 1
    assert (more.frames - 1) / 48 <= 3.5


def test_pictures_are_at_sampled_frames_which_last_twice_as_long() -> None:
    typed = Options(prompt="", seed=1, fps=48, seconds=5.0, times="0, 2")
    request = compose(Mode.KEYFRAME, typed, PICTURES, LIMITS).request

    assert list(picture_frames(request).values()) == [0, 96]
    assert list(sampled_frames(request).values()) == [0, 48]
    with pytest.raises(TimesNotApart):
        compose(Mode.KEYFRAME, replace(typed, times="2, 2.01"), PICTURES, LIMITS)
