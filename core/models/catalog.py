"""The model family as data: files per profile, schedules, strengths and licences of LTX-2.3.

Sizes, hashes and commits are those that the hub itself announces for the pinned commits. Another
family is another record, made :data:`FAMILY` at the end of this module; nothing outside this
package and the graphs in ``workflows/`` names a family.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.dimensions import FRAME_STRIDE, SIDE_MULTIPLE
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS
from core.domain.presets import Control
from core.domain.requests import Request
from core.models import control_files, split_files, whole_files
from core.models.architecture import LTX_ARCHITECTURE, Architecture
from core.models.model_file import Licence, ModelFile
from core.models.node_classes import LTX_NODES, NodeClasses


class Profile(StrEnum):
    """Which files are used, chosen by the memory of the device."""

    BF16 = "bf16"  # 96 GB, or a Mac: MPS has no fp8
    FP8 = "fp8"  # from 32 GB
    LOW = "low"  # 16 to 24 GB; the files of fp8, streamed from main memory
    SMALL = "small"  # 12 to 16 GB; files of 8-bit whole numbers, streamed from main memory


class Slot(StrEnum):
    """What a graph uses a file for; a profile has either a checkpoint or its parts, each a file."""

    CHECKPOINT = "checkpoint"  # transformer, both VAEs, vocoder and text projection in one file
    TRANSFORMER = "transformer"
    VIDEO_VAE = "video_vae"
    AUDIO_VAE = "audio_vae"  # with the vocoder
    TEXT_PROJECTION = "text_projection"
    TEXT_ENCODER = "text_encoder"
    UPSCALER = "upscaler"
    DISTILLED_LORA = "distilled_lora"
    CONTROL_LORA = "control_lora"
    DEPTH = "depth"  # sees how far things are, where a film's depth is to be kept
    POSE = "pose"  # sees how people stand, where that is to be kept
    PEOPLE = "people"  # finds them for it
    TEMPORAL_UPSCALER = "temporal_upscaler"  # a frame between every two, where that is asked for


_SEEN_BY = {Slot.DEPTH: Control.DEPTH, Slot.POSE: Control.POSE, Slot.PEOPLE: Control.POSE}


@dataclass(frozen=True, slots=True)
class ModelNames:
    """File names as a graph's loader nodes want them, one field a :class:`Slot`.

    Empty where the profile has no such file: with a checkpoint its parts are, without it it is.
    """

    text_encoder: str
    upscaler: str
    distilled_lora: str
    control_lora: str
    checkpoint: str = ""
    transformer: str = ""
    video_vae: str = ""
    audio_vae: str = ""
    text_projection: str = ""
    temporal_upscaler: str = ""
    depth: str = ""
    pose: str = ""
    people: str = ""

    @property
    def split(self) -> bool:
        """Tell whether the parts of the checkpoint are files of their own."""
        return not self.checkpoint


@dataclass(frozen=True, slots=True)
class ProfileSpec:
    """The files of one profile, and what the device may be asked to do with them."""

    profile: Profile
    files: dict[Slot, ModelFile]
    min_memory_gb: int  # device memory below which the profile is not offered
    guided: bool = False  # may run the guided schedule: undistilled first stage, two passes a step
    offload: bool = False  # weights stay in main memory and are streamed


@dataclass(frozen=True, slots=True)
class Guidance:
    """The undistilled first stage: the LTX scheduler's values and each term of guidance.

    Source: the defaults that ``ltx_pipelines`` has for LTX-2.3, whose terms are added up as
    :mod:`core.comfy.own_nodes.guidance` says.
    """

    steps: int = 30
    cfg: float = 3.0  # of the picture
    audio_cfg: float = 7.0
    modality: float = 3.0  # away from picture and sound that do not see each other; 1: no such pass
    perturbation: float = 1.0  # away from a pass without the self-attention of some blocks; 0: none
    perturbed_blocks: tuple[int, ...] = (28,)
    rescale: float = 0.7  # back to the spread of the prompt's own prediction; 0: not at all
    lora_strength: float = 0.0  # of the distilled LoRA in stage 1
    max_shift: float = 2.05
    base_shift: float = 0.95
    terminal: float = 0.1


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """All that is particular to one generation of the model."""

    name: str
    base: str  # as LoRA metadata and file names call it
    profiles: dict[Profile, ProfileSpec]
    stage1_sigmas: tuple[float, ...]
    stage2_sigmas: tuple[float, ...]
    distilled_strength: float
    control_strength: float
    architecture: Architecture
    nodes: NodeClasses
    sampler: str = "euler"  # as ComfyUI names it
    tags: tuple[str, ...] = ()  # under which the hub lists it
    fps: int = 24
    side_multiple: int = SIDE_MULTIPLE  # px, two stages
    single_stage_multiple: int = 32  # px
    frame_stride: int = FRAME_STRIDE
    max_frames: int = 1000  # of the audio latent
    guidance: Guidance = field(default_factory=Guidance)
    # of H.264 on given pictures (its CRF), as the model saw them: the default of ``ltx_pipelines``
    # 1.2 for LTX-2.3; it is 18 from 2.4 on
    image_compression: int = 33
    enhanced_tokens: int = 320  # that a lengthened prompt may have: a little more than 200 words
    # white noise on the speech that lips follow, of its effective value (−30 dB): with clean
    # synthetic speech the model was reported to hold the picture still
    sound_noise: float = 0.03
    renamed: dict[str, str] = field(default_factory=dict[str, str])  # old file name: new one
    later: tuple[str, ...] = ()  # bases of models that came after the pinned ComfyUI

    def names(self, profile: Profile) -> ModelNames:
        """Return the file names of ``profile`` by slot."""
        return ModelNames(
            **{slot.value: file.name for slot, file in self.profiles[profile].files.items()}
        )

    def files_for(
        self,
        mode: Mode | None,
        profile: Profile,
        *,
        doubled: bool = False,
        control: Control | None = None,
    ) -> tuple[ModelFile, ...]:
        """Return the files that ``mode`` needs, largest first; mode None means all modes.

        ``doubled``: also the one that doubles the frame rate; ``control``: also those that see it.
        """
        special = {slot for spec in MODES.values() for slot in spec.models}
        unused = special.difference(MODES[mode].models) if mode else set[str]()
        unused |= set() if doubled else {Slot.TEMPORAL_UPSCALER}
        unused |= _SEEN_BY.keys() - {slot for slot, seen in _SEEN_BY.items() if seen is control}
        files = [file for slot, file in self.profiles[profile].files.items() if slot not in unused]
        return tuple(sorted(files, key=lambda file: -file.size_bytes))

    def files_of(self, request: Request, profile: Profile) -> tuple[ModelFile, ...]:
        """Return the files that ``request`` needs, largest first."""
        sampling = request.sampling
        control = sampling.control if OPTIONS["control"].offered_in(request.mode) else None
        return self.files_for(request.mode, profile, doubled=sampling.doubled, control=control)

    def profile_for(self, memory_bytes: float) -> Profile:
        """Return the profile of the largest files for a device of ``memory_bytes``.

        The smallest profile stands for devices that are too small for any.
        """
        specs = sorted(self.profiles.values(), key=lambda spec: -spec.min_memory_gb)
        fits = (spec for spec in specs if memory_bytes >= spec.min_memory_gb * 1e9)
        return next(fits, specs[-1]).profile

    @property
    def licences(self) -> tuple[Licence, ...]:
        """Return the terms of all files, each once."""
        return tuple(dict.fromkeys(file.licence for file in self.all_files()))

    def all_files(self) -> tuple[ModelFile, ...]:
        """Return every file of every profile once."""
        return tuple(
            dict.fromkeys(file for spec in self.profiles.values() for file in spec.files.values())
        )


def _files(text_encoder: ModelFile, **parts: ModelFile) -> dict[Slot, ModelFile]:
    return {
        **{Slot(part): file for part, file in parts.items()},
        Slot.TEXT_ENCODER: text_encoder,
        Slot.UPSCALER: whole_files.UPSCALER,
        Slot.DISTILLED_LORA: whole_files.DISTILLED,
        Slot.CONTROL_LORA: whole_files.CONTROL,
        Slot.TEMPORAL_UPSCALER: whole_files.TEMPORAL,
        Slot.DEPTH: control_files.DEPTH,
        Slot.POSE: control_files.POSE,
        Slot.PEOPLE: control_files.PEOPLE,
    }


_SPLIT = _files(
    whole_files.GEMMA_FP4,
    transformer=split_files.INT8_TRANSFORMER,
    video_vae=split_files.VIDEO_VAE,
    audio_vae=split_files.AUDIO_VAE,
    text_projection=split_files.TEXT_PROJECTION,
)

LTX_2_3 = ModelFamily(
    name="LTX-2.3",
    base="ltx-2.3-22b",
    profiles={
        spec.profile: spec
        for spec in (
            ProfileSpec(
                Profile.BF16,
                _files(whole_files.GEMMA_BF16, checkpoint=whole_files.DEV_BF16),
                90,
                guided=True,
            ),
            ProfileSpec(
                Profile.FP8, _files(whole_files.GEMMA_FP4, checkpoint=whole_files.DEV_FP8), 30
            ),
            ProfileSpec(
                Profile.LOW,
                _files(whole_files.GEMMA_FP4, checkpoint=whole_files.DEV_FP8),
                15,
                offload=True,
            ),
            ProfileSpec(Profile.SMALL, _SPLIT, 11, offload=True),
        )
    },
    stage1_sigmas=(1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875, 0.0),
    stage2_sigmas=(0.85, 0.725, 0.4219, 0.0),
    distilled_strength=0.5,
    control_strength=1.0,
    architecture=LTX_ARCHITECTURE,
    nodes=LTX_NODES,
    tags=("ltx-2",),
    later=("ltx-2.4", "ltx-2.5", "ltx-2.6 or later"),
    renamed={
        "ltx-2.3-spatial-upscaler-x2-1.0.safetensors": whole_files.UPSCALER.name,
        "ltx-2.3-22b-distilled-1.1_lora-dynamic_fro09_avg_rank_111_bf16.safetensors": (
            whole_files.DISTILLED.name
        ),
    },
)


FAMILY = LTX_2_3  # the family in use


def names(profile: Profile) -> ModelNames:
    """Return the file names of ``profile`` in the family in use."""
    return FAMILY.names(profile)


def files_for(mode: Mode | None, profile: Profile) -> tuple[ModelFile, ...]:
    """Return the files that ``mode`` needs in the family in use; None means all modes."""
    return FAMILY.files_for(mode, profile)
