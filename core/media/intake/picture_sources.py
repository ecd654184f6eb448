"""Open pictures of every accepted format as rows of pixels, with what their file says of them."""

import re
import struct
from collections.abc import Callable
from typing import BinaryIO

# what Pillow would import later, when no file can be opened any more
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImagePalette,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from core.media.colour import Colours
from core.media.intake.avif import deep_rows_of
from core.media.intake.heif import open_heif
from core.media.intake.jpeg import rescue
from core.media.intake.picture_colour import PictureColour
from core.media.intake.picture_limits import refuse_large
from core.media.intake.picture_source import DAMAGE, PictureSource, kept_size
from core.media.intake.png import PngParts, read_png, share_of_pixels
from core.media.intake.protocol import RecodeTask

_LATER = (
    BmpImagePlugin, GifImagePlugin, ImagePalette, JpegImagePlugin, MpoImagePlugin, PngImagePlugin,
    TiffImagePlugin, WebPImagePlugin,
)  # fmt: skip
_THREADS = 1  # others would multiply the memory, and none may be started
_ENOUGH = 0.99  # of the rows; with fewer a picture counts as damaged
_ORIENTATION, _COLOUR_SPACE, _INTEROPERABILITY = 0x0112, 0xA001, 0xA005  # EXIF
_ADOBE_RGB = PictureColour(
    Colours(gamma=2.2, corners=((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), (0.3127, 0.3290)))
)
_NUMBERS = re.compile(rb"colrnclx(....)", re.DOTALL)
_HEAD_BYTES = 65_536  # of an AVIF, in which its colours are told
_MOVES, _CUT = "first_picture_used", "end_missing"


def open_picture(task: RecodeTask, source: BinaryIO) -> PictureSource:
    """Open the picture in ``source`` with the ordered reader, and decode it.

    Photos are decoded at a half, a quarter or an eighth where that still gives all pixels which are
    kept.

    Raises:
        MediaTooManyPixels: by its header, before anything is decoded.
        MediaNeedsMemory: its decoder asks for more than is allowed.
        MediaCodecRefused: what is in the container cannot be decoded here.
        MediaDamaged: too much is missing or wrong.
        MemoryError: as MediaNeedsMemory.
    """
    Image.MAX_IMAGE_PIXELS = None  # ours are checked; Pillow's own is only a warning
    AvifImagePlugin.DEFAULT_MAX_THREADS = _THREADS
    opener = {"PNG": _open_png, "HEIF": open_heif, "JPEG": _open_jpeg}.get(task.reader, _open_any)
    return opener(task, source)


def _open_png(task: RecodeTask, source: BinaryIO) -> PictureSource:
    parts = read_png(source)
    picture = Image.open(parts.pixels, formats=("PNG",))
    refuse_large(task, "PNG", *picture.size)
    notes = [_MOVES] if parts.moves else []
    height = picture.height
    try:
        picture.load()
    except OSError:
        height = int(height * share_of_pixels(parts.pixels))
        if height < picture.height * _ENOUGH or not height:
            raise
        picture.tile = []  # type: ignore[attr-defined]  # what was decoded is there
        notes.append(_CUT)
    return PictureSource(
        picture.width,
        height,
        _rows_of(picture),
        parts.colour(),
        _png_orientation(parts),
        tuple(notes),
    )


def _png_orientation(parts: PngParts) -> int:
    exif = Image.Exif()
    try:
        exif.load(b"Exif\0\0" + parts.facts.get(b"eXIf", b""))
        return int(exif.get(_ORIENTATION, 1))
    except DAMAGE:
        return 1  # broken EXIF does not spoil a picture


def _open_jpeg(task: RecodeTask, source: BinaryIO) -> PictureSource:
    picture = Image.open(source, formats=("JPEG",))
    kind = "CMYK JPEG" if picture.mode == "CMYK" else "JPEG"
    kind = f"progressive {kind}" if "progressive" in picture.info else kind
    refuse_large(task, kind, *picture.size)
    size = kept_size(picture.width, picture.height, task.keep_pixels)
    exif = _exif_of(picture)
    profile = picture.info.get("icc_profile") or b""
    notes: tuple[str, ...] = ()
    picture.draft(picture.mode, size)
    try:
        picture.load()
    except OSError:
        picture, cut = rescue(source, size)
        notes = (_CUT,) if cut else ()
    colour = PictureColour(profile=profile) if profile else _colour_of(exif)
    orientation = exif.get(_ORIENTATION, 1)
    return PictureSource(
        picture.width, picture.height, _rows_of(picture), colour, orientation, notes
    )


def _exif_of(picture: Image.Image) -> Image.Exif:
    try:
        exif = picture.getexif()
        exif.get_ifd(0x8769)
    except DAMAGE:
        return Image.Exif()  # broken EXIF does not spoil a picture
    return exif


def _colour_of(exif: Image.Exif) -> PictureColour:
    """Return the colours of a camera that names them in EXIF only (DCF 2.0)."""
    details = exif.get_ifd(0x8769)
    optional = details.get(_COLOUR_SPACE) == 2
    try:
        further = exif.get_ifd(_INTEROPERABILITY).get(1)
    except DAMAGE:
        further = None
    return _ADOBE_RGB if optional or further == "R03" else PictureColour()


def _open_any(task: RecodeTask, source: BinaryIO) -> PictureSource:
    if task.reader == "WEBP":  # Pillow's opening already takes the memory
        refuse_large(task, "WEBP", *_webp_size(source))
    numbers = _NUMBERS.search(source.read(_HEAD_BYTES)) if task.reader == "AVIF" else None
    source.seek(0)
    picture = Image.open(source, formats=(task.reader,))
    refuse_large(task, task.reader, *picture.size)
    moves = bool(getattr(picture, "is_animated", False))
    profile = picture.info.get("icc_profile") or b""
    orientation = _exif_of(picture).get(_ORIENTATION, 1)
    told = Colours(*struct.unpack(">HH", numbers[1])) if numbers else Colours()
    colour = PictureColour(told, profile)
    opaque = picture.mode == "RGB"
    deep = deep_rows_of(task, source, picture.size) if told.is_hdr and opaque else None
    if deep is None:
        picture.load()
    notes = (_MOVES,) if moves else ()
    return PictureSource(
        picture.width, picture.height, _rows_of(picture), colour, orientation, notes, deep
    )


def _rows_of(picture: Image.Image) -> Callable[[int, int], Image.Image]:
    return lambda top, bottom: picture.crop((0, top, picture.width, bottom))


def _webp_size(source: BinaryIO) -> tuple[int, int]:
    """Read the size in the header of a WebP file of any kind; 0×0 where it has none."""
    source.seek(0)
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
