"""Parse what people type after a command: the prompt, then ``--name value`` options."""

import difflib
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import OPTIONS, Option, OptionKind, Options, options_in
from core.domain.parsing import parse_option
from core.errors import NotAChoice, NotANumber, OptionMisspelt

PROMPT = "prompt"  # what stands before the options; it has no name to type
SIZE = "size"  # our own notation for width and height
_SIDES = re.compile(r"(?P<width>\d{1,5})\s*[x×X*]\s*(?P<height>\d{1,5})")  # people type × too
# phones turn -- into a dash; what follows one is an option only where its name is known
_NAMED = re.compile(r"(?:^|(?<=\s))(?P<dash>--|—|–)(?P<name>[^\W\d_][\w-]*)(?P<end>=|(?=\s)|$)")
HABITS = {"ar": "aspect", "no": "negative"}  # what people know from other programs
SPOILER = "spoiler"  # a flag: the clip is hidden until it is tapped
PRIVATE = "private"  # a flag: the clip comes in the private chat
FLAGS = frozenset({SPOILER, PRIVATE})
_PROSE = frozenset({"no"})  # after a dash of print it begins what somebody says
NEAR = 0.75  # how alike a name must be for a hint, 0 … 1
SHORT = 3  # letters of a name; of fewer everything is alike


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


def called_by(texts: Iterable[str | None], bot: str) -> str | None:
    """Return what follows the bot's name where a text begins with it; None where none does."""
    for text in texts:
        found = re.match(rf"@{re.escape(bot)}\b[\s,:]*(.*)", text or "", re.DOTALL | re.IGNORECASE)
        if found is not None:
            return found[1].strip()
    return None


@dataclass(frozen=True, slots=True)
class TypedText:
    """What a text says: the prompt and options, and what is no option after all."""

    options: Options
    spoiler: bool = False
    private: bool = False
    unknown: tuple[str, ...] = ()


def options_of(rest: str, limits: RequestLimits, mode: Mode | None = None) -> Options:
    """Parse the prompt and options in ``rest`` (:func:`read_text`)."""
    return read_text(rest, limits, mode).options


def read_text(rest: str, limits: RequestLimits, mode: Mode | None = None) -> TypedText:
    """Parse the prompt and options in ``rest``; refusals name the ``limits``.

    Only a known name after a dash is an option. Anything else stays in the prompt: people write
    dialogue with dashes.

    Args:
        rest: what was typed.
        limits: what a refusal names.
        mode: what the options are for; every option where it is not known yet.

    Raises:
        OptionMisspelt: nearly the name of an option.
        NotAChoice: an option of other modes, not one of its values, or a malformed size.
        NotANumber: a length, side or frame rate that is not a number.
        SeedNotANumber: a seed that is not a whole number.
    """
    offered = _offered(mode)
    unknown: list[str] = []
    marks = [found for found in _NAMED.finditer(rest) if _is_option(found, offered, unknown)]
    values: dict[str, Any] = {}
    prompt = [rest[: marks[0].start()] if marks else rest]
    flags: set[str] = set()
    ends = [*(mark.start() for mark in marks[1:]), len(rest)]
    for mark, end in zip(marks, ends, strict=False):  # no mark: one end is left over
        typed = _unquoted(rest[mark.end() : end])
        name = _name(mark)
        if name in FLAGS:
            flags.add(name)
            prompt.append(typed)
        elif name == SIZE:
            values |= _sides(typed)
        else:
            values[offered[name].name] = _value(offered[name], typed, limits)
    words = " ".join(part.strip() for part in prompt if part.strip())
    options = Options.of({PROMPT: words, **values})
    return TypedText(options, SPOILER in flags, PRIVATE in flags, tuple(unknown))


def _name(mark: re.Match[str]) -> str:
    name = mark["name"].lower().replace("-", "_")
    return HABITS.get(name, name)


def _is_option(mark: re.Match[str], offered: dict[str, Option], unknown: list[str]) -> bool:
    """Tell whether a dash begins an option; note what looks like one and is none.

    Raises:
        NotAChoice: the name of one of other modes.
        OptionMisspelt: nearly the name of one.
    """
    name, typed = _name(mark), mark["dash"] == "--"
    if name in offered or name in {SIZE, *FLAGS}:
        return typed or mark["name"].lower() not in _PROSE
    if typed and name in _offered(None):
        raise NotAChoice("option", f"--{mark['name']}"[:40], _listed(offered))
    if typed:
        known = [*offered, SIZE, *FLAGS]
        near = difflib.get_close_matches(name, known, 1, NEAR) if len(name) > SHORT else []
        if near:
            raise OptionMisspelt(f"--{mark['name']}"[:40], f"--{near[0]}")
        unknown.append(f"--{mark['name']}"[:40])
    return False


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
