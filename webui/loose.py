"""Options from programs: their types are a promise that nothing has kept yet."""

import math
from typing import Any

from core.compose import Options
from core.errors import OutOfRange
from core.limits import MAX_SEED, RequestLimits


def options_from_program(given: dict[str, Any], limits: RequestLimits) -> Options:
    """Return ``given`` as options; only types are checked here, ranges where all fronts meet.

    Raises:
        OutOfRange: there is no number where one is needed.
    """
    sides = (limits.min_side, limits.max_side, "px")
    whole = {
        "width": sides,
        "height": sides,
        "fps": (limits.min_fps, limits.max_fps, "fps"),
    }
    numbers: dict[str, Any] = {
        field: None if given[field] is None else round(_number(field, given[field], *ranges))
        for field, ranges in whole.items()
    }
    seconds = given["seconds"]
    if seconds is not None:
        seconds = _number("seconds", seconds, limits.min_seconds, limits.max_seconds, "s")
    return Options(
        prompt=_text(given["prompt"]),
        preset=_word(given["preset"]),
        aspect=_word(given["aspect"]),
        seconds=seconds,
        seed=_seed(given["seed"]),
        camera=_word(given["camera"]),
        negative_prompt=_text(given["negative_prompt"]),
        **numbers,
    )


def _number(field: str, value: Any, low: float, high: float, unit: str) -> float:  # noqa: ANN401  # comes from outside
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise OutOfRange(field, math.nan, low, high, unit)
    return number


def _seed(value: Any) -> int | None:  # noqa: ANN401  # comes from outside
    """Return the seed; text, since programs round large numbers.

    Raises:
        OutOfRange: it is no number.
    """
    if value is None or value == "":
        return None
    text = str(value).strip()
    if isinstance(value, bool | float) or not text.isdecimal():
        raise OutOfRange("seed", math.nan, 0, MAX_SEED)
    return int(text)


def _text(value: Any) -> str:  # noqa: ANN401  # comes from outside
    return "" if value is None else str(value)


def _word(value: Any) -> str | None:  # noqa: ANN401  # comes from outside
    return None if value is None else str(value)
