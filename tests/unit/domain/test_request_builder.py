"""From what was typed to a request: nothing leaves the limits, nothing typed is ever run."""

import json
import math
import time
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.domain.adjustments import Adjustment
from core.domain.decoding import decode
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import ASPECTS, Options
from core.domain.presets import PRESETS, Preset
from core.domain.request_builder import compose
from core.domain.requests import Composition, file_to_json
from core.domain.seeds import MAX_SEED
from core.errors import (
    MediaMissing,
    MediaUnexpected,
    NotAChoice,
    OutOfRange,
    PromptMissing,
    PromptTooLong,
)

LIMITS = RequestLimits()


def image(width: int = 640, height: int = 480) -> MediaFile:
    return MediaFile("a" * 64, ".png", MediaKind.IMAGE, 9, width, height)


def audio(seconds: float = 4.0) -> MediaFile:
    return MediaFile("b" * 64, ".flac", MediaKind.AUDIO, 9, seconds=seconds, sample_rate=48_000)


def t2v(limits: RequestLimits = LIMITS, **typed: object) -> Composition:
    options = Options(**{"prompt": "a kite", **typed})  # type: ignore[arg-type]  # typed by a test
    return compose(Mode.T2V, options, {}, limits)


def told(composition: Composition) -> dict[str, dict[str, object]]:
    return {item.code: dict(item.data) for item in composition.adjustments}


def test_nothing_typed_gives_the_documented_defaults() -> None:
    sampling = t2v().request.sampling

    assert (sampling.width, sampling.height) == (1280, 704)
    assert (sampling.frames, sampling.fps) == (121, 24)
    assert sampling.preset is Preset.BALANCED
    assert 0 <= sampling.seed <= MAX_SEED


def test_every_request_without_a_seed_gets_its_own() -> None:
    assert len({t2v().request.sampling.seed for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "typed",
    [
        {"width": 0},
        {"height": 0},
        {"width": -64},
        {"width": 255},
        {"width": 1921},
        {"width": 10**9, "height": 10**9},
        {"height": 10**9},
        {"width": math.nan},
        {"width": 1920, "height": 1920},
        {"seconds": 0},
        {"seconds": -1},
        {"seconds": 0.99},
        {"seconds": 20.01},
        {"seconds": 1e9},
        {"seconds": math.nan},
        {"seconds": math.inf},
        {"fps": 0},
        {"fps": 7},
        {"fps": 61},
        {"fps": -24},
        {"fps": 10**9},
        {"seed": -1},
        {"seed": 2**63},
        {"seed": 10**30},
    ],
    ids=str,
)
def test_numbers_out_of_range_are_refused_with_the_range(typed: dict[str, float]) -> None:
    with pytest.raises(OutOfRange) as caught:
        t2v(**typed)

    assert caught.value.field in {*typed, "pixels"}
    assert caught.value.low < caught.value.high


@pytest.mark.parametrize(
    "typed",
    [
        {"seed": 0},
        {"seed": MAX_SEED},
        {"seconds": 1},
        {"seconds": 20},
        {"fps": 8},
        {"fps": 30},
        {"width": 256, "height": 256},
        {"width": 1920, "height": 1088},
    ],
    ids=str,
)
def test_the_ends_of_the_ranges_are_possible(typed: dict[str, float]) -> None:
    t2v(**typed)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"preset": "ultra"}, "preset"),
        ({"preset": "FAST"}, "preset"),
        ({"camera": "drone; rm -rf /"}, "camera"),
        ({"aspect": "5:1"}, "aspect"),
        ({"aspect": "x" * 100_000}, "aspect"),
    ],
)
def test_choices_outside_the_list_are_refused_shortly(typed: dict[str, str], field: str) -> None:
    with pytest.raises(NotAChoice) as caught:
        t2v(**typed)

    assert caught.value.field == field
    assert len(caught.value.value) <= 40


def assert_inside(composition: Composition, limits: RequestLimits) -> None:
    sampling = composition.request.sampling
    assert sampling.width % 64 == sampling.height % 64 == 0
    finished = sampling.finished  # limits are those of finished clips, not of their drafts
    assert min(finished.width, finished.height) >= limits.min_side
    assert max(finished.width, finished.height) <= limits.max_side
    assert finished.pixels <= limits.max_pixels
    assert sampling.seconds >= limits.min_seconds
    assert (sampling.frames - 1) / sampling.fps <= limits.max_seconds


