"""Options from programs: their types are a promise that nothing has kept yet."""

import math
from typing import Any

from core.compose import Options
from core.errors import OutOfRange
from core.limits import RequestLimits
from webui.values import seed_of


def options_from_program(given: dict[str, Any], limits: RequestLimits) -> Options:
    """Return ``given`` as options; only types are checked here, ranges where all fronts meet.

    Raises:
        OutOfRange: there is no number where one is needed.
        SeedNotANumber: the same for the seed.
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
        seed=seed_of(given["seed"]),
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


def _text(value: Any) -> str:  # noqa: ANN401  # comes from outside
    return "" if value is None else str(value)


def _word(value: Any) -> str | None:  # noqa: ANN401  # comes from outside
    return None if value is None else str(value)
