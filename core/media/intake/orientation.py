"""Turn and mirror pictures as a display matrix asks: the nearest of the eight ways."""

from typing import TypeAlias

Turn: TypeAlias = tuple[int, int, int, int]  # a, b, c, d: x' = a·x + c·y and y' = b·x + d·y

UPRIGHT: Turn = (1, 0, 0, 1)
_FILTERS: dict[Turn, tuple[str, ...]] = {
    UPRIGHT: (),
    (-1, 0, 0, 1): ("hflip",),
    (1, 0, 0, -1): ("vflip",),
    (-1, 0, 0, -1): ("hflip", "vflip"),
    (0, 1, -1, 0): ("transpose=clock",),
    (0, -1, 1, 0): ("transpose=cclock",),
    (0, 1, 1, 0): ("transpose=cclock_flip",),
    (0, -1, -1, 0): ("transpose=clock_flip",),
}


def nearest_turn(matrix: tuple[int, ...]) -> Turn:
    """Return the way that is nearest to the nine numbers of ``matrix``; upright for none."""
    if len(matrix) < 5:
        return UPRIGHT
    given = (matrix[0], matrix[1], matrix[3], matrix[4])
    return max(_FILTERS, key=lambda turn: sum(x * y for x, y in zip(turn, given, strict=True)))


def swaps_sides(turn: Turn) -> bool:
    """Return whether width and height change places."""
    return turn[0] == 0


def filters_of(turn: Turn) -> tuple[str, ...]:
    """Return ffmpeg's filters that do it, each as ``name`` or ``name=options``."""
    return _FILTERS[turn]
