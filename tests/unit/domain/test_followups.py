from dataclasses import replace

import pytest

from core.domain.dimensions import Size
from core.domain.followups import (
    again,
    can_improve,
    changeable,
    is_present,
    options_of,
    quality,
    with_option,
)
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import ASPECTS, OPTIONS, Option, OptionKind, Options
from core.domain.presets import Camera, Preset
from core.domain.request_builder import compose
from core.domain.requests import Request, Sampling, make_request
from core.domain.seeds import new_seed
from core.errors import NotAChoice, NotANumber, OutOfRange

SAMPLING = Sampling(Preset.FAST, 448, 832, 49, 16, seed=7, camera=Camera.JIB_UP)
FILES = {
    kind: MediaFile(str(n) * 64, ".x", kind, 10, 640, 480, seconds=30, fps=24)
    for n, kind in enumerate(MediaKind)
}


def request_of(mode: Mode) -> Request:
    media = {slot.role: FILES[slot.kind] for slot in MODES[mode].slots}
    return make_request(mode, "a cat", SAMPLING, media)


@pytest.mark.parametrize("mode", Mode)
def test_again_changes_nothing_but_the_seed(mode: Mode) -> None:
    request = request_of(mode)
    other = again(request)

    assert other.sampling.seed != request.sampling.seed
    assert replace(other, sampling=request.sampling) == request


@pytest.mark.parametrize("mode", [mode for mode in Mode if not MODES[mode].continues])
def test_quality_keeps_seed_length_and_shape(mode: Mode) -> None:
    request = request_of(mode)
    better = quality(request, RequestLimits())

    assert better.sampling.seed == request.sampling.seed
    assert better.sampling.frames == request.sampling.frames
    assert better.sampling.size == Size(1024, 1920)
    assert can_improve(request)
    assert not can_improve(better)


@pytest.mark.parametrize("mode", Mode)
def test_options_of_a_request_compose_to_the_same_request(mode: Mode) -> None:
    request = request_of(mode)

    composed = compose(mode, options_of(request), request.media(), RequestLimits())

    assert composed.request == request
    assert composed.adjustments == ()


def test_the_quality_pass_of_a_draft_finishes_the_same_picture() -> None:
    draft = replace(SAMPLING, preset=Preset.DRAFT, width=640, height=384)

    finished = quality(Request(Mode.T2V, "A red fox runs.", draft), RequestLimits()).sampling

    assert (finished.preset, finished.width, finished.height) == (Preset.BALANCED, 1280, 768)
    assert replace(finished, preset=Preset.DRAFT, width=640, height=384) == draft


def test_editing_a_draft_asks_for_the_same_draft_again() -> None:
    draft = replace(SAMPLING, preset=Preset.DRAFT, width=640, height=384)

    options = options_of(Request(Mode.T2V, "A red fox runs.", draft))

    assert (options.width, options.height) == (1280, 768)
    assert compose(Mode.T2V, options, {}, RequestLimits()).request.sampling.size == draft.size


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("preset", Preset)
def test_another_preset_keeps_shape_length_and_seed(mode: Mode, preset: Preset) -> None:
    request = request_of(mode)

    options = with_option(request, OPTIONS["preset"], preset, RequestLimits())
    other = compose(mode, options, request.media(), RequestLimits()).request

    assert other.sampling.preset is preset
    assert other.sampling.size.ratio == pytest.approx(ASPECTS["9:16"], rel=0.1)
    assert (other.sampling.frames, other.sampling.seed) == (49, 7)
    assert other.sampling.camera is Camera.JIB_UP
    assert other.prompt == request.prompt


@pytest.mark.parametrize("aspect", ASPECTS)
def test_another_aspect_keeps_preset_length_and_seed(aspect: str) -> None:
    request = request_of(Mode.T2V)

    options = with_option(request, OPTIONS["aspect"], aspect, RequestLimits())
    other = compose(Mode.T2V, options, {}, RequestLimits()).request.sampling

    assert other.size.ratio == pytest.approx(ASPECTS[aspect], rel=0.06)
    assert (other.preset, other.frames, other.seed) == (Preset.FAST, 49, 7)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("seconds", ["3", "5", "10"])
def test_other_seconds_change_only_the_frames(mode: Mode, seconds: str) -> None:
    request = request_of(mode)

    options = with_option(request, OPTIONS["seconds"], seconds, RequestLimits())
    other = compose(mode, options, request.media(), RequestLimits()).request

    assert other.sampling.seconds == pytest.approx(float(seconds), abs=0.3)
    sampling = replace(request.sampling, frames=other.sampling.frames)
    assert other == replace(request, sampling=sampling)


@pytest.mark.parametrize(
    ("option", "value", "refusal"),
    [
        (OPTIONS["seconds"], "long", NotANumber),
        (OPTIONS["seconds"], "nan", NotANumber),
        (OPTIONS["seconds"], "-1", OutOfRange),
        (OPTIONS["preset"], "best", NotAChoice),
        (OPTIONS["aspect"], "round", NotAChoice),
    ],
)
def test_a_forged_value_of_a_button_is_refused(
    option: Option, value: str, refusal: type[Exception]
) -> None:
    request = request_of(Mode.T2V)

    with pytest.raises(refusal):
        compose(Mode.T2V, with_option(request, option, value, RequestLimits()), {}, RequestLimits())


@pytest.mark.parametrize(
    ("mode", "option"),
    [(mode, option) for mode in MODES for option in changeable(mode)],
    ids=lambda item: item.name if isinstance(item, Option) else str(item),
)
def test_what_a_button_chose_is_marked_as_chosen(mode: Mode, option: Option) -> None:
    request = request_of(mode)
    for value in option.buttons:
        options = with_option(request, option, value, RequestLimits())
        chosen = compose(mode, options, request.media(), RequestLimits()).request

        assert is_present(chosen, option, value), value


def test_a_new_option_has_buttons_where_its_row_says_so_and_only_in_its_modes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    modes = frozenset({Mode.STYLE})
    row = Option("strength", OptionKind.NUMBER, modes=modes, buttons=("0.5", "1"))
    monkeypatch.setitem(OPTIONS, row.name, row)

    assert [mode for mode in MODES if row in changeable(mode)] == [Mode.STYLE]


def test_drawn_seeds_survive_every_reader_of_json() -> None:
    drawn = [new_seed() for _ in range(200)]
    composed = [
        compose(Mode.T2V, Options.of({"prompt": "x"}), {}, RequestLimits()).request.sampling.seed
        for _ in range(200)
    ]
    for seed in drawn + composed:
        assert int(float(seed)) == seed
    assert len({*drawn, *composed}) == 400
    assert max(drawn) > 2**48


def test_a_typed_seed_keeps_all_its_digits() -> None:
    typed = Options.of({"prompt": "x", "seed": 2**63 - 1})

    assert compose(Mode.T2V, typed, {}, RequestLimits()).request.sampling.seed == 2**63 - 1
