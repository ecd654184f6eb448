"""Check a finished request against today's limits, however it came to be.

What is typed is checked when it is composed. A request may also be another job's, of a time when
the limits were wider: taken again, continued, bettered, or kept in a form over a restart.
"""

from core.domain.continuation import check_film
from core.domain.dimensions import FRAME_STRIDE, SIDE_MULTIPLE, Size, play_time
from core.domain.keyframes import check_times
from core.domain.limits import RequestLimits, check_range, most_fps
from core.domain.options import KEPT, OPTIONS, OptionKind
from core.domain.presets import PRESETS
from core.domain.request_words import check_words
from core.domain.requests import Request, Sampling
from core.errors import InvalidInput, OutOfRange, PromptTooLong

_SHORTEST = FRAME_STRIDE + 1  # frames; the model makes none that are shorter
_PRODUCT = RequestLimits()


def check_limits(request: Request, limits: RequestLimits) -> None:
    """Refuse ``request`` where ``limits`` do not allow it; what compose makes within them passes.

    A least value is asked only where an operator raised it: programs of ours make requests that
    are smaller than anything people may type.

    Raises:
        OutOfRange: seconds, frames a second, a side or all pixels leave the limits.
        PromptTooLong: a text has more characters than allowed.
        WildcardsTooMany, WildcardsTooDeep, WordsTooLong: of its words.
        FilmTooLong, FilmComplete: its film would become longer than allowed.
    """
    sampling = request.sampling
    texts = (getattr(sampling, option.name) for option in KEPT if option.kind is OptionKind.TEXT)
    for text in (request.prompt, *texts):
        if len(text) > limits.prompt_characters:
            raise PromptTooLong(len(text), limits.prompt_characters)
    check_words(request, limits)
    for option in KEPT:
        value = getattr(sampling, option.name)
        if option.bounds is not None and value is not None:
            check_range(option.name, value, *option.range_in(limits), option.unit)
    _check_time(sampling, limits)
    _check_size(sampling, limits)
    check_film(request, limits)
    check_times(request)


def allows(request: Request, limits: RequestLimits) -> bool:
    """Tell whether ``limits`` allow ``request``."""
    try:
        check_limits(request, limits)
    except InvalidInput:
        return False
    return True


def _check_time(sampling: Sampling, limits: RequestLimits) -> None:
    fps, frames = sampling.sampled_fps, sampling.sampled_frames
    slowest = limits.min_fps if limits.min_fps > _PRODUCT.min_fps else 1
    if not slowest <= fps <= limits.max_fps:
        raise OutOfRange("fps", sampling.fps, limits.min_fps, most_fps(limits), "fps")
    # the same steps as compose, which rounds to whole strides of frames
    long = frames > _SHORTEST and play_time(frames - 1, fps) > limits.max_seconds
    raised = limits.min_seconds > _PRODUCT.min_seconds
    if long or (raised and play_time(frames + FRAME_STRIDE, fps) < limits.min_seconds):
        seconds = round(play_time(frames - 1, fps), 2)
        raise OutOfRange("seconds", seconds, limits.min_seconds, limits.max_seconds, "s")


def _check_size(sampling: Sampling, limits: RequestLimits) -> None:
    size = sampling.finished
    step = SIDE_MULTIPLE * PRESETS[sampling.preset].scale
    least = -(-limits.min_side // step) * step  # the best that narrow limits leave
    raised = limits.min_side > _PRODUCT.min_side
    for name, side in (("width", size.width), ("height", size.height)):
        if side > max(limits.max_side, least) or (raised and side < limits.min_side - step):
            raise OutOfRange(name, side, limits.min_side, limits.max_side, "px")
    if size.pixels > limits.max_pixels and size != Size(least, least):
        low, high = limits.min_side**2 / 1e6, limits.max_pixels / 1e6
        raise OutOfRange("pixels", size.pixels / 1e6, low, high, "Mpx")


def bounded_values(limits: RequestLimits, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of a button's ``values`` that ``limits`` allow for the option ``name``."""
    option = OPTIONS[name]
    if option.bounds is None:
        return values
    low, high = option.range_in(limits)
    return tuple(value for value in values if low <= float(value) <= high)
