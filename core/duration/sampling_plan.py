"""Plan a request: which sampling stages its mode runs, and with which guides.

The shape of the workflows as numbers. Guides are read from the graph of the mode; that all have the
same two stages is said here, and tests hold the graphs to it.
"""

from core.domain.continuation import film_of, run_frames, shown_frames
from core.domain.media import MediaKind
from core.domain.presets import PRESETS, Enhance
from core.domain.requests import Request
from core.duration.workload import Part, SamplingPlan, SamplingStage, Tiling
from core.models.catalog import FAMILY, ModelFamily, Profile
from core.workflow.guides import guides_of
from core.workflow.values import MachineChoices, guided, modality_of


def plan_of(
    request: Request,
    profile: str = "bf16",
    tiling: Tiling | None = None,
    family: ModelFamily = FAMILY,
) -> SamplingPlan:
    """Plan ``request``.

    Args:
        request: already snapped.
        profile: which model files, a key of :data:`core.models.architecture.WEIGHTS`.
        tiling: how the decoder cuts; None decodes whole frames.
        family: its schedules.
    """
    sampling, guides = request.sampling, guides_of(request.mode)
    more = sum(file.kind is MediaKind.IMAGE for file in request.files) - guides.images
    more = max(0, more) if guides.frames else 0  # pictures between the first and the last
    preset = PRESETS[sampling.preset]
    steps, branches, prompts = _first_stage(request, profile, family)
    shrink = 2 if preset.stage2_steps else 1  # of the first stage, against the clip that is made
    canvas = guides.canvas * shrink // 2
    first = SamplingStage(
        Part.STAGE1,
        steps,
        shrink=shrink,
        branches=branches,
        guide_frames=guides.frames + more,
        guide_clip=1 / guides.clip_shrink**2 if guides.clip_shrink else 0.0,
    )
    second = SamplingStage(Part.STAGE2, preset.stage2_steps, guide_frames=guides.frames + more)
    return SamplingPlan(
        -(-sampling.width // canvas) * canvas,
        -(-sampling.height // canvas) * canvas,
        run_frames(request),
        sampling.sampled_fps,
        (first, second) if preset.stage2_steps else (first,),
        prompts=prompts,
        written=family.enhanced_tokens if sampling.enhance is Enhance.ON else 0,
        images=guides.images + more,
        clip_shrink=shrink * guides.clip_shrink,
        control_flops=getattr(family.architecture.control, sampling.control, 0.0),
        shown_frames=shown_frames(request) + 1 if film_of(request) else 0,
        doubled=sampling.doubled,
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
