from dataclasses import replace

import pytest

from core.domain.dimensions import Size
from core.domain.followups import again, can_improve, longer, options_of, quality
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.presets import Camera, Preset
from core.domain.request_builder import compose
from core.domain.requests import ImageToVideo, Request, Sampling, TextToVideo, make_request

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


@pytest.mark.parametrize("mode", Mode)
def test_quality_keeps_seed_length_and_shape(mode: Mode) -> None:
    request = request_of(mode)
    better = quality(request, RequestLimits())

    assert better.sampling.seed == request.sampling.seed
    assert better.sampling.frames == request.sampling.frames
    assert better.sampling.size == Size(1024, 1920)
    assert can_improve(request)
    assert not can_improve(better)


def test_longer_continues_from_the_last_frame_of_any_mode() -> None:
    frame = FILES[MediaKind.IMAGE]
    more = longer(request_of(Mode.LIPSYNC), frame)

    assert isinstance(more, ImageToVideo)
    assert more.image == frame
    assert more.sampling.seed != 7


@pytest.mark.parametrize("mode", Mode)
def test_options_of_a_request_compose_to_the_same_request(mode: Mode) -> None:
    request = request_of(mode)

    composed = compose(mode, options_of(request), request.media(), RequestLimits())

    assert composed.request == request
    assert composed.adjustments == ()


def test_the_quality_pass_of_a_draft_finishes_the_same_picture() -> None:
    draft = replace(SAMPLING, preset=Preset.DRAFT, width=640, height=384)

    finished = quality(TextToVideo("A red fox runs.", draft), RequestLimits()).sampling

    assert (finished.preset, finished.width, finished.height) == (Preset.BALANCED, 1280, 768)
    assert replace(finished, preset=Preset.DRAFT, width=640, height=384) == draft


def test_editing_a_draft_asks_for_the_same_draft_again() -> None:
    draft = replace(SAMPLING, preset=Preset.DRAFT, width=640, height=384)

    options = options_of(TextToVideo("A red fox runs.", draft))

    assert (options.width, options.height) == (1280, 768)
    assert compose(Mode.T2V, options, {}, RequestLimits()).request.sampling.size == draft.size
