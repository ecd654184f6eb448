"""Tell where a clip is larger or longer than what the model was made for, and what is nearest.

Source: the sizes and lengths that the makers' own desktop program offers at 24 frames a second,
1080p up to 5 s, 720p up to 10 s and 540p up to 20 s. Squares beyond about 1024² were reported to
come out black.
"""

from typing import TYPE_CHECKING

from core.domain.adjustments import Adjustment
from core.domain.dimensions import Size, fit_ratio, inside
from core.domain.limits import RequestLimits

if TYPE_CHECKING:
    from core.errors import Scalar

# the most pixels, and for how many seconds; rounded up to whole steps of 64
_ROWS = ((1024 * 576, 20.0), (1280 * 768, 10.0), (1920 * 1152, 5.0))
_SQUARE = 1.25  # sides that differ by less make a square
_SQUARE_PIXELS = 1024 * 1024


def beyond_model(size: Size, seconds: float, limits: RequestLimits) -> Adjustment | None:
    """Return the warning for a clip outside of what the model was made for, None inside.

    Args:
        size: of the finished clip.
        seconds: until its last frame.
        limits: in force; what is proposed lies within them.
    """
    longest = longest_seconds(size)
    if seconds <= longest:
        return None
    data: dict[str, Scalar] = {"size": str(size), "seconds": round(seconds, 1)}
    smaller = _largest(size.ratio, seconds, limits)
    if longest >= limits.min_seconds:
        data["shorter_s"] = longest
    if smaller is not None:
        data["smaller"] = str(smaller)
    match "shorter_s" in data, smaller is not None:
        case True, True:
            code = "beyond_model"
        case True, False:
            code = "beyond_model_length"
        case False, True:
            code = "beyond_model_size"
        case _:
            code = "beyond_model_limits"
    return Adjustment(code, data)


def longest_seconds(size: Size) -> float:
    """Return how long a clip of ``size`` may be; 0 where no length is good."""
    square = max(size.ratio, 1 / size.ratio) < _SQUARE
    if square and size.pixels > _SQUARE_PIXELS:
        return 0.0
    return next((seconds for pixels, seconds in _ROWS if size.pixels <= pixels), 0.0)


def _largest(ratio: float, seconds: float, limits: RequestLimits) -> Size | None:
    """Return the largest size in the shape ``ratio`` that may be so long; None if there is none."""
    for pixels, longest in reversed(_ROWS):
        if seconds > longest:
            continue
        square = max(ratio, 1 / ratio) < _SQUARE
        most = min(pixels, _SQUARE_PIXELS, limits.max_pixels) if square else pixels
        found = fit_ratio(ratio, min(most, limits.max_pixels), limits)
        while longest_seconds(found) < seconds and most > limits.min_side**2:
            most = most * 9 // 10  # the nearest in steps of 64 was a little too large
            found = fit_ratio(ratio, most, limits)
        if longest_seconds(found) >= seconds and inside(found, limits):
            return found
    return None
