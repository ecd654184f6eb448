"""The six modes: which files each takes, and which file gives the length and the shape."""

from dataclasses import dataclass
from enum import StrEnum

from core.domain.media import MediaKind


class Mode(StrEnum):
    """What kind of video is made from what."""

    T2V = "t2v"
    I2V = "i2v"
    A2V = "a2v"
    LIPSYNC = "lipsync"
    KEYFRAME = "keyframe"
    STYLE = "style"


@dataclass(frozen=True, slots=True)
class MediaSlot:
    """One file of a mode; ``role`` is the request's field and every front's option name."""

    role: str
    kind: MediaKind


@dataclass(frozen=True, slots=True)
class ModeSpec:
    """All that fronts and core need to know of a mode to ask for it and to check it."""

    mode: Mode
    slots: tuple[MediaSlot, ...] = ()
    prompt_required: bool = False
    length_from: str | None = None  # role of the file whose play time is the default length
    shape_from: str | None = None  # role of the file whose aspect ratio is the default shape


_IMAGE = MediaSlot("image", MediaKind.IMAGE)
_AUDIO = MediaSlot("audio", MediaKind.AUDIO)

MODES: dict[Mode, ModeSpec] = {
    spec.mode: spec
    for spec in (
        ModeSpec(Mode.T2V, prompt_required=True),
        ModeSpec(Mode.I2V, (_IMAGE,), shape_from="image"),
        ModeSpec(Mode.A2V, (_AUDIO,), length_from="audio"),
        ModeSpec(Mode.LIPSYNC, (_IMAGE, _AUDIO), length_from="audio", shape_from="image"),
        ModeSpec(
            Mode.KEYFRAME,
            (MediaSlot("first", MediaKind.IMAGE), MediaSlot("last", MediaKind.IMAGE)),
            shape_from="first",
        ),
        ModeSpec(
            Mode.STYLE,
            (MediaSlot("video", MediaKind.VIDEO), _IMAGE),
            length_from="video",
            shape_from="video",
        ),
    )
}
