"""The presets: what a requester chooses instead of steps and guidance.

Source of the sizes and step counts: the distilled two-stage schedule (8 sigmas at half
size, then 3 at full size); its measured cost is in docs/performance.md.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from core.domain.dimensions import SIDE_MULTIPLE, Size
from core.domain.limits import RequestLimits


class Preset(StrEnum):
    """How much work goes into a clip."""

    DRAFT = "draft"  # a third of the work: the first stage alone, at half the finished size
    FAST = "fast"
    BALANCED = "balanced"
    QUALITY = "quality"


class Camera(StrEnum):
    """Camera moves; they act through the prompt, as no camera LoRA exists for the model."""

    NONE = "none"
    STATIC = "static"
    DOLLY_IN = "dolly_in"
    DOLLY_OUT = "dolly_out"
    DOLLY_LEFT = "dolly_left"
    DOLLY_RIGHT = "dolly_right"
    JIB_UP = "jib_up"
    JIB_DOWN = "jib_down"


class Sync(StrEnum):
    """How strongly picture and sound are drawn together where the first stage is a full one."""

    AUTO = "auto"  # as the schedule has it: with guidance, else not
    STRONG = "strong"  # by modality guidance, whatever the schedule
    OFF = "off"  # never, which saves its passes


class Control(StrEnum):
    """What a restyled clip takes from its source."""

    EDGES = "edges"  # every outline; needs no network
    DEPTH = "depth"  # how far things are: outlines may change
    POSE = "pose"  # how people stand and move: all else may change


class Enhance(StrEnum):
    """Whether a language model makes more of the prompt."""

    OFF = "off"
    ON = "on"


class Drafts(StrEnum):
    """How many drafts are made of one request, to choose among."""

    ONE = "1"  # what was asked for, at its preset
    FOUR = "4"  # by four seeds, at the draft preset


class Captions(StrEnum):
    """Whether everybody who sees a clip reads what it was asked for with."""

    SHOWN = "shown"
    HIDDEN = "hidden"


class Remixing(StrEnum):
    """What others may make of a clip that everybody sees."""

    WORDS = "words"  # one with its prompt and settings, and files of their own
    FILES = "files"  # and with the files that its maker sent
    OFF = "off"  # nothing


@dataclass(frozen=True, slots=True)
class PresetSpec:
    """Size budget and schedule of one preset; stages run plain ``euler``, or not at 0 steps."""

    preset: Preset
    size: Size  # 3:2 or 16:9; other shapes keep its pixel count
    stage1_steps: int = 8
    stage2_steps: int = 3
    guidance: float = 1.0  # CFG of stage 1; above 1 the negative prompt acts and steps cost twice
    scale: int = 1  # sides of the finished clip ÷ sides of what this makes
    may_guide: bool = False  # runs the family's guided schedule where the profile allows it


PRESETS: dict[Preset, PresetSpec] = {
    spec.preset: spec
    for spec in (
        PresetSpec(Preset.DRAFT, Size(640, 384), stage2_steps=0, scale=2),
        PresetSpec(Preset.FAST, Size(768, 512)),
        PresetSpec(Preset.BALANCED, Size(1280, 704)),
        PresetSpec(Preset.QUALITY, Size(1920, 1088), may_guide=True),
    )
}


def limits_of(spec: PresetSpec, limits: RequestLimits) -> RequestLimits:
    """Return ``limits``, which are those of finished clips, for what the preset makes."""
    return replace(
        limits,
        min_side=max(SIDE_MULTIPLE, -(-limits.min_side // spec.scale)),
        max_side=limits.max_side // spec.scale,
        max_pixels=limits.max_pixels // spec.scale**2,
    )
