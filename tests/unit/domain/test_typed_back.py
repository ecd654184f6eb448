"""Whatever the product proposes, typed back as a person would, is accepted and gives the same."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from core.domain.followups import again, changeable, options_of, quality, with_option
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import ASPECTS, Option, Options
from core.domain.presets import Preset
from core.domain.request_builder import compose
from core.domain.requests import Request
from core.errors import NotAChoice, OutOfRange

LIMITS = {
    "the product's": RequestLimits(),
    "one megapixel": RequestLimits(max_pixels=1_000_000),
    "narrow": RequestLimits(min_side=300, max_side=1000, max_pixels=700_000),
    "wide": RequestLimits(min_side=64, max_side=2560, max_pixels=4_000_000),
    "odd lengths": RequestLimits(min_seconds=1.62, max_seconds=7.333),
    "short": RequestLimits(min_seconds=0.5, max_seconds=2.5, default_seconds=2),
}
EVERY_LIMITS = pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
PICTURES = ((720, 1280), (1080, 1019), (4000, 1000), (333, 1000), (1, 1))


def files_of(mode: Mode, width: int = 640, height: int = 480, seconds: float = 4.0):
    timed = {MediaKind.IMAGE: 0.0}
    return {
        slot.role: MediaFile(
            str(n) * 64, ".x", slot.kind, 9, width, height, timed.get(slot.kind, seconds), 24.0
        )
        for n, slot in enumerate(MODES[mode].slots)
    }


def shapes(limits: RequestLimits) -> Iterator[Request]:
    """Yield a request of every preset in every shape that is named, shown or typed."""
    for preset in Preset:
        named = [Options("a", preset, aspect=aspect, seed=1) for aspect in (None, *ASPECTS)]
        sides = range(limits.min_side, limits.max_side + 1, 197)
        one = [Options("a", preset, side, seed=1) for side in sides]
        other = [Options("a", preset, None, side, "2:3", seed=1) for side in sides]
        for options in named + one + other:
            yield compose(Mode.T2V, options, {}, limits).request
        for picture in PICTURES:
            media = files_of(Mode.I2V, *picture)
            yield compose(Mode.I2V, Options("a", preset, seed=1), media, limits).request


def typed_back(request: Request, limits: RequestLimits) -> Request:
    return compose(request.mode, options_of(request, limits), request.media(), limits).request


@EVERY_LIMITS
def test_every_shape_is_the_same_when_it_is_typed_back(limits: RequestLimits) -> None:
    for request in shapes(limits):
        assert typed_back(request, limits) == request


@EVERY_LIMITS
def test_every_length_is_the_same_when_it_is_typed_back(limits: RequestLimits) -> None:
    tenths = range(int(limits.min_seconds * 10) + 1, int(limits.max_seconds * 10) + 1)
    ends = (limits.min_seconds, limits.max_seconds)
    for fps, seconds in product(range(8, 31), (*ends, *(tenth / 10 for tenth in tenths[::3]))):
        typed = Options("a", "fast", seconds=seconds, fps=fps, seed=1)
        request = compose(Mode.T2V, typed, {}, limits).request

        assert typed_back(request, limits) == request


@pytest.mark.parametrize("mode", [mode for mode in Mode if MODES[mode].length_from])
def test_the_length_of_a_file_is_the_same_when_it_is_typed_back(mode: Mode) -> None:
    limits = RequestLimits()
    for fps, tenth in product((8, 17, 24, 25, 30), range(2, 250, 7)):
        media = files_of(mode, seconds=tenth / 10)
        first = compose(mode, Options("a", fps=fps, seed=1), media, limits).request
        second = compose(mode, options_of(first, limits), media, limits)

        assert second.request == first
        assert not [note for note in second.adjustments if "beyond" not in note.code]


@EVERY_LIMITS
def test_quality_is_allowed_and_is_the_same_when_it_is_typed_back(limits: RequestLimits) -> None:
    for request in shapes(limits):
        better = quality(request, limits)

        assert typed_back(better, limits) == better
        assert better.sampling.finished.pixels <= limits.max_pixels


@EVERY_LIMITS
def test_another_take_is_the_same_but_for_its_seed_when_it_is_typed_back(
    limits: RequestLimits,
) -> None:
    for request in shapes(limits):
        other = again(request, lambda: 2)

        assert typed_back(other, limits) == other


@EVERY_LIMITS
@pytest.mark.parametrize("option", changeable(Mode.T2V), ids=lambda option: option.name)
def test_every_changed_option_is_the_same_when_it_is_typed_back(
    limits: RequestLimits, option: Option
) -> None:
    values: list[str] = list(option.choices)
    if option.bounds is not None:
        values = [f"{sum(option.range_in(limits)) / 2:.1f}"]
    request = compose(Mode.T2V, Options("a", seed=1), {}, limits).request
    for value in values:
        typed = with_option(request, option, value, limits)
        other = compose(Mode.T2V, typed, {}, limits).request

        assert typed_back(other, limits) == other


@EVERY_LIMITS
@pytest.mark.parametrize("preset", Preset)
def test_a_square_is_square_wherever_the_limits_allow_one(
    limits: RequestLimits, preset: Preset
) -> None:
    square = Options("a", preset, aspect="1:1", seed=1)
    request = compose(Mode.T2V, square, {}, limits).request
    assert request.sampling.width == request.sampling.height
    better = quality(request, limits).sampling
    assert better.width == better.height

    for side in range(limits.min_side, min(limits.max_side, int(limits.max_pixels**0.5)), 37):
        typed = replace(square, width=side)
        assert compose(Mode.T2V, typed, {}, limits).request.sampling.size.ratio == 1


def test_a_square_follows_the_limits_at_every_number_of_pixels() -> None:
    for pixels, preset in product(range(262_144, 2_100_000, 80_021), Preset):
        limits = RequestLimits(max_pixels=pixels)
        options = Options("a", preset, aspect="1:1", seed=1)
        size = compose(Mode.T2V, options, {}, limits).request.sampling.finished

        assert size.width == size.height
        assert size.pixels <= pixels


@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("side", ["width", "height"])
def test_one_typed_side_follows_the_aspect(preset: Preset, aspect: str, side: str) -> None:
    options = replace(Options("a", preset, aspect=aspect, seed=1), **{side: 768})

    size = compose(Mode.T2V, options, {}, RequestLimits()).request.sampling.finished

    assert getattr(size, side) == 768
    assert size.ratio == pytest.approx(ASPECTS[aspect], rel=0.13 if preset == "draft" else 0.06)


@pytest.mark.parametrize("mode", [mode for mode in Mode if MODES[mode].shape_from])
def test_one_typed_side_follows_the_picture_unless_an_aspect_is_typed(mode: Mode) -> None:
    media = files_of(mode, 720, 1280)

    def size_of(aspect: str | None) -> str:
        options = Options("a", width=512, aspect=aspect, seed=1)
        return str(compose(mode, options, media, RequestLimits()).request.sampling.size)

    assert size_of(None) == "512×896"
    assert size_of("1:1") == "512×512"


@pytest.mark.parametrize("sides", [{"width": 768}, {"height": 768}, {"width": 768, "height": 512}])
def test_an_unknown_aspect_is_refused_even_beside_a_typed_side(sides: dict[str, int]) -> None:
    with pytest.raises(NotAChoice) as caught:
        compose(Mode.T2V, Options("a", aspect="banana", **sides), {}, RequestLimits())

    assert caught.value.field == "aspect"


def test_a_draft_is_finished_within_limits_that_were_narrowed_since() -> None:
    draft = compose(Mode.T2V, Options("a", "draft", seed=1), {}, RequestLimits()).request
    narrow = RequestLimits(max_pixels=600_000)

    finished = quality(draft, narrow)

    assert typed_back(finished, narrow) == finished


@pytest.mark.parametrize("seconds", [0.99, 20.01])
def test_what_is_outside_is_refused_as_before(seconds: float) -> None:
    with pytest.raises(OutOfRange):
        compose(Mode.T2V, Options("a", seconds=seconds), {}, RequestLimits())
