"""Compare what a graph made with what was asked, before anything is delivered."""

from dataclasses import replace

import structlog

from core.comfy.output_node import NodeOutput
from core.domain.media import Sound
from core.domain.requests import Sampling
from core.errors import ClipDiffers
from core.workflow.bind import BoundWorkflow

_log = structlog.get_logger(__name__)
_STEP_S = 0.1  # the audio VAE works in steps of 1/25 s, and its vocoder rounds once more
_TOO_SHORT_S = 0.5  # a gap at the end that people hear


def frames_as_asked(output: NodeOutput, sampling: Sampling, bound: BoundWorkflow) -> NodeOutput:
    """Return ``output`` with as many frames as were asked.

    A graph that adds guides leaves them behind the clip where its owner does not cut them off;
    these frames are dropped.

    Args:
        output: of the graph.
        sampling: what was asked.
        bound: the graph as it ran.

    Raises:
        ClipDiffers: another size, or another number of frames.
    """
    count, height, width = output.frames.shape[:3]
    if (width, height) != (sampling.width, sampling.height):
        asked, given = f"{sampling.width}×{sampling.height}", f"{width}×{height}"
        raise ClipDiffers("differs_size", asked, given)
    if count < sampling.frames or (count > sampling.frames and not _adds_guides(bound)):
        raise ClipDiffers("differs_frames", str(sampling.frames), str(count))
    if count > sampling.frames:
        _log.info("guides_dropped", frames=count - sampling.frames)
    return replace(output, frames=output.frames[: sampling.frames])


def sound_as_asked(sound: Sound | None, sampling: Sampling) -> Sound | None:
    """Return ``sound`` cut to the clip, None where the graph makes none.

    Raises:
        ClipDiffers: it is much shorter than the clip.
    """
    if sound is None:
        return None
    given = sound.samples.shape[-1] / sound.rate
    if given < sampling.seconds - _TOO_SHORT_S:
        raise ClipDiffers("differs_sound", f"{sampling.seconds:.1f}", f"{given:.1f}")
    if given <= sampling.seconds + _STEP_S:
        return sound
    wanted = round(sampling.seconds * sound.rate)
    return replace(sound, samples=sound.samples[..., :wanted])


def _adds_guides(bound: BoundWorkflow) -> bool:
    kinds = [node.kind for node in bound.bound.nodes.values()]
    return any("Guide" in kind and not kind.endswith(("Guider", "CropGuides")) for kind in kinds)
