"""Everything that a graph may need of one request, by name, each derived in one place."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from core.domain.continuation import film_of, run_frames
from core.domain.dimensions import play_time
from core.domain.keyframes import sampled_frames
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import KEPT, OPTIONS, OptionKind
from core.domain.presets import PRESETS, Sync
from core.domain.requests import Request
from core.errors import MediaMissing
from core.models.catalog import FAMILY, Guidance, ModelFamily, ModelNames
from core.workflow.bindings import Bindings
from core.workflow.control_video import canvas_of
from core.workflow.graph import Leaf
from core.workflow.heard_sound import cut_seconds, held_latents, latents_of
from core.workflow.prompt_phrases import (
    added_text,
    has_phrase,
    literal,
    prompt_text,
    typed_text,
)
from core.workflow.shown_film import shown_sound
from core.workflow.sigmas import as_text, guided_sigmas

SHOWN_SOUND = "shown_sound"  # staged beside the film that goes on: the sound of the run
SOUND = "sound"  # staged beside the roles of a request: the sound of its source video

# Which values each field of a request reaches. The roles of the mode's files stand for themselves.
FIELDS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt",),
    **{option.name: ("prompt",) if has_phrase(option.name) else (option.name,) for option in KEPT},
    "sound_from": (SHOWN_SOUND,),
    "times": ("first_at", "last_at"),
    "preset": ("stage1_sigmas", "guidance", "stage1_strength"),
    "sync": ("modality",),
    "control": ("depth", "pose"),
    "enhance": ("prompt_key",),
    "width": ("width", "half_width", "canvas_width"),
    "height": ("height", "half_height", "canvas_height"),
    "frames": ("frames",),
    "fps": ("fps", "fps_exact"),
    "seed": ("seed", "stage2_seed"),
    "doubled": ("fps", "fps_exact"),
}


@dataclass(frozen=True, slots=True)
class MachineChoices:
    """What the machine decides, not the requester."""

    guided: bool = False  # the profile has memory and time for the guided schedule
    tile: int = 0  # px of the decoder's tiles; 0 decodes whole frames
    compression: int | None = None  # of given pictures; None: the family's
    word_rules: str = ""  # hash of the words that the enhancer may not write
    stage1: str = ""  # names the kept latents of stage 1, which then is not made again


def rules_key(words: Iterable[str]) -> str:
    """Return a hash of ``words`` that the enhancer may not write; empty where there are none."""
    text = "\n".join(words)
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def guided(request: Request, choices: MachineChoices) -> bool:
    """Tell whether ``request`` runs the guided schedule, where its negative prompt acts."""
    return choices.guided and PRESETS[request.sampling.preset].may_guide


def synced(request: Request, choices: MachineChoices) -> bool:
    """Tell whether stage 1 of ``request`` has the modality term without the guided schedule."""
    may = PRESETS[request.sampling.preset].may_guide and not guided(request, choices)
    return may and _sync(request) is Sync.STRONG


def modality_of(request: Request, choices: MachineChoices, guidance: Guidance) -> float:
    """Return the scale of the modality term in stage 1 of ``request``; 1 where it has none."""
    if guided(request, choices):
        return 1.0 if _sync(request) is Sync.OFF else guidance.modality
    return guidance.modality if synced(request, choices) else 1.0


def _sync(request: Request) -> Sync:
    """Return what was chosen; a clip made longer in another mode has it without its option."""
    offered = OPTIONS["sync"].offered_in(request.mode)
    return request.sampling.sync if offered else Sync.AUTO


def values_of(
    request: Request,
    names: ModelNames,
    staged: Mapping[str, str],
    job: str,
    choices: MachineChoices,
    bindings: Bindings,
    family: ModelFamily = FAMILY,
) -> dict[str, Leaf]:
    """Compute every value by name; a value that is absent leaves the graph as its file says.

    Args:
        request: checked and snapped.
        names: model files as the loader nodes know them.
        staged: names inside ComfyUI's input folder, by role.
        job: names the run in the output node.
        choices: what the machine decides.
        bindings: of the graph, which know its canvas and whether it can draft.
        family: schedules and strengths.

    Raises:
        MediaMissing: a file of the request was not staged.
    """
    return {
        **_words(request),
        **_enhancing(request, names, family),
        **_shape(request, bindings),
        **_shown(request),
        **_places(request),
        **_schedule(request, choices, family),
        **_files(request.mode, staged),
        **{slot: file for slot, file in asdict(names).items() if file},
        "sampler": family.sampler,
        "control_strength": family.control_strength,
        "image_compression": (
            family.image_compression if choices.compression is None else choices.compression
        ),
        "sound_noise": family.sound_noise,
        "job": job,
        "stage1": choices.stage1,
        "word_rules": choices.word_rules,
        "tile_size": choices.tile,
    }


def _words(request: Request) -> dict[str, Leaf]:
    kept = {option.name: getattr(request.sampling, option.name) for option in KEPT}
    words: dict[str, Leaf] = {"prompt": prompt_text(request.prompt, request.mode, kept)}
    for option in KEPT:
        if option.kind is OptionKind.TEXT and not has_phrase(option.name):
            if kept[option.name].strip():
                words[option.name] = literal(kept[option.name])
        elif not has_phrase(option.name):
            words[option.name] = kept[option.name]
    return words


def _enhancing(request: Request, names: ModelNames, family: ModelFamily) -> dict[str, Leaf]:
    """Return what the enhancer is given; the key is a hash of all that decides what it writes."""
    typed = typed_text(request.prompt, request.mode)
    pictures = [file.sha256 for file in request.files if file.kind is MediaKind.IMAGE]
    decides = [names.text_encoder, family.enhanced_tokens, request.mode, typed, *pictures]
    if pictures:  # the picture is seen in the shape of the clip
        decides.append(str(request.sampling.finished))
    kept = {option.name: getattr(request.sampling, option.name) for option in KEPT}
    return {
        "typed_prompt": typed,
        "added_prompt": added_text(request.mode, kept),
        "enhanced_tokens": family.enhanced_tokens,
        "prompt_key": hashlib.sha256(json.dumps(decides).encode()).hexdigest(),
    }


def _shape(request: Request, bindings: Bindings) -> dict[str, Leaf]:
    """Return sizes and times; sizes are those of the finished clip, of which a draft is half."""
    sampling = request.sampling
    finished = bindings.size_of(sampling)
    canvas = canvas_of(finished, bindings.canvas)
    return {
        "width": finished.width,
        "height": finished.height,
        "canvas_width": canvas.width,
        "canvas_height": canvas.height,
        "half_width": canvas.width // 2,
        "half_height": canvas.height // 2,
        "crop_x": (canvas.width - finished.width) // 2,
        "crop_y": (canvas.height - finished.height) // 2,
        "frames": run_frames(request),
        "fps": sampling.sampled_fps,
        "fps_exact": float(sampling.sampled_fps),
        "seconds": play_time(run_frames(request), sampling.sampled_fps),
        "heard_seconds": cut_seconds(request),
        "seed": sampling.seed,
        "stage2_seed": sampling.seed + 1,  # fresh noise: what stage 1 used up is not drawn again
    }


def _shown(request: Request) -> dict[str, Leaf]:
    """Return how much of its sound a continuation keeps: of the film, or all where it is given."""
    film = film_of(request)
    if film is None:
        return {}
    sound = shown_sound(request, film)
    given = MODES[request.mode].length_from in request.media()
    return {
        "sound_latents": latents_of(sound.seconds),
        "held_latents": held_latents(sound.shown_s),
        "sound_free": 0.0 if given else 1.0,
    }


def _places(request: Request) -> dict[str, Leaf]:
    """Return the frame of each picture; a first and a last one are where the graph has them."""
    if request.mode is not Mode.KEYFRAME or (
        not request.sampling.times and len(request.files) == len(MODES[request.mode].slots)
    ):
        return {}
    return {f"{role}_at": frame for role, frame in sampled_frames(request).items()}


def _schedule(request: Request, choices: MachineChoices, family: ModelFamily) -> dict[str, Leaf]:
    second: dict[str, Leaf] = {
        "stage2_sigmas": as_text(family.stage2_sigmas),
        "stage2_strength": family.distilled_strength,
    }
    guidance = family.guidance
    terms: dict[str, Leaf] = {
        "modality": modality_of(request, choices, guidance),
        "perturbation": guidance.perturbation,
        "perturbed_blocks": ", ".join(map(str, guidance.perturbed_blocks)),
        "rescale": guidance.rescale,
        **second,
    }
    if guided(request, choices):
        return {
            "stage1_sigmas": as_text(guided_sigmas(guidance)),
            "stage1_strength": guidance.lora_strength,
            "guidance": guidance.cfg,
            "audio_guidance": guidance.audio_cfg,
            **terms,
        }
    return {
        "stage1_sigmas": as_text(family.stage1_sigmas),
        "stage1_strength": family.distilled_strength,
        "guidance": 1.0,
        **terms,
    }


def _files(mode: Mode, staged: Mapping[str, str]) -> dict[str, Leaf]:
    for slot in MODES[mode].slots:
        if slot.role not in staged:
            raise MediaMissing(mode, slot.role)
    return dict(staged)
