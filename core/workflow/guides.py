"""Read from a mode's graph what it adds to the work of its own video."""

from collections import Counter
from dataclasses import dataclass
from functools import cache

from core.domain.dimensions import SIDE_MULTIPLE
from core.domain.modes import Mode
from core.models.catalog import FAMILY
from core.workflow.bind import SAMPLERS
from core.workflow.library import load


@dataclass(frozen=True, slots=True)
class Guides:
    """What a mode's workflow adds to the tokens of its own video.

    All guides have strength 1, so none masks self-attention.
    """

    images: int = 0  # input pictures
    frames: int = 0  # of them, appended as guide frames in every stage
    clip_shrink: int = 0  # guide clip in stage 1, at its size divided by this; 0: there is none
    keeps_sound: bool = False  # the given sound goes into the clip: no audio is decoded
    canvas: int = SIDE_MULTIPLE  # px; sides are rounded up to whole multiples before sampling


@cache
def guides_of(mode: Mode) -> Guides:
    """Count the guides in the project's own graph of ``mode``.

    A guide clip is at the size of stage 1 divided by the reference factor of its control LoRA. The
    factor is in no graph, but the canvas is the plain one times it: the guide's sides, too, must be
    whole latents.
    """
    workflow = load(mode, None)
    nodes = workflow.graph.nodes.values()
    kinds = Counter(node.kind for node in nodes)
    guide, decoder = FAMILY.nodes.guide, FAMILY.nodes.audio_decoder
    clips = sum("iclora_parameters" in node.inputs for node in nodes if node.kind == guide)
    stages = sum(kinds[kind] for kind in SAMPLERS)
    canvas = workflow.bindings.canvas
    return Guides(
        images=kinds["LoadImage"],
        frames=(kinds[guide] - clips) // stages,
        clip_shrink=canvas // SIDE_MULTIPLE if clips else 0,
        keeps_sound=not kinds[decoder],
        canvas=canvas,
    )
