"""Parse numbers as people type them and programs send them; their range is checked elsewhere."""

import math

from core.domain.limits import MAX_SEED, RequestLimits
from core.errors import NotANumber, SeedNotANumber

SHOWN = 40  # characters of what was typed that a sentence repeats


def parse_number(field: str, given: object, limits: RequestLimits) -> float:
    """Parse ``given`` as a number; accepts a decimal comma.

    Args:
        field: ``seconds``, ``fps``, ``width`` or ``height``.
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
        raise NotANumber(field, str(given)[:SHOWN], *_range(field, limits))
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


def _range(field: str, limits: RequestLimits) -> tuple[float, float, str]:
    match field:
        case "seconds":
            return limits.min_seconds, limits.max_seconds, "s"
        case "fps":
            return limits.min_fps, limits.max_fps, "fps"
        case _:
            return limits.min_side, limits.max_side, "px"
