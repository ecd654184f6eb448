"""Problems as cards: what, why, and the one click that mends it."""

from dataclasses import dataclass, field
from typing import Any

from core.domain.dimensions import Size, fit_ratio
from core.domain.followups import options_of
from core.domain.limits import RequestLimits
from core.domain.options import OPTIONS, OptionKind, Options
from core.domain.requests import Request
from core.errors import (
    ClapperError,
    InvalidInput,
    JobUnknown,
    NotYours,
    OutOfRange,
    PromptTooLong,
    SeedNotANumber,
)
from core.i18n.messages import explain, say
from core.service.preview import RequestPreview
from webui.views.jobs import ErrorView


@dataclass(frozen=True, slots=True)
class Fix:
    """Field values that make a request possible."""

    label: str
    changes: dict[str, Any] = field(default_factory=dict[str, Any])


def unprobed(error: ClapperError) -> ClapperError:
    """Return what is told of ``error``: somebody else's job is as unknown as none."""
    return JobUnknown(error.job_id) if isinstance(error, NotYours) else error


def error_body(error: ClapperError) -> dict[str, str]:
    """Return how a program is told of ``error`` at Gradio's endpoints, and before them."""
    return {"error": error.code, "detail": explain(error)}


def error_view(error: ClapperError, fix: Fix | None = None) -> ErrorView:
    """Return the card for ``error``."""
    title = say("studio_error_input" if isinstance(error, InvalidInput) else "studio_error_refused")
    return ErrorView(error.code, title, explain(error), fix.label if fix else "")


def fix_of(preview: RequestPreview, options: Options, limits: RequestLimits) -> Fix | None:
    """Return what would mend the refusal of ``preview``, None where nothing in the form does."""
    if preview.refusal is None:
        return None
    if preview.fitting is not None and preview.composition is not None:
        return _fitting(preview.fitting, preview.composition.request, limits)
    return fix_for(preview.refusal, options, limits)


def fix_for(error: ClapperError, options: Options, limits: RequestLimits) -> Fix | None:
    """Return what would mend ``error`` of what was typed, None where nothing in the form does.

    Args:
        error: of a value.
        options: what was typed.
        limits: the ranges.
    """
    match error:
        case SeedNotANumber() | OutOfRange(field="seed"):
            return Fix(say("studio_fix_seed"), {"seed": "", "lock": False})
        case OutOfRange():
            return _within(error, options, limits)
        case PromptTooLong(limit=limit):
            return Fix(say("studio_fix_prompt", {"limit": limit}), _shortened(options, limit))
        case _:
            return None


def _shortened(options: Options, limit: int) -> dict[str, Any]:
    """Cut every text that is too long for ``limit`` characters."""
    values = options.values()
    texts = {name: values[name] for name in OPTIONS if OPTIONS[name].kind is OptionKind.TEXT}
    return {name: text[:limit] for name, text in texts.items() if len(text) > limit}


def _fitting(found: Request, request: Request, limits: RequestLimits) -> Fix:
    sampling, typed = found.sampling, options_of(found, limits)
    data = {
        "preset": str(sampling.preset),
        "size": str(sampling.finished),
        "seconds": sampling.seconds,
    }
    label = say("studio_fix_size", data)
    changes = {
        "preset": str(sampling.preset),
        "width": typed.width,
        "height": typed.height,
        "seconds": typed.seconds,
        "follow": sampling.frames == request.sampling.frames,
        **({"times": sampling.times} if sampling.times else {}),
    }
    return Fix(label, changes)


def _within(error: OutOfRange, options: Options, limits: RequestLimits) -> Fix | None:
    if error.field == "pixels":
        asked = Size(options.width or 1, options.height or 1)
        size = fit_ratio(asked.ratio, limits.max_pixels, limits)
        label = say("studio_fix_pixels", {"size": str(size)})
        return Fix(label, {"width": size.width, "height": size.height})
    option = OPTIONS.get(error.field)
    if option is None or option.bounds is None:
        return None
    value = min(max(error.value, error.low), error.high)
    whole = round(value) if option.kind is OptionKind.COUNT else value
    data = {"field": error.field, "value": whole, "unit": error.unit}
    return Fix(say("studio_fix_value", data), {error.field: whole})
