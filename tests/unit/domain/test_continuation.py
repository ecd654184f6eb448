"""What goes on from a clip: how long, with which sound, and what is said before it costs."""

from dataclasses import replace

import pytest

from core.domain.continuation import added_seconds, longer, run_frames, shown_frames
from core.domain.dimensions import Size
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import Options
from core.domain.presets import Preset
from core.domain.request_builder import compose
from core.domain.request_check import check_limits
from core.domain.requests import Request, Sampling, from_json, make_request, to_json
from core.errors import FilmComplete, FilmTooLong, OutOfRange
from core.i18n.messages import explain, languages

LIMITS = RequestLimits()
SAMPLING = Sampling(Preset.FAST, 448, 832, 121, 24, seed=7)
PICTURE = MediaFile("a" * 64, ".png", MediaKind.IMAGE, 10, 640, 480)


def sound(seconds: float) -> MediaFile:
    return MediaFile("b" * 64, ".flac", MediaKind.AUDIO, 10, seconds=seconds, sample_rate=48_000)


def film(seconds: float, width: int = 448, height: int = 832, fps: float = 24) -> MediaFile:
    return MediaFile(
        "c" * 64, ".mp4", MediaKind.VIDEO, 10, width, height, seconds, fps, sample_rate=48_000
    )


def spoken(seconds: float = 12.0) -> Request:
    media = {"image": PICTURE, "audio": sound(seconds)}
    return make_request(Mode.LIPSYNC, "she speaks", SAMPLING, media)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("preset", Preset)
def test_a_clip_of_any_mode_goes_on_in_its_size_and_rate(mode: Mode, preset: Preset) -> None:
    kinds = {MediaKind.IMAGE: PICTURE, MediaKind.AUDIO: sound(30), MediaKind.VIDEO: film(20)}
    media = {slot.role: kinds[slot.kind] for slot in MODES[mode].slots}
    request = make_request(mode, "a cat", replace(SAMPLING, preset=preset, fps=16), media)

    more = longer(request, film(121 / 16, fps=16), LIMITS).request

    assert more.mode is Mode.EXTEND
    assert more.sampling.size == Size(448, 832)
    assert (more.sampling.fps, more.sampling.preset) == (16, preset)
    assert (more.prompt, more.sampling.frames) == ("a cat", 121)
    assert more.sampling.seed != request.sampling.seed
    assert from_json(to_json(more)) == more
    check_limits(more, LIMITS)


def test_a_voice_goes_on_where_the_clip_ended_and_again_where_that_one_did() -> None:
    first = longer(spoken(), film(121 / 24), LIMITS)
    second = longer(first.request, film(241 / 24), LIMITS)
    third = longer(second.request, film(297 / 24), LIMITS)

    assert first.request.media()["audio"] == sound(12.0)
    assert first.request.sampling.sound_from == pytest.approx(121 / 24)
    assert second.request.sampling.sound_from == pytest.approx(241 / 24)
    assert second.request.sampling.frames == 49  # 1.96 s are left
    assert [note.code for note in (*first.adjustments, *second.adjustments)] == []
    assert "audio" not in third.request.media()
    assert third.request.sampling.sound_from is None
    assert [note.code for note in third.adjustments] == ["sound_over"]


def test_a_continuation_is_shortened_to_what_the_film_may_still_take_and_it_is_said() -> None:
    more = longer(spoken(60), film(58.0), LIMITS)

    assert added_seconds(more.request.sampling) == pytest.approx(2.0)
    (note,) = more.adjustments
    assert (note.code, note.data) == ("film_filled", {"becomes_s": 2.0, "limit_s": 60.0})


def test_a_film_that_is_complete_is_refused_in_a_sentence() -> None:
    with pytest.raises(FilmComplete) as caught:
        longer(spoken(), film(59.5), LIMITS)

    for language in languages():
        assert "60" in explain(caught.value, language)


@pytest.mark.parametrize(("played", "seconds"), [(55.0, 6.0), (41.0, 20.0)])
def test_more_seconds_than_fit_are_refused_with_what_fits(played: float, seconds: float) -> None:
    with pytest.raises(FilmTooLong) as caught:
        compose(Mode.EXTEND, Options(seconds=seconds), {"video": film(played)}, LIMITS)

    assert caught.value.left_s == pytest.approx(60 - played)
    assert caught.value.limit_s == 60
    compose(Mode.EXTEND, Options(seconds=60 - played), {"video": film(played)}, LIMITS)


def test_the_limit_of_films_holds_when_a_job_is_submitted_whenever_it_was_composed() -> None:
    request = compose(Mode.EXTEND, Options(), {"video": film(20)}, LIMITS).request

    check_limits(request, LIMITS)
    with pytest.raises(FilmTooLong):
        check_limits(request, RequestLimits(max_film_seconds=24))


def test_a_film_that_was_sent_keeps_its_size_and_rate_where_the_model_can_make_them() -> None:
    own = compose(Mode.EXTEND, Options(), {"video": film(8, 640, 384, 30)}, LIMITS).request
    odd = compose(Mode.EXTEND, Options(), {"video": film(8, 640, 360, 25)}, LIMITS)
    asked = compose(Mode.EXTEND, Options(preset="fast", aspect="1:1"), {"video": film(8)}, LIMITS)

    assert (own.sampling.size, own.sampling.fps) == (Size(640, 384), 30)
    assert odd.request.sampling.size == Size(640, 384)
    assert [note.code for note in odd.adjustments] == ["size_snapped"]
    assert asked.request.sampling.size.ratio == 1


def test_a_sound_can_begin_anywhere_but_behind_its_end() -> None:
    media = {"video": film(8), "audio": sound(12)}

    late = compose(Mode.EXTEND, Options(sound_from=9.0), media, LIMITS).request
    with pytest.raises(OutOfRange):
        compose(Mode.EXTEND, Options(sound_from=12.5), media, LIMITS)

    assert late.sampling.frames == 73  # 3 s
    assert late.sampling.sound_from == 9.0


@pytest.mark.parametrize(
    ("frames", "shown"), [(1, 0), (8, 0), (9, 8), (24, 16), (25, 24), (600, 24)]
)
def test_a_second_of_the_film_is_shown_or_what_there_is(frames: int, shown: int) -> None:
    request = make_request(Mode.EXTEND, "", SAMPLING, {"video": film(frames / 24)})

    assert shown_frames(request) == shown
    assert run_frames(request) == 121 + shown
