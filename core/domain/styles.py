"""Styles and defaults: what operators choose for people who typed nothing, and words around theirs.

A style has a name, words before and after the prompt, words that should not be seen, and options.
Defaults are options of a place, one of its channels, or of all places; they may name a style.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, Option, Options
from core.domain.words import StyleWords

NAME_LENGTH = 32  # characters
WORDS_LENGTH = 500  # characters of each of the words of a style
MOST_STYLES = 100  # of a place
NONE = "none"  # what people type to have no style where the place has one
WORDS = ("before", "after", "negative")  # of a style
STYLE = "style"  # the option that names one
NAME = re.compile(r"[\w][\w .+&'-]*")  # what can be typed and shown on every front
_SHAPE = frozenset({"aspect", "width", "height"})  # one choice: what is typed of it stands alone

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Style:
    """A named style of a place."""

    words: StyleWords
    options: Mapping[str, Any] = field(default_factory=lambda: NOTHING)  # by name

    @property
    def name(self) -> str:
        """Return its name."""
        return self.words.name


@dataclass(frozen=True, slots=True)
class Level:
    """Options that somebody chose for others, and where: ``channel``, ``place`` or ``bot``."""

    source: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FilledOptions:
    """What was typed with what was chosen for it."""

    options: Options
    style: StyleWords | None
    sources: tuple[tuple[str, str], ...]  # option and source of what was not typed


def key_of(name: str) -> str:
    """Return what a style is found by: its name in any case and width, with any spaces."""
    return unicodedata.normalize("NFKC", " ".join(name.split())).casefold()


def find_style(styles: Collection[Style], name: str) -> Style | None:
    """Return the style that is called ``name``, the first of several."""
    return next((one for one in styles if key_of(one.name) == key_of(name)), None)


def settable() -> tuple[Option, ...]:
    """List the options that a style or a place may choose."""
    return tuple(option for option in OPTIONS.values() if option.may_be_set)


def style_named(typed: str, levels: Sequence[Level]) -> tuple[str, str]:
    """Return the name of the style in force and who chose it; both empty where none is.

    ``typed`` is what a person chose: empty for nothing, :data:`NONE` for none.
    """
    chosen = [("", typed), *((level.source, level.options.get(STYLE, "")) for level in levels)]
    source, name = next((one for one in chosen if one[1]), ("", ""))
    return ("", "") if key_of(name) == NONE else (name, source)


def fill(
    mode: Mode,
    typed: Options,
    roles: Collection[str],
    levels: Sequence[Level],
    style: Style | None = None,
) -> FilledOptions:
    """Choose for a person what they did not.

    Args:
        mode: options of other modes are left alone.
        typed: stands, whatever others chose.
        roles: of the files that were sent. Where one gives the clip its shape or its length, that
            is the person's choice too.
        levels: of the place, the narrowest first.
        style: the one in force; its options come before all levels where a person typed it,
            else right after those of the level that names it.
    """
    _, source = style_named(typed.style, levels)
    ordered = _ordered(style, source, levels)
    options = typed.values()
    chosen = {name for name, value in options.items() if value != OPTIONS[name].blank}
    chosen |= _given_by(mode, roles)
    found: dict[str, tuple[Any, str]] = {}
    for level in ordered:
        shape_is_open = not _SHAPE & (chosen | found.keys())
        for name, value in level.options.items():
            free = name not in chosen and name not in found and name != STYLE
            if free and OPTIONS[name].offered_in(mode) and (name not in _SHAPE or shape_is_open):
                found[name] = (value, level.source)
    filled = {name: value for name, (value, _) in found.items()}
    filled[STYLE] = style.name if style else ""
    named = ((STYLE, source),) if style and source else ()
    sources = (*named, *((name, source) for name, (_, source) in found.items()))
    return FilledOptions(Options.of(options | filled), style.words if style else None, sources)


def _ordered(style: Style | None, source: str, levels: Sequence[Level]) -> list[Level]:
    """Return who chooses, in the order of who goes first."""
    if style is None:
        return list(levels)
    own = Level(STYLE, style.options)
    before = next((n + 1 for n, one in enumerate(levels) if one.source == source), 0)
    return [*levels[:before], own, *levels[before:]]


def _given_by(mode: Mode, roles: Collection[str]) -> set[str]:
    """Return the options that files decide."""
    spec = MODES[mode]
    shaped = spec.shape_from in roles or spec.continues in roles
    timed = spec.length_from in roles
    return (set(_SHAPE) if shaped else set[str]()) | ({"seconds"} if timed else set[str]())
