"""Which part of a file is used: from when to when, and which part of the picture.

A cut is applied where the file is decoded, so that what is left out is never stored. What is kept
of a request is the file that comes out; a cut itself is part of no request.
"""

import math
from dataclasses import dataclass, fields
from typing import Any

from core.domain.limits import check_range
from core.domain.parsing import SHOWN
from core.errors import NotANumber

LEAST_SHARE = 0.02  # of a side
LEAST_S = 0.1
LATEST_S = 600.0  # s into a file that a cut may begin or end


@dataclass(frozen=True, slots=True)
class MediaCut:
    """A part of a file; without arguments all of it."""

    start_s: float = 0.0
    end_s: float | None = None  # None: to the end
    left: float = 0.0  # shares of the upright picture, 0 … 1
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def __post_init__(self) -> None:
        check_range(_named("start_s"), self.start_s, 0.0, LATEST_S, "s")
        if self.end_s is not None:
            check_range(_named("end_s"), self.end_s, self.start_s + LEAST_S, LATEST_S, "s")
        for name in ("left", "top"):
            check_range(_named(name), getattr(self, name), 0.0, 1 - LEAST_SHARE)
        check_range(_named("width"), self.width, LEAST_SHARE, 1.0001 - self.left)
        check_range(_named("height"), self.height, LEAST_SHARE, 1.0001 - self.top)

    @property
    def in_time(self) -> bool:
        """Tell whether not all of the time is used."""
        return self.start_s > 0 or self.end_s is not None

    @property
    def in_picture(self) -> bool:
        """Tell whether not all of the picture is used."""
        return (self.left, self.top, self.width, self.height) != (0.0, 0.0, 1.0, 1.0)

    def box(self, width: int, height: int, step: int = 1) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom in px of a picture, in multiples of ``step``."""
        least = 2 * step
        left = min(round(self.left * width) // step * step, max(0, width - least))
        top = min(round(self.top * height) // step * step, max(0, height - least))
        wide = max(least, round(self.width * width) // step * step)
        high = max(least, round(self.height * height) // step * step)
        return left, top, min(left + wide, width), min(top + high, height)


def _named(field: str) -> str:
    """Return the word for a field, for errors."""
    return f"cut_{field.removesuffix('_s')}"


def read_cut(given: dict[str, Any]) -> MediaCut | None:
    """Read a cut from plain data; None where it leaves nothing out.

    Raises:
        NotANumber: a value is none.
        OutOfRange: a value is not possible.
    """
    values: dict[str, float] = {}
    for item in fields(MediaCut):
        value = given.get(item.name)
        if value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value):
            most = LATEST_S if item.name.endswith("_s") else 1.0
            raise NotANumber(_named(item.name), str(value)[:SHOWN], 0.0, most)
        values[item.name] = float(value)
    cut = MediaCut(**values)
    return cut if cut.in_time or cut.in_picture else None