@given(
    width=st.none() | st.integers(256, 1920),
    height=st.none() | st.integers(256, 1920),
    preset=st.sampled_from(list(Preset)),
)
@example(width=1121, height=1825, preset=Preset.DRAFT)
def test_a_snapped_size_never_leaves_the_limits(
    width: int | None, height: int | None, preset: Preset
) -> None:
    assume((width or 256) * (height or 256) <= LIMITS.max_pixels)

    composition = t2v(width=width, height=height, preset=preset.value)

    assert_inside(composition, LIMITS)
    size = composition.request.sampling.finished
    if width and height:
        # a draft is rounded at its own size once more, which is half of it
        near = 96 + (64 if preset is Preset.DRAFT else 0)
        assert abs(size.width - width) <= near
        assert abs(size.height - height) <= near
        assert preset is Preset.DRAFT or ("size_snapped" in told(composition)) == (
            (size.width, size.height) != (width, height)
        )


@given(
    min_side=st.integers(64, 512),
    max_side=st.integers(768, 1920),
    megapixels=st.floats(0.5, 2.1),
    max_seconds=st.floats(2, 20),
    preset=st.sampled_from(list(Preset)),
    aspect=st.none() | st.sampled_from(list(ASPECTS)),
    picture=st.none() | st.tuples(st.integers(1, 8000), st.integers(1, 8000)),
    seconds=st.floats(0.1, 60),
    fps=st.integers(8, 30),
)
def test_defaults_pictures_and_sounds_stay_inside_whatever_the_operator_allows(
    min_side: int,
    max_side: int,
    megapixels: float,
    max_seconds: float,
    preset: Preset,
    aspect: str | None,
    picture: tuple[int, int] | None,
    seconds: float,
    fps: int,
) -> None:
    limits = RequestLimits(
        min_side=min_side,
        max_side=max_side,
        max_pixels=round(megapixels * 1e6),
        max_seconds=max_seconds,
    )
    options = Options(preset=preset.value, aspect=aspect, fps=fps)
    media = {"image": image(*(picture or (640, 480))), "audio": audio(seconds)}

    assert_inside(compose(Mode.LIPSYNC, options, media, limits), limits)


@given(seconds=st.floats(1, 20), fps=st.integers(8, 30))
def test_lengths_snap_to_the_nearest_possible_and_never_leave_the_limits(
    seconds: float, fps: int
) -> None:
    composition = t2v(seconds=seconds, fps=fps)

    assert_inside(composition, LIMITS)
    assert abs(composition.request.sampling.seconds - seconds) <= 9 / fps


def test_a_square_stays_square_where_its_nearest_size_is_too_large() -> None:
    composition = t2v(width=1448, height=1448)

    assert told(composition)["size_snapped"] == {"asked": "1448×1448", "becomes": "1408×1408"}


def test_a_snapped_size_is_told() -> None:
    assert told(t2v(width=1280, height=720)) == {
        "size_snapped": {"asked": "1280×720", "becomes": "1280×704"}
    }
    assert told(t2v(width=1280, height=704)) == {}


def test_a_draft_is_half_of_what_was_asked_for_and_says_so() -> None:
    composition = t2v(width=1280, height=704, preset="draft")

    assert str(composition.request.sampling.size) == "640×320"
    assert told(composition) == {"draft_size": {"becomes": "640×320", "finished": "1280×640"}}
    assert told(t2v(preset="draft")) == {}


@pytest.mark.parametrize("preset", list(Preset))
def test_one_side_takes_the_other_from_the_preset(preset: Preset) -> None:
    size = t2v(width=1024, preset=preset.value).request.sampling.finished

    assert size.width == 1024
    assert size.ratio == pytest.approx(PRESETS[preset].size.ratio, rel=0.07)


def test_the_picture_gives_the_shape_and_the_sound_the_length() -> None:
    media = {"image": image(1080, 1920), "audio": audio(3.0)}

    sampling = compose(Mode.LIPSYNC, Options(), media, LIMITS).request.sampling

    assert sampling.size.ratio == pytest.approx(1080 / 1920, rel=0.06)
    assert sampling.seconds == pytest.approx(3.0, abs=4.5 / 24)


@pytest.mark.parametrize("fps", range(8, 31))
def test_the_end_of_the_sound_is_never_cut(fps: int) -> None:
    for hundredths in range(100, 1996, 7):
        length = hundredths / 100

        sampling = compose(
            Mode.A2V, Options(fps=fps), {"audio": audio(length)}, LIMITS
        ).request.sampling

        assert sampling.frames / fps >= length - 1e-6 or sampling.frames + 8 > 20 * fps + 1
        assert sampling.frames / fps < length + 8 / fps + 1e-6
        assert sampling.frames % 8 == 1


