"""Make the small picture of a clip that is being made."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core.domain.clip_preview import MOST_BYTES, MOST_MOMENTS, ClipPreview

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 144  # px, the longer one; the page draws it larger, and blurs what is no detail anyway
_LEAST_SIDE = 48
_QUALITIES = (72, 50, 30)


def moments_of(count: int, most: int = MOST_MOMENTS) -> tuple[int, ...]:
    """Choose at most ``most`` of ``count`` frames, evenly from the first to the last."""
    if count <= most:
        return tuple(range(count))
    return tuple(round(index * (count - 1) / (most - 1)) for index in range(most))


def preview_of(frames: "NDArray[np.uint8]") -> ClipPreview:
    """Draw ``frames`` ``[n, height, width, 3]``, 1 to :data:`MOST_MOMENTS`, as one small picture.

    Tiny ones are made larger, smoothly. Takes a few milliseconds.
    """
    for side, quality in _sizes():
        picture = _encoded([_fitted(frame, side) for frame in frames], quality)
        if len(picture) <= MOST_BYTES:
            return ClipPreview(picture, len(frames))
    middle = frames[len(frames) // 2]  # noise in all of them; one fits always
    return ClipPreview(_encoded([_fitted(middle, _LEAST_SIDE)], _QUALITIES[-1]), 1)


def _sizes() -> Iterator[tuple[int, int]]:
    side = SIDE
    while side >= _LEAST_SIDE:
        for quality in _QUALITIES:
            yield side, quality
        side = side * 2 // 3


def _fitted(frame: "NDArray[np.uint8]", side: int) -> Image.Image:
    height, width = frame.shape[:2]
    step = max(1, max(height, width) // (4 * side))  # what a filter would read for nothing
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray(np.ascontiguousarray(frame[::step, ::step]))
    return small.resize(size, Image.Resampling.BICUBIC)


def _encoded(pictures: list[Image.Image], quality: int) -> bytes:
    width, height = pictures[0].size
    strip = Image.new("RGB", (width, height * len(pictures)))
    for index, picture in enumerate(pictures):
        strip.paste(picture, (0, index * height))
    file = io.BytesIO()
    strip.save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()
