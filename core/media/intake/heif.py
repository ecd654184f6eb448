"""Open HEIC and HEIF pictures, which phones and cameras of today write by default."""

from typing import Any, BinaryIO

import pillow_heif
from PIL import Image
from pillow_heif import options

from core.errors import MediaCodecRefused, MediaDamaged, MediaNeedsMemory
from core.media.intake.picture_colour import UNKNOWN, PictureColour
from core.media.intake.picture_limits import refuse_large
from core.media.intake.picture_source import PictureSource
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
    try:
        file: Any = pillow_heif.open_heif(source)  # pyright: ignore[reportUnknownMemberType]  # its arguments are untyped
        image: Any = file[file.primary_index]
        refuse_large(task, "HEIF", *image.size)
        pixels, stride, mode = memoryview(image.data), image.stride, image.mode
    except (RuntimeError, ValueError, OSError, SyntaxError, EOFError) as error:
        reason = str(error).lower()
        if "memory" in reason or "limit" in reason:
            raise MediaNeedsMemory(task.role, "fix_most_compatible") from error
        if "unsupported" in reason or "unexpected c++" in reason:  # the latter: no thread to be had
            raise MediaCodecRefused(task.role, "unknown_codec", "fix_most_compatible") from error
        raise MediaDamaged(task.role) from error
    width, height = image.size

    def rows(top: int, bottom: int) -> Image.Image:
        part = bytes(pixels[top * stride : bottom * stride])
        return Image.frombuffer(mode, (width, bottom - top), part, "raw", mode, stride, 1)

    notes = ("main_picture_used",) if len(file) > 1 else ()
    numbers: dict[str, Any] = image.info.get("nclx_profile") or {}
    colour = PictureColour(
        primaries=int(numbers.get("color_primaries", UNKNOWN)),
        transfer=int(numbers.get("transfer_characteristics", UNKNOWN)),
        profile=image.info.get("icc_profile") or b"",
    )
    return PictureSource(width, height, rows, colour, 1, notes)