def test_a_length_beyond_the_source_or_the_limit_is_told() -> None:
    long = compose(Mode.A2V, Options(), {"audio": audio(45.0)}, LIMITS)
    short = compose(Mode.A2V, Options(seconds=9), {"audio": audio(3.0)}, LIMITS)

    assert told(long)["length_cut"] == {"source_s": 45.0, "becomes_s": 20.0}
    assert told(short) == {"length_of_source": {"asked_s": 9, "becomes_s": 3.0}}
    assert_inside(long, LIMITS)


@pytest.mark.parametrize(
    "prompt",
    [
        "$(rm -rf /) `reboot` ; | && > /dev/null",
        "{{ config }} {% import os %} ${7*7} %s %(x)s {0} {prompt!r:>{width}}",
        "embedding:evil (very:1.4) [a|b] <lora:x:1> __wildcard__ --steps 99",
        '{"3": {"class_type": "LoadImage", "inputs": {"image": "../../etc/passwd"}}}',
        "'; DROP TABLE job; --",
        "<script>alert(1)</script> @everyone <@123> [x](http://e.vil)",
        "../../etc/passwd C:\\x file:///etc/passwd",
        "C'est l'été, ΑΒΓ, 日本語, नमस्ते, 👩‍👩‍👧",
    ],
)
def test_what_looks_like_code_stays_the_same_literal_text(prompt: str) -> None:
    request = compose(Mode.T2V, Options(prompt=prompt, negative_prompt=prompt), {}, LIMITS).request

    assert request.prompt == prompt
    assert request.sampling.negative_prompt == prompt


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("  a  kite \n", "a  kite"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\0b\x1b[31mc\x7f", "ab[31mc"),
        ("pass\u200bword \ufeffx\u2060y", "password xy"),
        ("abc\u202etxt.exe\u2066", "abctxt.exe"),
        ("kite\ud800", "kite"),
        ("e\u0301", "é"),
        ("tag\U000e0041\U000e0042", "tag"),
    ],
)
def test_what_nobody_sees_is_removed(typed: str, becomes: str) -> None:
    prompt = t2v(prompt=typed).request.prompt

    assert prompt == becomes
    prompt.encode("utf-8")


@pytest.mark.parametrize("prompt", ["", "   \n", "\u200b\u200b", "\u200d", "\0", "\u202e \ufeff"])
def test_a_prompt_without_anything_to_see_is_missing(prompt: str) -> None:
    with pytest.raises(PromptMissing):
        t2v(prompt=prompt)


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_two_thousand_characters_fit_and_one_more_does_not(field: str) -> None:
    t2v(**{field: "x" * 2000})
    with pytest.raises(PromptTooLong) as caught:
        t2v(**{field: "x" * 2001})

    assert caught.value.data() == {"length": 2001, "limit": 2000}


def test_megabytes_of_prompt_are_refused_at_once() -> None:
    flood = "é\u0301\u200b" * 5_000_000

    begun = time.thread_time()
    with pytest.raises(PromptTooLong):
        t2v(prompt=flood)

    assert time.thread_time() - begun < 0.05  # of this thread, whatever else runs


@given(st.text(max_size=300))
def test_any_text_gives_a_clean_request_or_counts_as_missing(prompt: str) -> None:
    try:
        request = t2v(prompt=prompt).request
    except PromptMissing:
        return
    assert request.prompt == request.prompt.strip() != ""
    assert t2v(prompt=request.prompt).request.prompt == request.prompt


@pytest.mark.parametrize(
    "prompt", ["\u200b", "\ufe0f", "\u3164 \u115f", "\u0301", "\u2800\u2800", "\u202e"]
)
def test_words_that_nobody_sees_are_none(prompt: str) -> None:
    with pytest.raises(PromptMissing):
        t2v(prompt=prompt)
    assert t2v(prompt=f"{prompt}é \u2764\ufe0f").request.prompt


@pytest.mark.parametrize("mode", [mode for mode in Mode if MODES[mode].slots])
def test_a_missing_or_a_foreign_file_is_named(mode: Mode) -> None:
    with pytest.raises(MediaMissing):
        compose(mode, Options(), {}, LIMITS)
    with pytest.raises(MediaUnexpected) as caught:
        compose(mode, Options(), {"lora": image()}, LIMITS)

    assert caught.value.role == "lora"


def test_what_was_made_of_a_file_is_told_with_its_role_also_after_it_was_stored() -> None:
    note = Adjustment("first_picture_used", {})
    picture = replace(image(), notes=(note,))
    kept = decode(MediaFile, json.loads(json.dumps(file_to_json(picture))))

    composition = compose(Mode.I2V, Options(prompt="it moves"), {"image": kept}, LIMITS)

    assert told(composition)["first_picture_used"] == {"role": "image"}
    assert composition.request.files[0].notes == (note,)
    assert picture == image()  # the same bytes are the same file
    assert "notes" not in file_to_json(image())
