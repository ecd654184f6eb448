"""Parse what people type after a command: the prompt, then ``--name value`` options."""

import re
import shlex
from dataclasses import dataclass
from typing import Any

from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import OPTIONS, Option, OptionKind, Options, options_in
from core.domain.parsing import parse_option
from core.errors import NotAChoice, NotANumber

PROMPT = "prompt"  # what stands before the options; it has no name to type
SIZE = "size"  # our own notation for width and height
_SIDES = re.compile(r"(?P<width>\d{1,5})\s*[x×X*]\s*(?P<height>\d{1,5})")  # people type × too
_SEPARATOR = re.compile(r"(?:^|\s)(?:--|—|–)(?=[a-zA-Z])")  # phones turn -- into a dash


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A command, and the text after it."""

    command: str
    rest: str


def command_of(text: str | None, bot: str) -> TypedCommand | None:
    """Parse the command that ``text`` begins with; None for other text or another bot's command."""
    found = re.match(r"/(\w{1,32})(?:@(\w+))?(?:\s+|$)(.*)", text or "", re.DOTALL)
    if found is None or (found[2] and found[2].lower() != bot.lower()):
        return None
    return TypedCommand(found[1].lower(), found[3].strip())


def options_of(rest: str, limits: RequestLimits, mode: Mode | None = None) -> Options:
    """Parse the prompt and options in ``rest``; refusals name the ``limits``.

    Args:
        rest: what was typed.
        limits: what a refusal names.
        mode: what the options are for; every option where it is not known yet.

    Raises:
        NotAChoice: an unknown option, or a malformed size.
        NotANumber: a length, side or frame rate that is not a number.
        SeedNotANumber: a seed that is not a whole number.
    """
    prompt, *parts = _SEPARATOR.split(rest)
    offered = _offered(mode)
    values: dict[str, Any] = {PROMPT: prompt.strip()}
    for part in parts:
        name, _, value = part.strip().partition(" ")
        name, _, attached = name.partition("=")
        name, typed = name.lower().replace("-", "_"), _unquoted(attached or value)
        if name == SIZE:
            values |= _sides(typed)
        elif name in offered:
            values[offered[name].name] = _value(offered[name], typed, limits)
        else:
            raise NotAChoice("option", f"--{name}"[:40], _listed(offered))
    return Options.of(values)


def _offered(mode: Mode | None) -> dict[str, Option]:
    """Return what can be typed for ``mode``, by short and full name."""
    rows = OPTIONS.values() if mode is None else options_in(mode)
    return {name: row for row in rows if row.name != PROMPT for name in (row.typed, row.name)}


def _value(option: Option, typed: str, limits: RequestLimits) -> Any:  # noqa: ANN401  # of the option's type
    """Parse what was typed; a name without a value is a mistake, where one can say what is missing.

    Raises:
        NotAChoice: nothing, where one of a few is wanted.
        NotANumber: no number, where one is wanted.
        SeedNotANumber: no seed, where one is wanted.
    """
    if typed or option.kind in {OptionKind.TEXT, OptionKind.SEED}:
        return parse_option(option, typed, limits)
    if option.kind is OptionKind.CHOICE:
        raise NotAChoice(option.name, typed, ", ".join(option.choices))
    raise NotANumber(option.name, typed, *option.range_in(limits), option.unit)


def _listed(offered: dict[str, Option]) -> str:
    names = dict.fromkeys(option.typed for option in offered.values())
    return ", ".join(f"--{name}" for name in (*names, SIZE))


def _sides(typed: str) -> dict[str, int]:
    """Parse a width and a height such as ``1280x704``.

    Raises:
        NotAChoice: it is none.
    """
    found = _SIDES.fullmatch(typed)
    if found is None:
        raise NotAChoice(SIZE, typed[:40], "1280x704, 768x512, …")
    return {side: int(pixels) for side, pixels in found.groupdict().items()}


def _unquoted(value: str) -> str:
    value = value.strip()
    if value[:1] in {'"', "'"}:
        try:
            return " ".join(shlex.split(value))
        except ValueError:
            return value.strip("\"'")
    return value
