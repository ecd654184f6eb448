"""What somebody's own graph gives back is what was asked, or is not delivered."""

from dataclasses import replace

import numpy as np
import pytest

from core.comfy.output_node import NodeOutput
from core.comfy.returned import frames_as_asked, sound_as_asked
from core.domain.media import Sound
from core.domain.presets import Preset
from core.domain.requests import Sampling
from core.errors import ClipDiffers
from core.workflow.bind import BoundWorkflow
from core.workflow.graph import Graph, Node

SAMPLING = Sampling(Preset.FAST, 128, 64, 17, 24, 1)


def output(frames: int, width: int = 128, height: int = 64) -> NodeOutput:
    pixels = np.arange(frames, dtype=np.uint8)[:, None, None, None]
    return NodeOutput(np.broadcast_to(pixels, (frames, height, width, 3)), None)


def bound(*kinds: str) -> BoundWorkflow:
    graph = Graph.of(Node(kind, kind, {}) for kind in kinds)
    return BoundWorkflow(graph, "out", {}, {}, custom=True)


@pytest.mark.parametrize("kind", ["LTXVAddGuide", "LTXVAddGuideMulti", "LTXAddVideoICLoRAGuide"])
def test_guides_behind_the_clip_are_dropped(kind: str) -> None:
    kept = frames_as_asked(output(33), SAMPLING, bound(kind)).frames

    assert len(kept) == 17
    assert kept[-1, 0, 0, 0] == 16


@pytest.mark.parametrize("kinds", [(), ("CFGGuider", "LTXVCropGuides", "FrameInterpolate")])
def test_more_frames_that_are_no_guides_are_refused(kinds: tuple[str, ...]) -> None:
    with pytest.raises(ClipDiffers) as caught:
        frames_as_asked(output(33), SAMPLING, bound(*kinds))

    assert (caught.value.asked, caught.value.given) == ("17", "33")


def test_fewer_frames_are_refused_also_with_guides() -> None:
    with pytest.raises(ClipDiffers, match="9"):
        frames_as_asked(output(9), SAMPLING, bound("LTXVAddGuide"))


def test_another_size_is_refused() -> None:
    with pytest.raises(ClipDiffers) as caught:
        frames_as_asked(output(17, 64, 128), SAMPLING, bound())

    assert (caught.value.asked, caught.value.given) == ("128×64", "64×128")


def test_sound_is_cut_to_the_clip_and_refused_where_much_is_missing() -> None:
    sampling = replace(SAMPLING, frames=121)  # a little over 5 s
    whole = Sound(np.zeros((2, 10 * 1000), np.float32), 1000)

    kept = sound_as_asked(whole, sampling)

    assert kept is not None
    assert kept.samples.shape == (2, round(sampling.seconds * 1000))
    near = replace(whole, samples=whole.samples[:, :5060])
    assert sound_as_asked(near, sampling) == near
    assert sound_as_asked(None, sampling) is None
    with pytest.raises(ClipDiffers):
        sound_as_asked(replace(whole, samples=whole.samples[:, :4000]), sampling)
