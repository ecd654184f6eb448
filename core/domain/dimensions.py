"""Time and size as the model can take them: frames 8k+1, sides in whole latent blocks.

The only home of these two formulas. Source: the video VAE compresses 8× in time (with one
leading frame) and 32× in space; the two-stage topology halves the size first, hence 64.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from core.domain.limits import RequestLimits

FRAME_STRIDE = 8
SIDE_MULTIPLE = 64  # px; 32 for a single stage


@dataclass(frozen=True, slots=True)
class Size:
    """A picture size in pixels."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Return width × height."""
        return self.width * self.height

    @property
    def ratio(self) -> float:
        """Return width ÷ height."""
        return self.width / self.height

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


def snap_frames(seconds: float, fps: float) -> int:
    """Round ``seconds`` at ``fps`` to the nearest frame count 8k+1, at least 9."""
    return max(1, round(seconds * fps / FRAME_STRIDE)) * FRAME_STRIDE + 1


def shorten_frames(seconds: float, fps: float) -> int:
    """Round ``seconds`` down to a frame count 8k+1, at least 9."""
    return max(1, math.floor((seconds * fps - 1) / FRAME_STRIDE + 1e-6)) * FRAME_STRIDE + 1


def lengthen_frames(seconds: float, fps: float) -> int:
    """Round ``seconds`` up to a frame count 8k+1, at least 9, that lasts as long or longer."""
    return max(1, math.ceil((seconds * fps - 1) / FRAME_STRIDE - 1e-6)) * FRAME_STRIDE + 1


def snap_count(frames: int) -> int:
    """Round ``frames`` to the nearest frame count 8k+1, at least 9."""
    return max(1, round((frames - 1) / FRAME_STRIDE)) * FRAME_STRIDE + 1


def play_time(frames: int, fps: float) -> float:
    """Return the seconds that ``frames`` last at ``fps``."""
    return frames / fps


def snap_side(pixels: int, multiple: int = SIDE_MULTIPLE) -> int:
    """Round ``pixels`` to the nearest multiple (halves go down), at least one multiple."""
    return max(multiple, math.ceil(pixels / multiple - 0.5) * multiple)


def snap_size(size: Size, multiple: int = SIDE_MULTIPLE) -> Size:
    """Round both sides of ``size`` to their nearest multiple."""
    return Size(snap_side(size.width, multiple), snap_side(size.height, multiple))


def fit_ratio(ratio: float, pixels: int, limits: RequestLimits) -> Size:
    """Find the size of about ``pixels`` within ``limits`` whose shape is nearest to ``ratio``.

    Shape counts five times as much as size: one step of 64 px on one side costs more than one step
    on both, so a square stays one.

    Args:
        ratio: wanted width ÷ height, > 0; beyond 1:4 and 4:1 those are taken.
        pixels: the budget, usually a preset's.
        limits: of what is made.

    Returns:
        A size in whole blocks; never above ``pixels`` by more than 5 %, where the limits let it.
    """
    ratio = min(max(ratio, 0.25), 4.0)
    most = min(pixels * 1.05, limits.max_pixels)
    sizes = [size for size in _shaped(ratio, most, limits) if size.pixels <= most]
    if not sizes:  # the smallest side alone is above the budget
        sizes = list(_shaped(ratio, limits.max_pixels, limits))

    def difference(size: Size) -> tuple[float, int]:
        shape, amount = math.log(size.ratio / ratio), math.log(size.pixels / pixels)
        return round(5 * abs(shape) + abs(amount), 9), size.width

    first = _first_side(limits)
    return min(sizes, key=difference, default=Size(first, first))


def _shaped(ratio: float, pixels: float, limits: RequestLimits) -> Iterator[Size]:
    """Yield for every width the two heights around ``ratio``, at most ``pixels`` where possible."""
    first = _first_side(limits)
    for width in range(first, limits.max_side + 1, SIDE_MULTIPLE):
        top = min(limits.max_side, int(pixels) // width) // SIDE_MULTIPLE * SIDE_MULTIPLE
        below = int(width / ratio) // SIDE_MULTIPLE * SIDE_MULTIPLE
        for height in {max(first, min(below + step, top)) for step in (0, SIDE_MULTIPLE)}:
            if width * height <= limits.max_pixels:
                yield Size(width, height)


def _first_side(limits: RequestLimits) -> int:
    return math.ceil(limits.min_side / SIDE_MULTIPLE) * SIDE_MULTIPLE


def other_side(given: int, ratio: float, limits: RequestLimits) -> int:
    """Return the side that nobody asked for: ``given`` × ``ratio``, within the limits."""
    longest = min(limits.max_side, limits.max_pixels // given)
    return max(limits.min_side, min(round(given * ratio), longest))


def inside(size: Size, limits: RequestLimits) -> bool:
    """Tell whether ``limits`` allow ``size``."""
    return (
        limits.min_side <= min(size.width, size.height)
        and max(size.width, size.height) <= limits.max_side
        and size.pixels <= limits.max_pixels
    )


def nearest_inside(asked: Size, limits: RequestLimits) -> Size:
    """Find the size in whole blocks within ``limits`` that is most like ``asked``.

    Its shape counts as much as its sides. Where the limits leave no such size, their smallest
    block is the best there is.
    """
    first = _first_side(limits)
    sides = range(first, limits.max_side + 1, SIDE_MULTIPLE)
    sizes = (Size(width, height) for width in sides for height in sides)

    def difference(size: Size) -> float:
        pairs = (
            (size.width, asked.width),
            (size.height, asked.height),
            (size.ratio, asked.ratio),
        )
        return sum(abs(math.log(one / other)) for one, other in pairs)

    allowed = (size for size in sizes if size.pixels <= limits.max_pixels)
    return min(allowed, key=difference, default=Size(first, first))
