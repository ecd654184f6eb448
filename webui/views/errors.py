"""Problems as cards: what, why, and the one click that mends it."""

from dataclasses import dataclass, field
from typing import Any

from core.domain.dimensions import Size, fit_ratio
from core.domain.limits import RequestLimits
from core.domain.requests import Options, Request
from core.duration import Machine, estimate, largest_fitting
from core.errors import (
    ClapperError,
    InvalidInput,
    OutOfRange,
    PromptTooLong,
    QuotaExceeded,
    SeedNotANumber,
    TooCostly,
)
from core.i18n.messages import explain, say
from webui.views.jobs import ErrorView


@dataclass(frozen=True, slots=True)
class Fix:
    """Field values that make a request possible."""

    label: str
    changes: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a fix may use: the ranges, the machine, and what is left to spend (GPU-ms)."""

    limits: RequestLimits
    machine: Machine
    left_ms: int


def error_view(error: ClapperError, fix: Fix | None = None) -> ErrorView:
    """Return the card for ``error``."""
    title = say("studio_error_input" if isinstance(error, InvalidInput) else "studio_error_refused")
    return ErrorView(error.code, title, explain(error), fix.label if fix else "")


def fix_for(
    error: ClapperError, options: Options, request: Request | None, around: Surroundings
) -> Fix | None:
    """Return what would mend ``error``, None where nothing in the form does.

    Args:
        error: of the request.
        options: what was typed.
        request: what it asked for, where that much is known.
        around: ranges and budget.
    """
    match error:
        case SeedNotANumber() | OutOfRange(field="seed"):
            return Fix(say("studio_fix_seed"), {"seed": "", "lock": False})
        case OutOfRange():
            return _within(error, options, around.limits)
        case PromptTooLong(limit=limit):
            return Fix(
                say("studio_fix_prompt", {"limit": limit}), {"prompt": options.prompt[:limit]}
            )
        case QuotaExceeded() if request is not None:
            return _smaller(request, around.left_ms, around)
        case TooCostly(limit_ms=limit) if request is not None:
            return _smaller(request, min(limit, around.left_ms), around)
        case _:
            return None


def smaller(
    request: Request, machine: Machine, limits: RequestLimits, share: float = 0.5
) -> Request | None:
    """Return a request like ``request`` with at most ``share`` of its work; None if none is."""
    budget = estimate(request, machine).gpu_ms * share
    return largest_fitting(request, budget, machine, limits)


def _smaller(request: Request, budget_ms: float, around: Surroundings) -> Fix | None:
    found = largest_fitting(request, budget_ms, around.machine, around.limits)
    if found is None or found == request:
        return None
    sampling = found.sampling
    label = say("studio_fix_size", {"size": str(sampling.size), "seconds": sampling.seconds})
    changes = {
        "preset": str(sampling.preset),
        "width": sampling.width,
        "height": sampling.height,
        "seconds": round((sampling.frames - 1) / sampling.fps, 2),
        "follow": sampling.frames == request.sampling.frames,
    }
    return Fix(label, changes)


def _within(error: OutOfRange, options: Options, limits: RequestLimits) -> Fix | None:
    if error.field == "pixels":
        asked = Size(options.width or 1, options.height or 1)
        size = fit_ratio(asked.ratio, limits.max_pixels, limits.max_side)
        label = say("studio_fix_pixels", {"size": str(size)})
        return Fix(label, {"width": size.width, "height": size.height})
    if error.field not in {"width", "height", "seconds", "fps"}:
        return None
    value = min(max(error.value, error.low), error.high)
    whole = value if error.field == "seconds" else round(value)
    data = {"field": error.field, "value": whole, "unit": error.unit}
    return Fix(say("studio_fix_value", data), {error.field: whole})
