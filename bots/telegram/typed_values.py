"""Find where the value of a typed option ends, as words of the prompt may follow it."""

import re
from dataclasses import dataclass
from typing import Any

from core.domain.limits import RequestLimits
from core.domain.options import Option, OptionKind
from core.domain.parsing import ENDINGS, parse_option
from core.errors import NotAChoice, NotANumber

# a quote that opens, and those that may close it; languages use them the other way round too
QUOTES: dict[str, str] = {
    pair[0]: pair[1:]
    for pair in (
        *('""', "''", "``", "“”“", "””", "„“”", "«»", "»«", "‘’‘", "’’", "‚‘’", "‹›", "›‹"),
        *("「」", "『』", "＂＂"),
    )
}
_SIDES = re.compile(r"(?P<width>\d{1,5})\s*[x×X*]\s*(?P<height>\d{1,5})(?:\s*px)?(?![^\s,;.])")
_RATIO = re.compile(r"(?<=\d)\s*[x×X/:：∶]\s*(?=\d)")  # between the numbers of a shape
_STOPS = ",;.!?)"  # what may stand behind a value
_GAPS = re.compile(r"[\s_-]+")  # between the words of a choice
_OFF = frozenset({"0", "false", "no", "off", "nein", "aus", "nie"})
SHOWN = 40  # characters of what was typed that a sentence repeats


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value, and the words behind it, which belong to the prompt."""

    value: Any
    rest: str = ""


def text_value(typed: str) -> TypedValue:
    """Take the words in quotes where it begins with some; else all of them."""
    typed = typed.strip()
    closing = QUOTES.get(typed[:1])
    if closing is None:
        return TypedValue(typed)
    ends = re.finditer(rf"[{re.escape(closing)}](?=[\s{re.escape(_STOPS)}]|$)", typed[1:])
    end = next(ends, None)
    if end is None:
        return TypedValue(typed.strip("".join(QUOTES)))
    inner = typed[1 : end.start() + 1]
    return TypedValue(inner.strip(), typed[end.end() + 1 :].lstrip(_STOPS).strip())


def single_value(option: Option, typed: str, limits: RequestLimits) -> TypedValue:
    """Parse a number, a seed or a choice at the beginning of what was typed.

    Raises:
        NotAChoice: it is none of the choices.
        NotANumber: it is no number.
        SeedNotANumber: it is no seed.
    """
    quoted = text_value(typed)
    spans = [word.span() for word in re.finditer(r"\S+", quoted.value)]
    words = [quoted.value[begin:end] for begin, end in spans]
    if not words:
        return TypedValue(_nothing(option, limits), quoted.rest)
    if option.kind is OptionKind.CHOICE:
        value, used = _choice(option, words, limits)
    elif option.kind is OptionKind.SEED:
        value, used = parse_option(option, words[0].rstrip(_STOPS), limits), 1
    else:
        value, used = _number(option, words, limits)
    behind = quoted.value[spans[used - 1][1] :].strip()
    return TypedValue(value, " ".join(part for part in (behind, quoted.rest) if part))


def flag_value(typed: str) -> TypedValue:
    """Parse the word behind a flag and an equals sign: whether it is set."""
    word, _, rest = typed.strip().partition(" ")
    return TypedValue(word.casefold() not in _OFF, rest)


def sides_value(name: str, typed: str) -> TypedValue:
    """Parse a width and a height such as ``1280x704``.

    Raises:
        NotAChoice: it is none.
    """
    quoted = text_value(typed)
    found = _SIDES.match(quoted.value)
    if found is None:
        raise NotAChoice(name, typed.strip()[:SHOWN], "1280x704, 768x512, …")
    rest = quoted.value[found.end() :].lstrip(_STOPS).strip()
    sides = {side: int(pixels) for side, pixels in found.groupdict().items()}
    return TypedValue(sides, " ".join(part for part in (rest, quoted.rest) if part))


def _nothing(option: Option, limits: RequestLimits) -> Any:  # noqa: ANN401  # of the option's type
    """Return the blank seed; of other options nothing is a mistake that can be named.

    Raises:
        NotAChoice: one of a few is wanted.
        NotANumber: a number is wanted.
    """
    if option.kind is OptionKind.SEED:
        return option.blank
    if option.kind is OptionKind.CHOICE:
        raise NotAChoice(option.name, "", ", ".join(option.choices))
    raise NotANumber(option.name, "", *option.range_in(limits), option.unit)


def _choice(option: Option, words: list[str], limits: RequestLimits) -> tuple[Any, int]:
    """Find the longest choice that ``words`` begin with, and how many they are.

    Raises:
        NotAChoice: none of them is.
    """
    known = {_plain(choice): choice for choice in option.choices}
    most = max(len(_GAPS.split(choice)) for choice in option.choices)
    for count in range(min(len(words), most + 2), 0, -1):  # 16 : 9 are three words
        typed = _plain(" ".join(words[:count]).rstrip(_STOPS))
        if typed in known:
            return parse_option(option, known[typed], limits), count
    raise NotAChoice(option.name, words[0][:SHOWN], ", ".join(option.choices))


def _plain(choice: str) -> str:
    return _GAPS.sub("_", _RATIO.sub(":", choice.strip())).casefold()


def _number(option: Option, words: list[str], limits: RequestLimits) -> tuple[Any, int]:
    """Parse the first of ``words``, and its unit where that is the second.

    Raises:
        NotANumber: it is none.
    """
    unit = words[1].rstrip(_STOPS).lower() if len(words) > 1 else ""
    if unit and unit in ENDINGS.get(option.unit, {option.unit}):
        return parse_option(option, f"{words[0]} {unit}", limits), 2
    return parse_option(option, words[0].rstrip(_STOPS), limits), 1
