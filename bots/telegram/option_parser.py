"""Parse what people type after a command: the prompt, then ``--name value`` options."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bots.telegram.typed_values import TypedValue, flag_value, sides_value, single_value, text_value
from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import OPTIONS, Option, OptionKind, Options, options_in
from core.errors import InvalidInput, NotAChoice, OptionMisspelt

PROMPT = "prompt"  # what stands before the options; it has no name to type
SIZE = "size"  # our own notation for width and height
TYPED_DASH = re.compile(r"-{2,4}")  # means an option, as nobody writes so in prose
# what phones and keyboards make of two hyphens, and one hyphen alone
_PRINTED = "\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_DASH = rf"-{{1,4}}|[{_PRINTED}]{{1,2}}"
_NAMED = re.compile(
    rf"(?:^|(?<=\s))(?P<dash>{_DASH})(?P<name>[^\W\d_][\w-]*)(?P<end>[=:]|(?=\s)|$)"
)
_CLOSED = re.compile(rf"\S[-{_PRINTED}](?=\s|[.,;:!?…]|$)")  # the end of what stands between dashes
_HABITS = {  # what people know from other programs, by our name for it
    "aspect": ("ar", "ratio", "aspect_ratio"),
    "negative": ("no", "neg"),
    "seconds": ("duration", "length", "sec", "secs"),
    "width": ("w",),
    "height": ("h",),
}
_SPOKEN = re.compile(r"^\s[^\n]*?\S--(?=\s|[.,;:!?…]|$)")  # what a second pair of hyphens closes
HABITS = {habit: name for name, habits in _HABITS.items() for habit in habits}
SPOILER = "spoiler"  # a flag: the clip is hidden until it is tapped
PRIVATE = "private"  # a flag: the clip comes in the private chat
FLAGS = frozenset({SPOILER, PRIVATE})
_PROSE = frozenset({"no"})  # after another dash it begins what somebody says
NEAR = 0.75  # how alike a name must be for a hint, 0 … 1
SHORT = 3  # letters of a name; of fewer everything is alike
# marks of direction, and what has no width: they come before a command with copied text
_UNSEEN = "\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A command, and the text after it."""

    command: str
    rest: str


def command_of(text: str | None, bot: str, *, alone: bool = False) -> TypedCommand | None:
    """Parse the command that ``text`` begins with; None for other text or another bot's command.

    ``alone``: nobody else reads the chat, so that every command is meant for this bot.
    """
    found = re.match(rf"[\s{_UNSEEN}]*/(\w{{1,32}})(?:@(\w+))?(?:\s+|$)(.*)", text or "", re.DOTALL)
    if found is None or (found[2] and not alone and found[2].lower() != bot.lower()):
        return None
    return TypedCommand(found[1].lower(), found[3].strip())


def called_by(texts: Iterable[str | None], bot: str) -> str | None:
    """Return what follows the bot's name where a text begins with it; None where none does.

    At the end of a text people speak about it rather than to it.
    """
    called = re.compile(rf"[\s{_UNSEEN}]*@{re.escape(bot)}\b[\s,:]*(.*)", re.DOTALL | re.IGNORECASE)
    found = next((found for text in texts if (found := called.match(text or ""))), None)
    return None if found is None else found[1].strip()


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
    marks = [
        found
        for found in _NAMED.finditer(rest)
        if _is_option(found, rest[found.end() :], offered, unknown, limits)
    ]
    values: dict[str, Any] = {}
    prompt = [rest[: marks[0].start()] if marks else rest]
    flags = dict.fromkeys(FLAGS, False)
    ends = [*(mark.start() for mark in marks[1:]), len(rest)]
    for mark, end in zip(marks, ends, strict=False):  # no mark: one end is left over
        name, typed = _name(mark), rest[mark.end() : end]
        if name in FLAGS:
            found = flag_value(typed) if mark["end"] else TypedValue(value=True, rest=typed)
            flags[name] = found.value
        else:
            found = _value(name, offered, typed, limits)
            values |= found.value if name == SIZE else {offered[name].name: found.value}
        prompt.append(found.rest)
    words = " ".join(part.strip() for part in prompt if part.strip())
    options = Options.of({PROMPT: words, **values})
    return TypedText(options, flags[SPOILER], flags[PRIVATE], tuple(unknown))


def _name(mark: re.Match[str]) -> str:
    name = mark["name"].lower().replace("-", "_")
    return HABITS.get(name, name)


def _is_option(
    mark: re.Match[str],
    after: str,
    offered: dict[str, Option],
    unknown: list[str],
    limits: RequestLimits,
) -> bool:
    """Tell whether a dash begins an option; note what looks like one and is none.

    Raises:
        NotAChoice: the name of one of other modes.
        OptionMisspelt: nearly the name of one.
    """
    name, typed = _name(mark), TYPED_DASH.fullmatch(mark["dash"]) is not None
    if name in offered or name in {SIZE, *FLAGS}:
        spoken = mark["name"].lower() in _PROSE and _SPOKEN.search(after) is not None
        meant = (typed and not spoken) or _is_meant(mark, after, offered, limits)
        if not meant and mark["name"].lower() not in _PROSE:
            unknown.append(f"{mark['dash']}{mark['name']}"[:40])
        return meant
    if typed and name in _offered(None):
        raise NotAChoice("option", f"--{mark['name']}"[:40], _listed(offered))
    if typed:
        known = [*offered, SIZE, *FLAGS]
        near = difflib.get_close_matches(name, known, 1, NEAR) if len(name) > SHORT else []
        if near:
            raise OptionMisspelt(f"--{mark['name']}"[:40], f"--{near[0]}")
        unknown.append(f"--{mark['name']}"[:40])
    return False


def _is_meant(
    mark: re.Match[str], after: str, offered: dict[str, Option], limits: RequestLimits
) -> bool:
    """Tell whether a known name after a hyphen or a dash of print is an option.

    It is none where another dash closes what it began, and where what follows is no value of it.
    """
    name, said = _name(mark), mark["name"].lower()
    if said in _PROSE or (mark["end"] != "=" and _CLOSED.search(after.split("\n", 1)[0])):
        return False
    row = offered.get(name)
    if name in FLAGS:
        return True
    if row is not None and row.kind is OptionKind.TEXT:  # any words can be its value
        return mark["dash"] != "-" or mark["end"] == "=" or said in HABITS
    try:
        _value(name, offered, after, limits)
    except InvalidInput:
        return False
    return bool(after.strip())


def _offered(mode: Mode | None) -> dict[str, Option]:
    """Return what can be typed for ``mode``, by short and full name."""
    rows = OPTIONS.values() if mode is None else options_in(mode)
    return {name: row for row in rows if row.name != PROMPT for name in (row.typed, row.name)}


def _value(name: str, offered: dict[str, Option], typed: str, limits: RequestLimits) -> TypedValue:
    """Parse what was typed behind a name, and return what of it belongs to the prompt.

    Raises:
        InvalidInput: it is no value of the option.
    """
    if name == SIZE:
        return sides_value(SIZE, typed)
    option = offered[name]
    if option.kind is OptionKind.TEXT:
        return text_value(typed)
    return single_value(option, typed, limits)


def _listed(offered: dict[str, Option]) -> str:
    names = dict.fromkeys(option.typed for option in offered.values())
    return ", ".join(f"--{name}" for name in (*names, SIZE))
