"""The modes: one record each, in :data:`MODES`. The layers above derive what they do from it.

What a record leaves out follows from its slots. What a mode brings beyond that lies where its kind
of thing lies, under the mode's name: ``workflows/<mode>.*`` is its graph, and words, a draft scene,
a demo job or an icon of its own are optional. CONTRIBUTING.md lists all of it.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.domain.media import MediaKind
from core.domain.presets import Preset


class Mode(StrEnum):
    """What kind of video is made from what; the value is what people type."""

    T2V = "t2v"
    I2V = "i2v"
    A2V = "a2v"
    LIPSYNC = "lipsync"
    KEYFRAME = "keyframe"
    STYLE = "style"
    EXTEND = "extend"


@dataclass(frozen=True, slots=True)
class MediaSlot:
    """One file of a mode; ``role`` is the request's field and every front's option name."""

    role: str
    kind: MediaKind


@dataclass(frozen=True, slots=True)
class ModeSpec:
    """All that fronts and core need to know of a mode to ask for it, check it and make it.

    The order of ``slots`` counts: the first with a picture gives the clip its shape, the first
    with a play time gives it its length.
    """

    mode: Mode
    slots: tuple[MediaSlot, ...] = ()
    more: tuple[MediaSlot, ...] = ()  # files that may be given beside them, filled from the first
    continues: str = ""  # role of the film that is gone on with; the result is joined to it
    prompt_required: bool = False
    preset: Preset = Preset.BALANCED  # where a person chose none
    icon: str = "clip"  # a file of webui/assets/icons, without its suffix
    models: tuple[str, ...] = ()  # keys of core.models.catalog.Slot that not every mode loads

    def roles(self, *kinds: MediaKind) -> tuple[str, ...]:
        """Return the roles whose files are one of ``kinds``, in the order of the slots."""
        return tuple(slot.role for slot in self.slots if slot.kind in kinds)

    def roles_for(self, kind: MediaKind, count: int) -> tuple[str, ...]:
        """Return the roles of ``count`` files of ``kind`` in the order of time.

        What is given beside the needed ones lies before the last of them, as pictures between a
        first and a last one do. Files that no slot is left for have no role.
        """
        needed = self.roles(kind)
        more = tuple(slot.role for slot in self.more if slot.kind is kind)
        if count <= len(needed) or not more:
            return needed[:count]
        return (*needed[:-1], *more[: count - len(needed)], *needed[-1:])

    @property
    def every_slot(self) -> tuple[MediaSlot, ...]:
        """Return the slots that need a file, and then those that may have one."""
        return self.slots + self.more

    @property
    def length_from(self) -> str | None:
        """Return the role of the file whose play time is the default length, if there is one."""
        timed = (
            slot.role
            for slot in self.every_slot
            if slot.kind is not MediaKind.IMAGE and slot.role != self.continues
        )
        return next(timed, None)

    @property
    def shape_from(self) -> str | None:
        """Return the role of the file whose aspect ratio is the default shape, if there is one."""
        return next(iter(self.roles(MediaKind.IMAGE, MediaKind.VIDEO)), None)


_IMAGE = MediaSlot("image", MediaKind.IMAGE)
_AUDIO = MediaSlot("audio", MediaKind.AUDIO)
_VIDEO = MediaSlot("video", MediaKind.VIDEO)
_FIRST, _LAST = MediaSlot("first", MediaKind.IMAGE), MediaSlot("last", MediaKind.IMAGE)
_BETWEEN = tuple(
    MediaSlot(role, MediaKind.IMAGE)
    for role in ("second", "third", "fourth", "fifth", "sixth", "seventh")
)

MODES: dict[Mode, ModeSpec] = {
    spec.mode: spec
    for spec in (
        ModeSpec(Mode.T2V, prompt_required=True, icon="text"),
        ModeSpec(Mode.I2V, (_IMAGE,), icon="image"),
        ModeSpec(Mode.A2V, (_AUDIO,), icon="sound"),
        ModeSpec(Mode.LIPSYNC, (_IMAGE, _AUDIO), icon="voice"),
        ModeSpec(Mode.KEYFRAME, (_FIRST, _LAST), _BETWEEN, icon="keyframes"),
        ModeSpec(Mode.STYLE, (_VIDEO, _IMAGE), icon="palette", models=("control_lora",)),
        ModeSpec(Mode.EXTEND, (_VIDEO,), (_AUDIO,), continues="video"),
    )
}
