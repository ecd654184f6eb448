"""Plan a request: which sampling stages its mode runs, and with which guides.

The shape of the workflows as numbers. Guides are read from the graph of the mode; that all have the
same two stages is said here, and tests hold the graphs to it.
"""

from core.domain.presets import PRESETS, Enhance
from core.domain.requests import Request
from core.duration.workload import Part, SamplingPlan, SamplingStage, Tiling
from core.models.catalog import LTX_2_3, ModelFamily, Profile
from core.workflow.guides import guides_of
from core.workflow.values import MachineChoices, guided, modality_of


def plan_of(
    request: Request,
    profile: str = "bf16",
    tiling: Tiling | None = None,
    family: ModelFamily = LTX_2_3,
) -> SamplingPlan:
    """Plan ``request``.

    Args:
        request: already snapped.
        profile: which model files, a key of :data:`core.duration.architecture.WEIGHTS`.
        tiling: how the decoder cuts; None decodes whole frames.
        family: its schedules.
    """
    sampling, guides = request.sampling, guides_of(request.mode)
    preset = PRESETS[sampling.preset]
    steps, branches, prompts = _first_stage(request, profile, family)
    shrink = 2 if preset.stage2_steps else 1  # of the first stage, against the clip that is made
    canvas = guides.canvas * shrink // 2
    first = SamplingStage(
        Part.STAGE1,
        steps,
        shrink=shrink,
        branches=branches,
        guide_frames=guides.frames,
        guide_clip=1 / guides.clip_shrink**2 if guides.clip_shrink else 0.0,
    )
    second = SamplingStage(Part.STAGE2, preset.stage2_steps, guide_frames=guides.frames)
    return SamplingPlan(
        -(-sampling.width // canvas) * canvas,
        -(-sampling.height // canvas) * canvas,
        sampling.frames,
        sampling.fps,
        (first, second) if preset.stage2_steps else (first,),
        prompts=prompts,
        written=family.enhanced_tokens if sampling.enhance is Enhance.ON else 0,
        images=guides.images,
        clip_shrink=shrink * guides.clip_shrink,
        decodes_audio=not guides.keeps_sound,
        profile=profile,
        tiling=tiling,
    )


def _first_stage(request: Request, profile: str, family: ModelFamily) -> tuple[int, int, int]:
    """Return the steps of stage 1, its forwards a step, and the texts that are encoded for it.

    Guidance needs the negative prompt, and a pass for each term that is not switched off.
    """
    preset, guidance = PRESETS[request.sampling.preset], family.guidance
    allowed = profile in set(Profile) and family.profiles[Profile(profile)].guided
    choices = MachineChoices(guided=allowed)
    severed = modality_of(request, choices, guidance) != 1
    if guided(request, choices):
        return guidance.steps, 2 + (guidance.perturbation != 0) + severed, 2
    prompts = 2 if preset.guidance > 1 else 1
    return preset.stage1_steps, prompts + severed, prompts
