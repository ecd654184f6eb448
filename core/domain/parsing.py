"""Parse options as people type them and programs send them; their range is checked elsewhere."""

import math
from typing import Any

from core.domain.limits import MAX_SEED, RequestLimits
from core.domain.options import OPTIONS, Option, OptionKind
from core.errors import NotANumber, SeedNotANumber

SHOWN = 40  # characters of what was typed that a sentence repeats


def parse_option(option: Option, typed: str, limits: RequestLimits) -> Any:  # noqa: ANN401  # of the option's type
    """Parse what was ``typed`` for ``option``; a number may end in its unit.

    Raises:
        NotANumber: no number, where one is wanted.
        SeedNotANumber: no seed, where one is wanted.
    """
    match option.kind:
        case OptionKind.TEXT:
            return typed
        case OptionKind.CHOICE:
            small = typed.lower()
            return next((str(item) for item in option.choices if item.lower() == small), small)
        case OptionKind.SEED:
            return parse_seed(typed)
        case OptionKind.NUMBER | OptionKind.COUNT:
            number = typed.strip().lower().removesuffix(option.unit)
            read = parse_number if option.kind is OptionKind.NUMBER else parse_whole_number
            return read(option.name, number, limits)


def parse_number(field: str, given: object, limits: RequestLimits) -> float:
    """Parse ``given`` as a number; accepts a decimal comma.

    Args:
        field: the name of an option with a range.
        given: text or a number, possibly outside the range.
        limits: what the sentence names where there is no number.

    Raises:
        NotANumber: it stands for none, or for one without end.
    """
    try:
        number = float(given.replace(",", ".") if isinstance(given, str) else given)  # pyright: ignore[reportArgumentType]  # anything may come
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(given, bool) or not math.isfinite(number):
        option = OPTIONS[field]
        raise NotANumber(field, str(given)[:SHOWN], *option.range_in(limits), option.unit)
    return number


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
