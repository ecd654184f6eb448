"""Rewrite pictures inside the sandbox upright, in RGB and with nothing but their pixels."""

from typing import BinaryIO

import numpy as np
from PIL import Image

from core.errors import MediaDamaged
from core.media.intake.picture_colour import deep_to_srgb, to_srgb
from core.media.intake.picture_source import DAMAGE, DeepRows, PictureSource, kept_size
from core.media.intake.picture_sources import open_picture
from core.media.intake.protocol import Note, RecodeResult, RecodeTask
from core.media.intake.stored import most_bytes, write_picture

Image.preinit()
_ROWS = 512  # that are converted at once: a copy of all would double the memory
_DEEP_ROWS = 32  # the same for arithmetic, which takes 100 bytes for each number
_WHITE = (255, 255, 255)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF's orientation


def recode_image(task: RecodeTask, source: BinaryIO, output: BinaryIO) -> RecodeResult:
    """Write the picture in ``source`` to ``output``, in sRGB.

    Transparent places become white. Pictures of more than ``keep_pixels`` are scaled down.

    Raises:
        MediaDamaged: it is; other refusals come from :func:`open_picture`.
    """
    try:
        picture = open_picture(task, source)
        size = kept_size(picture.width, picture.height, task.keep_pixels)
        deep = picture.deep_rows
        plain = _from_deep(picture, deep, size) if deep else _plain(picture, size)
        orientation, colour = picture.orientation, picture.colour
        notes = tuple(Note(code) for code in picture.notes)
        del picture  # all of its pixels: 200 MB at the limit
        if plain.size != size:
            plain = plain.resize(size, Image.Resampling.LANCZOS)
        plain = plain if deep else to_srgb(plain, colour)
    except DAMAGE as error:
        raise MediaDamaged(task.role) from error
    turn = _TURNS.get(orientation)
    if turn is not None:
        plain = plain.transpose(turn)
    if task.cut.in_picture:
        plain = plain.crop(task.cut.box(*plain.size))
    clean = Image.frombytes("RGB", plain.size, plain.tobytes())  # nothing of what came with it
    suffix = write_picture(clean, output, most_bytes(source))
    return RecodeResult(clean.width, clean.height, suffix=suffix, notes=notes)


def _plain(picture: PictureSource, size: tuple[int, int]) -> Image.Image:
    """Return the pixels over white, in 8 bits a channel; halved, … while larger than ``size``."""
    factor = max(1, min(picture.width // size[0], picture.height // size[1]))
    first = _opaque(picture.rows(0, 1))
    made = Image.new(first.mode, (-(-picture.width // factor), -(-picture.height // factor)))
    step = max(1, _ROWS // factor) * factor
    for top in range(0, picture.height, step):
        part = _opaque(picture.rows(top, min(top + step, picture.height)))
        made.paste(part.reduce(factor) if factor > 1 else part, (0, top // factor))
    return made


def _from_deep(picture: PictureSource, deep: DeepRows, size: tuple[int, int]) -> Image.Image:
    """Return the pixels in sRGB; halved, … while larger than ``size``."""
    factor = max(1, min(picture.width // size[0], picture.height // size[1]))
    width, height = picture.width // factor, picture.height // factor
    made = Image.new("RGB", (width, height))
    for top in range(0, height, _DEEP_ROWS):
        bottom = min(top + _DEEP_ROWS, height)
        rows = deep(top * factor, bottom * factor)
        blocks = rows[:, : width * factor].reshape(bottom - top, factor, width, factor, 3)
        mean = np.rint(blocks.mean(axis=(1, 3), dtype=np.float32)).astype(np.uint16)
        made.paste(deep_to_srgb(mean, picture.colour), (0, top))
    return made


def _opaque(part: Image.Image) -> Image.Image:
    """Put the pixels over white, as 8-bit grey, RGB or CMYK."""
    if part.mode.startswith(("I", "F")):  # 16-bit grey; plain conversion would clip it
        return part.convert("I").point(lambda value: value / 257 + 0.5).convert("L")
    if part.has_transparency_data or part.mode == "RGBa":
        layer = part if part.mode == "RGBA" else part.convert("RGBA")
        flat = Image.new("RGB", layer.size, _WHITE)
        flat.paste(layer, mask=layer)
        return flat
    return part if part.mode in {"L", "RGB", "CMYK"} else part.convert("RGB")
