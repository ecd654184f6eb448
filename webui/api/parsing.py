"""Options from programs: their types are a promise that nothing has kept yet."""

from typing import Any

from core.domain.limits import RequestLimits
from core.domain.options import Options
from core.domain.parsing import parse_number, parse_seed, parse_whole_number


def options_from_program(given: dict[str, Any], limits: RequestLimits) -> Options:
    """Read ``given`` as options; only types are checked here, ranges where all fronts meet.

    Raises:
        NotANumber: there is no number where one is needed.
        SeedNotANumber: the seed is none.
    """
    counts: dict[str, Any] = {
        field: None if given[field] is None else parse_whole_number(field, given[field], limits)
        for field in ("width", "height", "fps")
    }
    seconds = given["seconds"]
    return Options(
        prompt=_text(given["prompt"]),
        preset=_word(given["preset"]),
        aspect=_word(given["aspect"]),
        seconds=None if seconds is None else parse_number("seconds", seconds, limits),
        seed=parse_seed(given["seed"]),
        camera=_word(given["camera"]),
        negative_prompt=_text(given["negative_prompt"]),
        **counts,
    )


def _text(value: Any) -> str:  # noqa: ANN401  # comes from outside
    return "" if value is None else str(value)


def _word(value: Any) -> str | None:  # noqa: ANN401  # comes from outside
    return None if value is None else str(value)
