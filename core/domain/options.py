"""What people may choose beside the files, said once: a row for each option.

Every front, the command line, the API and the tools of agents make their fields, checks and help
from :data:`OPTIONS`; follow-ups, rows of the database and the metadata of clips read it to know
what is kept and what is private. A value that goes from what was typed into the request unchanged
(``kept``) has a field of the same name in :class:`core.domain.requests.Sampling`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from core.domain.limits import RequestLimits, most_fps
from core.domain.modes import MODES, Mode
from core.domain.presets import Camera, Control, Drafts, Enhance, Preset, Sync
from core.domain.seeds import MAX_SEED

ASPECTS: dict[str, float] = {
    "16:9": 16 / 9,
    "3:2": 3 / 2,
    "4:3": 4 / 3,
    "1:1": 1.0,
    "3:4": 3 / 4,
    "2:3": 2 / 3,
    "9:16": 9 / 16,
}

Bounds = Callable[[RequestLimits], tuple[float, float]]


class OptionKind(StrEnum):
    """How an option is typed and read."""

    TEXT = "text"  # words of a person, at most as many characters as a prompt
    CHOICE = "choice"  # one of a few words
    NUMBER = "number"
    COUNT = "count"  # a whole number
    SEED = "seed"  # a whole number of more digits than a browser's or a float keeps


@dataclass(frozen=True, slots=True)
class Option:
    """One row: what an option is, in what range, whose, and where its value goes."""

    name: str  # of the field of Options, and of the option on every front
    kind: OptionKind
    choices: tuple[str, ...] = ()
    choice: type[StrEnum] | None = None  # what a kept choice becomes
    default: str | None = None  # the choice where none is made; None: chosen for the person
    bounds: Bounds | None = None  # least and most, in the unit
    unit: str = ""  # a key of the units' words
    modes: frozenset[Mode] | None = None  # None: all
    alias: str = ""  # a shorter name for typing
    private: bool | None = None  # None: text is, everything else is not
    kept: bool = False  # goes into the request unchanged
    shapes_draft: bool = False  # changes what a draft leaves for the clip that it becomes
    guided_only: bool = False  # acts only where the guided schedule may run
    costs: bool = False  # changes how long a clip takes to make
    buttons: tuple[str, ...] = ()  # values that buttons offer while a job waits
    in_edit: bool = False  # asked for where Edit has room for a few fields only
    verbatim: bool = False  # choices are called so in every language
    several: bool = False  # how many jobs a request makes: no part of what any of them is
    set_by_others: bool | None = None  # by a style or a place; None: all but words and seeds

    @property
    def is_private(self) -> bool:
        """Tell whether the value is a person's own words, which leave only where it is allowed."""
        return self.kind is OptionKind.TEXT if self.private is None else self.private

    @property
    def may_be_set(self) -> bool:
        """Tell whether operators may choose it for people who do not."""
        personal = self.kind in {OptionKind.TEXT, OptionKind.SEED}
        return not personal if self.set_by_others is None else self.set_by_others

    @property
    def typed(self) -> str:
        """Return the name that people type."""
        return self.alias or self.name

    @property
    def blank(self) -> Any:  # noqa: ANN401  # text or None
        """Return the value of who chose nothing."""
        return "" if self.kind is OptionKind.TEXT else None

    def offered_in(self, mode: Mode) -> bool:
        """Tell whether ``mode`` has this option."""
        return self.modes is None or mode in self.modes

    def range_in(self, limits: RequestLimits) -> tuple[float, float]:
        """Return the least and the most that ``limits`` allow.

        Raises:
            ValueError: the option has no range.
        """
        if self.bounds is None:
            raise ValueError(self.name)
        return self.bounds(limits)


def _sides(limits: RequestLimits) -> tuple[float, float]:
    return limits.min_side, limits.max_side


OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option("prompt", OptionKind.TEXT, shapes_draft=True, in_edit=True),
        Option(
            "preset",
            OptionKind.CHOICE,
            tuple(Preset),
            Preset,
            Preset.BALANCED,
            costs=True,
            buttons=tuple(Preset),
            in_edit=True,
            verbatim=True,
        ),
        Option(
            "aspect",
            OptionKind.CHOICE,
            tuple(ASPECTS),
            buttons=("16:9", "1:1", "9:16"),  # costs nothing: shapes have about as many pixels
            verbatim=True,
        ),
        Option(
            "seconds",
            OptionKind.NUMBER,
            bounds=lambda limits: (limits.min_seconds, limits.max_seconds),
            unit="s",
            costs=True,
            buttons=("3", "5", "10"),
            in_edit=True,
        ),
        Option("width", OptionKind.COUNT, bounds=_sides, unit="px", costs=True),
        Option("height", OptionKind.COUNT, bounds=_sides, unit="px", costs=True),
        Option(
            "fps",
            OptionKind.COUNT,
            bounds=lambda limits: (limits.min_fps, most_fps(limits)),
            unit="fps",
            costs=True,
        ),
        Option("seed", OptionKind.SEED, bounds=lambda _: (0, MAX_SEED)),
        Option(
            "camera",
            OptionKind.CHOICE,
            tuple(Camera),
            Camera,
            Camera.NONE,
            kept=True,
            shapes_draft=True,
        ),
        Option(
            "sound_from",
            OptionKind.NUMBER,
            bounds=lambda _: (0, 3600),  # the most that an operator may let sound last
            unit="s",
            modes=frozenset({Mode.EXTEND}),
            kept=True,
            shapes_draft=True,
            set_by_others=False,  # of one person's sound
        ),
        Option(
            "times",
            OptionKind.TEXT,
            modes=frozenset({Mode.KEYFRAME}),
            private=False,
            kept=True,
            shapes_draft=True,
        ),
        Option(
            "enhance",
            OptionKind.CHOICE,
            tuple(Enhance),
            Enhance,
            Enhance.OFF,
            kept=True,
            shapes_draft=True,
            costs=True,
        ),
        Option(
            "sync",
            OptionKind.CHOICE,
            tuple(Sync),
            Sync,
            Sync.AUTO,
            modes=frozenset({Mode.LIPSYNC}),
            kept=True,
            costs=True,
        ),
        Option(
            "control",
            OptionKind.CHOICE,
            tuple(Control),
            Control,
            Control.EDGES,
            modes=frozenset({Mode.STYLE}),
            kept=True,
            shapes_draft=True,
            costs=True,
        ),
        Option(
            "drafts",
            OptionKind.CHOICE,
            tuple(Drafts),
            Drafts,
            Drafts.ONE,
            modes=frozenset(mode for mode, spec in MODES.items() if not spec.continues),
            costs=True,
            verbatim=True,
            several=True,
            set_by_others=False,
        ),
        Option("style", OptionKind.TEXT, private=False, set_by_others=True),
        Option("negative_prompt", OptionKind.TEXT, alias="negative", kept=True, guided_only=True),
    )
}

BY_TYPED_NAME: dict[str, Option] = {
    name: option for option in OPTIONS.values() for name in (option.typed, option.name)
}
KEPT: tuple[Option, ...] = tuple(option for option in OPTIONS.values() if option.kept)


@dataclass(frozen=True, slots=True)
class Options:
    """What a person typed beside the files; None or an empty text means "choose for me"."""

    prompt: str = ""
    preset: str | None = None
    width: int | None = None
    height: int | None = None
    aspect: str | None = None  # a key of ASPECTS; ignored where width and height are given
    seconds: float | None = None
    fps: int | None = None
    seed: int | None = None
    camera: str | None = None
    sound_from: float | None = None
    times: str = ""
    enhance: str | None = None  # None: as the place has it
    sync: str | None = None
    control: str | None = None
    drafts: str | None = None
    style: str = ""  # the name of one of core.domain.styles
    negative_prompt: str = ""

    @classmethod
    def of(cls, values: "dict[str, Any]") -> "Options":
        """Return the options with ``values`` by name; what is blank is as if not typed."""
        known = {name: value for name, value in values.items() if value is not None}
        return replace(cls(), **known)

    def values(self) -> dict[str, Any]:
        """Return every option by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def options_in(mode: Mode) -> tuple[Option, ...]:
    """List what can be chosen in ``mode``, in the order of the table."""
    return tuple(option for option in OPTIONS.values() if option.offered_in(mode))
