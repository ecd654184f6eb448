"""A decoded picture, whatever its format, as rows of pixels."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.media.intake.picture_colour import PictureColour

# Pillow's and libheif's ways to say that a file is damaged
DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, struct.error,
    RuntimeError, ArithmeticError,
)  # fmt: skip


# that come in 16 bits, at some 25 bytes for each; of larger ones several make one that is kept,
# which smooths bands as well
DEEP_PIXELS = 27_000_000
DeepRows: TypeAlias = Callable[[int, int], NDArray[np.uint16]]


@dataclass(frozen=True, slots=True)
class PictureSource:
    """A decoded picture of any mode, whose rows can be had in parts."""

    width: int
    height: int
    rows: Callable[[int, int], Image.Image]  # from a row to before another
    colour: PictureColour
    orientation: int = 1  # EXIF
    notes: tuple[str, ...] = ()
    # the same rows in RGB of 16 bits, ``[rows, width, 3]``, where 8 bits would show bands: HDR
    # has as many numbers for what is brighter than paper as for all that is kept
    deep_rows: DeepRows | None = None


def kept_size(width: int, height: int, keep_pixels: int) -> tuple[int, int]:
    """Return the size of the result: as it is, or scaled down to ``keep_pixels``."""
    scale = min(1.0, math.sqrt(keep_pixels / (width * height)))
    return max(1, int(width * scale)), max(1, int(height * scale))
