"""Sizes and lengths that the model was not made for are told, with the nearest that it was."""

import pytest

from core.domain.dimensions import Size
from core.domain.envelope import beyond_model, longest_seconds
from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import ASPECTS, Options
from core.domain.presets import Preset
from core.domain.request_builder import compose
from core.i18n.messages import explain, languages

LIMITS = RequestLimits()


def warned(size: Size, seconds: float, limits: RequestLimits = LIMITS) -> dict[str, object]:
    found = beyond_model(size, seconds, limits)
    return {} if found is None else {"code": found.code, **found.data}


@pytest.mark.parametrize(
    ("width", "height", "seconds"),
    [
        (1920, 1088, 5), (1088, 1920, 5), (1280, 704, 10), (704, 1280, 10), (1024, 576, 20),
        (768, 512, 20), (960, 960, 10), (1024, 1024, 5), (1152, 896, 5),
    ],
)  # fmt: skip
def test_what_the_makers_offer_is_not_warned_about(width: int, height: int, seconds: int) -> None:
    assert warned(Size(width, height), seconds) == {}


@pytest.mark.parametrize(
    ("width", "height", "seconds", "shorter", "smaller"),
    [
        (1920, 1088, 5.1, 5.0, 10.0),
        (1920, 1088, 10, 5.0, 10.0),
        (1088, 1920, 12, 5.0, 20.0),
        (1280, 704, 15, 10.0, 20.0),
        (1472, 1472, 5, None, 5.0),
        (1088, 1024, 4, None, 10.0),
        (1024, 1024, 8, 5.0, 10.0),
    ],
)
def test_what_lies_beyond_is_told_with_the_nearest_inside(
    width: int, height: int, seconds: float, shorter: float | None, smaller: float
) -> None:
    found = warned(Size(width, height), seconds)

    assert found.get("shorter_s") == shorter
    side, other = (int(number) for number in str(found["smaller"]).split("×"))
    near = Size(side, other)
    assert longest_seconds(near) == smaller
    assert near.ratio == pytest.approx(width / height, rel=0.12)
    most = {5.0: 1024 * 1024, 10.0: 1280 * 704, 20.0: 1024 * 576}[smaller]
    assert near.pixels > 0.85 * most


def test_a_length_that_no_size_has_is_told_by_the_length() -> None:
    longer = RequestLimits(max_seconds=60)
    assert warned(Size(768, 512), 30, longer) == {
        "code": "beyond_model_length", "size": "768×512", "seconds": 30, "shorter_s": 20.0,
    }  # fmt: skip


def test_nothing_outside_the_limits_is_proposed() -> None:
    narrow = RequestLimits(min_side=1088, min_seconds=6, max_side=2048, max_pixels=2048 * 2048)

    assert warned(Size(1920, 1088), 6, narrow)["code"] == "beyond_model_limits"


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("preset", [preset for preset in Preset if preset != "quality"])
def test_the_presets_are_inside_at_the_length_that_one_gets(preset: Preset, aspect: str) -> None:
    made = compose(Mode.T2V, Options("a kite", preset, aspect=aspect), {}, LIMITS)

    assert made.adjustments == ()


@pytest.mark.parametrize("language", languages())
def test_the_warning_reaches_whoever_asks_and_says_both_ways_out(language: str) -> None:
    made = compose(Mode.T2V, Options("a kite", "quality", seconds=10), {}, LIMITS)

    (note,) = made.adjustments
    words = explain(note, language)
    assert str(note.data["smaller"]) in words
    assert "5" in words
    assert "{" not in words


@pytest.mark.parametrize(
    "code", ["beyond_model_length", "beyond_model_size", "beyond_model_limits"]
)
@pytest.mark.parametrize("language", languages())
def test_each_warning_has_words(code: str, language: str) -> None:
    sizes = {
        "beyond_model_length": (Size(768, 512), 30.0, RequestLimits(max_seconds=60)),
        "beyond_model_size": (Size(1472, 1472), 5.0, LIMITS),
        "beyond_model_limits": (
            Size(1920, 1088), 6.0,
            RequestLimits(min_side=1088, min_seconds=6, max_side=2048, max_pixels=2048 * 2048),
        ),
    }  # fmt: skip
    found = beyond_model(*sizes[code])

    assert found is not None
    assert found.code == code
    assert "{" not in explain(found, language)
