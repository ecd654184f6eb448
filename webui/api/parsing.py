"""Options from programs: their types are a promise that nothing has kept yet."""

from collections.abc import Mapping
from typing import Any

from core.domain.limits import RequestLimits
from core.domain.options import OPTIONS, Option, OptionKind, Options
from core.domain.parsing import parse_number, parse_seed, parse_whole_number


def options_from_program(given: Mapping[str, Any], limits: RequestLimits) -> Options:
    """Read ``given`` as options; only types are checked here, ranges where all fronts meet.

    Args:
        given: values by name of the option; what is None or absent is left to the service.
        limits: what a refusal names.

    Raises:
        NotANumber: there is no number where one is needed.
        SeedNotANumber: the seed is none.
    """
    return Options.of(
        {
            name: _value(option, given[name], limits)
            for name, option in OPTIONS.items()
            if given.get(name) is not None
        }
    )


def _value(option: Option, value: Any, limits: RequestLimits) -> Any:  # noqa: ANN401  # comes from outside
    match option.kind:
        case OptionKind.NUMBER:
            return parse_number(option.name, value, limits)
        case OptionKind.COUNT:
            return parse_whole_number(option.name, value, limits)
        case OptionKind.SEED:
            return parse_seed(value)
        case OptionKind.TEXT | OptionKind.CHOICE:
            return str(value).encode("utf-8", "replace").decode()  # JSON may hold half a character
