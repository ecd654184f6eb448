"""Time and size as the model can take them: frames 8k+1, sides in whole latent blocks.

The only home of these two formulas. Source: the LTX-2.3 video VAE compresses 8× in time (with one
leading frame) and 32× in space; the two-stage topology halves the size first, hence 64.
"""

import math
from dataclasses import dataclass

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
    """Return the frame count 8k+1 nearest to ``seconds`` at ``fps``, at least 9."""
    return max(1, round(seconds * fps / FRAME_STRIDE)) * FRAME_STRIDE + 1


def shorten_frames(seconds: float, fps: float) -> int:
    """Return the largest frame count 8k+1 that plays no longer than ``seconds``, at least 9."""
    return max(1, math.floor((seconds * fps - 1) / FRAME_STRIDE + 1e-6)) * FRAME_STRIDE + 1


def play_time(frames: int, fps: float) -> float:
    """Return the seconds that ``frames`` last at ``fps``."""
    return frames / fps


def snap_side(pixels: int, multiple: int = SIDE_MULTIPLE) -> int:
    """Return the multiple nearest to ``pixels`` (halves go down), at least one multiple."""
    return max(multiple, math.ceil(pixels / multiple - 0.5) * multiple)


def snap_size(size: Size, multiple: int = SIDE_MULTIPLE) -> Size:
    """Return ``size`` with both sides at their nearest multiple."""
    return Size(snap_side(size.width, multiple), snap_side(size.height, multiple))


def fit_ratio(ratio: float, pixels: int, longest: int, multiple: int = SIDE_MULTIPLE) -> Size:
    """Return the size of about ``pixels`` whose shape is nearest to ``ratio`` (width ÷ height).

    Args:
        ratio: wanted width ÷ height, > 0.
        pixels: the budget, usually a preset's.
        longest: no side becomes longer than this, px.
        multiple: both results are multiples of it.

    Returns:
        The snapped size; never above ``pixels`` by more than 5 %.
    """
    ratio = min(max(ratio, 0.25), 4.0)
    top = longest // multiple * multiple
    height = min(math.sqrt(pixels / ratio), top, top / ratio)
    size = snap_size(Size(round(height * ratio), round(height)), multiple)
    while size.pixels > pixels * 1.05 and max(size.width, size.height) > multiple:
        if size.width >= size.height:
            size = Size(size.width - multiple, size.height)
        else:
            size = Size(size.width, size.height - multiple)
    return size
