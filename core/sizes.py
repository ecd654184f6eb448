"""Which picture sizes are possible, and which of them is nearest to what was asked for."""

import math
from dataclasses import replace

from core.frames import SIDE_MULTIPLE, Size
from core.limits import RequestLimits
from core.presets import PresetSpec


def limits_of(spec: PresetSpec, limits: RequestLimits) -> RequestLimits:
    """Return ``limits``, which are those of finished clips, for what the preset makes."""
    return replace(
        limits,
        min_side=max(SIDE_MULTIPLE, -(-limits.min_side // spec.scale)),
        max_side=limits.max_side // spec.scale,
        max_pixels=limits.max_pixels // spec.scale**2,
    )


def other_side(given: int, ratio: float, limits: RequestLimits) -> int:
    """Return the side that nobody asked for: ``given`` × ``ratio``, within the limits."""
    longest = min(limits.max_side, limits.max_pixels // given)
    return max(limits.min_side, min(round(given * ratio), longest))


def inside(size: Size, limits: RequestLimits) -> bool:
    """Return whether ``limits`` allow ``size``."""
    return (
        limits.min_side <= min(size.width, size.height)
        and max(size.width, size.height) <= limits.max_side
        and size.pixels <= limits.max_pixels
    )


def nearest_inside(asked: Size, limits: RequestLimits) -> Size:
    """Return the size in whole blocks within ``limits`` that is most like ``asked``.

    Its shape counts as much as its sides. Where the limits leave no such size, their smallest
    block is the best that can be had.
    """
    first = math.ceil(limits.min_side / SIDE_MULTIPLE) * SIDE_MULTIPLE
    sides = range(first, limits.max_side + 1, SIDE_MULTIPLE)
    sizes = (Size(width, height) for width in sides for height in sides)

    def difference(size: Size) -> float:
        pairs = (
            (size.width, asked.width),
            (size.height, asked.height),
            (size.ratio, asked.ratio),
        )
        return sum(abs(math.log(one / other)) for one, other in pairs)

    inside = (size for size in sizes if size.pixels <= limits.max_pixels)
    return min(inside, key=difference, default=Size(first, first))
