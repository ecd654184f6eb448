"""Parse values as people type them and programs send them; their range is checked elsewhere."""

import math
import re
from typing import Any

from core.domain.limits import RequestLimits
from core.domain.options import OPTIONS, Option, OptionKind
from core.domain.seeds import MAX_SEED
from core.errors import NotANumber, SeedNotANumber

SHOWN = 40  # characters of what was typed that a sentence repeats
# how people end a number, by unit; letters are compared without case
ENDINGS: dict[str, frozenset[str]] = {
    unit: frozenset(endings.split())
    for unit, endings in (
        ("s", "s sec secs second seconds sek sekunde sekunden sekunda sekundy sekund с сек"),
        ("px", "px pixel pixels piksel piksele pikseli"),
        ("fps", "fps frames/s"),
    )
}
_CLOCK = re.compile(r"(?P<minutes>\d{1,3}):(?P<seconds>[0-5]?\d(?:\.\d{1,3})?)")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:[.,'’ \u00a0\u202f]\d{3})+")  # 1,280 and 1.280 are counts


def parse_option(option: Option, given: object, limits: RequestLimits) -> Any:  # noqa: ANN401  # of the option's kind
    """Parse what was given for ``option``; where that is nothing, return its blank value.

    A choice is found whatever its case; a number may end in its unit.

    Raises:
        NotANumber: a number or a count that is none.
        SeedNotANumber: a seed that is none.
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return option.blank
    match option.kind:
        case OptionKind.TEXT:
            return str(given)
        case OptionKind.CHOICE:
            small = str(given).lower()
            return next((str(item) for item in option.choices if item.lower() == small), small)
        case OptionKind.SEED:
            return parse_seed(given)
        case OptionKind.NUMBER:
            return _number(option, given, limits, option.unit)
        case OptionKind.COUNT:
            return round(_number(option, given, limits, option.unit))


def parse_number(field: str, given: object, limits: RequestLimits) -> float:
    """Parse ``given`` as a number; accepts a decimal comma.

    Args:
        field: the name of an option that has a range.
        given: text or a number, possibly outside the range.
        limits: what the sentence names where there is no number.

    Raises:
        NotANumber: it stands for none, or for one without end.
    """
    return _number(OPTIONS[field], given, limits)


def parse_whole_number(field: str, given: object, limits: RequestLimits) -> int:
    """Parse ``given`` as the nearest whole number, for what is counted; see :func:`parse_number`.

    Raises:
        NotANumber: as there.
    """
    return round(parse_number(field, given, limits))


def parse_seed(given: object) -> int | None:
    """Parse ``given`` as a seed; None where it is empty.

    Text keeps all digits; browsers and JSON round whole numbers above 2⁵³, so a float is refused.

    Raises:
        SeedNotANumber: not a whole number from 0 to 2⁶³ − 1.
    """
    text = "" if given is None else str(given).strip()
    if not text:
        return None
    digits = len(str(MAX_SEED))  # reading more would only take time
    whole = text.isdecimal() and len(text) <= digits and not isinstance(given, bool | float)
    if not whole or int(text) > MAX_SEED:
        raise SeedNotANumber(text[:SHOWN], MAX_SEED)
    return int(text)


def _number(option: Option, given: object, limits: RequestLimits, unit: str = "") -> float:
    typed = _plain(given, option, unit) if isinstance(given, str) else given
    try:
        number = float(typed)  # pyright: ignore[reportArgumentType]  # anything may come
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(given, bool) or not math.isfinite(number):
        low, high = option.range_in(limits)
        raise NotANumber(option.name, str(given)[:SHOWN], low, high, option.unit)
    return number


def _plain(typed: str, option: Option, unit: str) -> str:
    """Return a number as a program writes it: no unit, a decimal point, a time in seconds."""
    text = typed.strip().lower()
    for ending in sorted(ENDINGS.get(unit, {unit}), key=len, reverse=True):
        if ending and text.endswith(ending):
            text = text.removesuffix(ending).rstrip()
            break
    if option.kind is OptionKind.COUNT and _GROUPED.fullmatch(text):
        return re.sub(r"\D", "", text)
    text = text.replace(",", ".")
    if unit == "s" and (clock := _CLOCK.fullmatch(text)):
        return str(60 * int(clock["minutes"]) + float(clock["seconds"]))
    return text
