"""Open HEIC and HEIF pictures, which phones and cameras of today write by default."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image
from pillow_heif import options

from core.errors import MediaCodecRefused, MediaDamaged, MediaNeedsMemory
from core.media.colour import UNSPECIFIED, Colours
from core.media.intake.picture_colour import PictureColour
from core.media.intake.picture_limits import refuse_large
from core.media.intake.picture_source import DEEP_PIXELS, PictureSource
from core.media.intake.protocol import RecodeTask


def open_heif(task: RecodeTask, source: BinaryIO) -> PictureSource:
    """Open an HEIC; libheif turns it upright itself, and its EXIF does not count.

    Raises:
        MediaNeedsMemory: libheif asks for more than is allowed.
        MediaCodecRefused: it is encoded in another way than HEVC.
        MediaDamaged: too much is missing or wrong.
    """
    options.DECODE_THREADS = 1  # beside the one that libheif takes for each picture
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    file = _opened(task, source, deep=False)
    image: Any = file[file.primary_index]
    refuse_large(task, "HEIF", *image.size)
    colour, bits = _colour_of(image), int(image.info.get("bit_depth") or 8)
    deep = colour.is_hdr and bits > 8 and image.mode == "RGB" and _size(image) <= DEEP_PIXELS
    if deep:
        image = _opened(task, source, deep=True)[file.primary_index]
    with _errors_of(task):
        pixels, stride, mode = memoryview(image.data), image.stride, image.mode
    width, height = image.size

    def rows(top: int, bottom: int) -> Image.Image:
        part = bytes(pixels[top * stride : bottom * stride])
        return Image.frombuffer(mode, (width, bottom - top), part, "raw", mode, stride, 1)

    def deep_rows(top: int, bottom: int) -> NDArray[np.uint16]:
        lines = np.frombuffer(pixels[top * stride : bottom * stride], np.uint16)
        whole = lines.reshape(bottom - top, -1)[:, : width * 3].reshape(bottom - top, width, 3)
        return np.bitwise_or(whole, whole >> np.uint16(bits))  # libheif leaves the lowest empty

    notes = ("main_picture_used",) if len(file) > 1 else ()
    return PictureSource(width, height, rows, colour, 1, notes, deep_rows if deep else None)


def _opened(task: RecodeTask, source: BinaryIO, *, deep: bool) -> Any:  # noqa: ANN401  # untyped
    source.seek(0)
    with _errors_of(task):
        return pillow_heif.open_heif(source, convert_hdr_to_8bit=not deep)  # pyright: ignore[reportUnknownMemberType]  # its arguments are untyped


@contextmanager
def _errors_of(task: RecodeTask) -> Generator[None]:
    """Turn libheif's errors into refusals.

    Raises:
        MediaNeedsMemory: it asks for more than is allowed.
        MediaCodecRefused: the picture is encoded in another way than HEVC.
        MediaDamaged: anything else.
    """
    try:
        yield
    except (RuntimeError, ValueError, OSError, SyntaxError, EOFError) as error:
        reason = str(error).lower()
        if "memory" in reason or "limit" in reason:
            raise MediaNeedsMemory(task.role, "fix_most_compatible") from error
        if "unsupported" in reason or "unexpected c++" in reason:  # the latter: no thread to be had
            raise MediaCodecRefused(task.role, "unknown_codec", "fix_most_compatible") from error
        raise MediaDamaged(task.role) from error


def _size(image: Any) -> int:  # noqa: ANN401  # untyped
    return int(image.size[0] * image.size[1])


def _colour_of(image: Any) -> PictureColour:  # noqa: ANN401  # untyped
    numbers: dict[str, Any] = image.info.get("nclx_profile") or {}
    told = Colours(
        int(numbers.get("color_primaries", UNSPECIFIED)),
        int(numbers.get("transfer_characteristics", UNSPECIFIED)),
    )
    return PictureColour(told, image.info.get("icc_profile") or b"")
