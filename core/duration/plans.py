"""From a request to its plan: which sampling stages a mode runs, and with which guides.

The shape of the six workflows as numbers. Where a workflow changes its stages or guides, this is
the module to change with it.
"""

from dataclasses import dataclass

from core.duration.work import Part, Plan, Sampling, Tiling
from core.modes import Mode
from core.presets import PRESETS
from core.requests import Request


@dataclass(frozen=True, slots=True)
class Guides:
    """What a mode's workflow adds to the tokens of its own video."""

    images: int = 0  # input pictures
    frames: int = 0  # of them, appended as guide frames in every stage
    clip: float = 0.0  # guide clip in stage 1, relative to that stage's tokens
    masked: bool = False  # guides of a strength other than 1
    keeps_sound: bool = False  # the given sound goes into the clip: no audio is decoded


GUIDES: dict[Mode, Guides] = {
    Mode.T2V: Guides(),
    Mode.I2V: Guides(images=1),
    Mode.A2V: Guides(keeps_sound=True),
    Mode.LIPSYNC: Guides(images=1, keeps_sound=True),
    Mode.KEYFRAME: Guides(images=2, frames=2, masked=True),
    Mode.STYLE: Guides(images=1, clip=1.0, masked=True),
}


def plan_of(request: Request, profile: str = "bf16", tiling: Tiling | None = None) -> Plan:
    """Return the plan of ``request``.

    Args:
        request: already snapped.
        profile: which model files, a key of :data:`core.duration.model.WEIGHTS`.
        tiling: how the decoder cuts; None decodes whole frames.
    """
    sampling, guides = request.sampling, GUIDES[request.mode]
    preset = PRESETS[sampling.preset]
    guided = preset.guidance > 1
    first = Sampling(
        Part.STAGE1,
        preset.stage1_steps,
        shrink=2,
        branches=2 if guided else 1,
        guide_frames=guides.frames,
        guide_clip=guides.clip,
        masked=guides.masked,
    )
    second = Sampling(
        Part.STAGE2,
        preset.stage2_steps,
        guide_frames=guides.frames,
        masked=guides.masked and guides.frames > 0,
    )
    return Plan(
        sampling.width,
        sampling.height,
        sampling.frames,
        sampling.fps,
        (first, second) if preset.stage2_steps else (first,),
        prompts=2 if guided else 1,
        images=guides.images,
        clip_shrink=2 if guides.clip else 0,
        decodes_audio=not guides.keeps_sound,
        profile=profile,
        tiling=tiling,
    )
