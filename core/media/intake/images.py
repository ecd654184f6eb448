"""Rewrite pictures inside the sandbox as an upright RGB PNG that carries nothing but its pixels."""

import math
import struct
import zlib
from typing import BinaryIO

# what Pillow would import later, when no file can be opened any more
from PIL import Image, ImagePalette, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin

from core.domain.media import MediaKind
from core.errors import MediaDamaged, MediaFormatRefused, MediaTooManyPixels
from core.media.intake.formats import ACCEPTED
from core.media.intake.protocol import RecodeResult, RecodeTask

Image.preinit()
_LATER = (ImagePalette, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
_ORIENTATION = 0x0112  # EXIF
_WEBP_SHARE = 0.5  # of the pixels: its decoder needs 20 bytes a pixel where others need 10
# Pillow's ways to say that a file is damaged
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
)


def recode_image(task: RecodeTask, source: BinaryIO, output: BinaryIO) -> RecodeResult:
    """Write the picture in ``source`` to ``output``.

    Transparent places become white. Pictures of more than ``keep_pixels`` are scaled down.

    Raises:
        MediaTooManyPixels: by its header, before anything is decoded.
        MediaFormatRefused: it moves.
        MediaDamaged: it is.
    """
    Image.MAX_IMAGE_PIXELS = None  # ours is checked below; Pillow's own is only a warning
    limit = task.max_pixels
    if task.reader == "WEBP":
        limit = int(limit * _WEBP_SHARE)
        _within(task.role, _webp_size(source), limit)  # Pillow's opening already takes the memory
    try:
        with Image.open(source, formats=(task.reader,)) as picture:
            _within(task.role, picture.size, limit)
            if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
                raise MediaFormatRefused(task.role, "moving_picture", ACCEPTED[MediaKind.IMAGE])
            clean = _clean(picture, task.keep_pixels)
    except _DAMAGE as error:
        raise MediaDamaged(task.role) from error
    clean.save(output, "PNG", compress_level=3)
    return RecodeResult(clean.width, clean.height)


def _within(role: str, size: tuple[int, int], limit: int) -> None:
    width, height = size
    if width * height > limit:
        raise MediaTooManyPixels(role, width, height, limit)


def _webp_size(source: BinaryIO) -> tuple[int, int]:
    """Read the size in the header of a WebP file of any kind; 0×0 where it has none."""
    head = source.read(30).ljust(30, b"\0")
    source.seek(0)
    match head[12:16]:
        case b"VP8X":
            return (
                int.from_bytes(head[24:27], "little") + 1,
                int.from_bytes(head[27:30], "little") + 1,
            )
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack("<HH", head[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case _:
            return 0, 0


def _clean(picture: Image.Image, keep_pixels: int) -> Image.Image:
    turn = _turn(picture)
    scale = min(1.0, math.sqrt(keep_pixels / (picture.width * picture.height)))
    size = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
    if picture.mode == "RGB":
        picture.draft("RGB", size)  # JPEG: decode at half size or less where that is enough
    picture.load()
    plain = _plain(picture)
    if plain is not picture:
        picture.close()  # a copy of everything was made: 100 MB at the limit
    if plain.size != size:
        plain = plain.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    clean = Image.new("RGB", size)  # has nothing of what came with the pixels
    clean.paste(plain)
    return clean if turn is None else clean.transpose(turn)


def _plain(picture: Image.Image) -> Image.Image:
    """Put the pixels over white, in 8 bits a channel, as grey or RGB."""
    if picture.mode.startswith(("I", "F")):  # 16-bit grey; plain conversion would clip it
        return picture.convert("I").point(lambda value: value / 257).convert("L")
    if picture.has_transparency_data:
        layer = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        flat = Image.new("RGB", layer.size, (255, 255, 255))
        flat.paste(layer, mask=layer)
        return flat
    return picture if picture.mode in {"L", "RGB"} else picture.convert("RGB")


def _turn(picture: Image.Image) -> Image.Transpose | None:
    try:
        orientation = picture.getexif().get(_ORIENTATION)
    except _DAMAGE:
        return None  # broken EXIF does not spoil a picture
    return {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation or 1)
