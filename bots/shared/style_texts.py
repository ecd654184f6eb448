"""What people read of styles and defaults on both platforms, and what operators type."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bots.shared.texts import Texts
from core.domain.style_file import StyleSet
from core.domain.styles import WORDS, Style, settable

SHOWN = 25  # styles of a listing
FILE_NAME = "clapper-styles.toml"


def styles_text(texts: Texts, styles: Sequence[Style], option: str) -> str:
    """List the styles that people may choose as ``option``."""
    if not styles:
        return texts.say("styles_none")
    lines = [texts.say("style_line", name=one.name, what=_described(one)) for one in styles[:SHOWN]]
    more = [texts.say("styles_more", count=len(styles) - SHOWN)] if len(styles) > SHOWN else []
    return "\n".join([texts.say("styles_head", option=option), *lines, *more])


def defaults_text(texts: Texts, kept: StyleSet, channel: Callable[[str], str]) -> str:
    """List what a place chooses; ``channel`` writes the name of one of its channels."""
    lines = [
        texts.say(
            "defaults_line",
            where=channel(one) if one else texts.say("defaults_whole"),
            values=_values(values),
        )
        for one, values in kept.defaults.items()
    ]
    return "\n".join([texts.say("defaults_head"), *lines]) if lines else texts.say("defaults_none")


def taken_back(typed: str) -> dict[str, str]:
    """Read the names of options that are not chosen any more, or ``all``."""
    names = typed.replace(",", " ").lower().split()
    if names == ["all"]:
        names = [option.name for option in settable()]
    return dict.fromkeys(names, "none")


def _described(style: Style) -> str:
    words = [getattr(style.words, one) for one in WORDS[:2]]
    said = " … ".join(part for part in words if part)
    return " · ".join(part for part in (said, _values(style.options)) if part) or "–"


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
