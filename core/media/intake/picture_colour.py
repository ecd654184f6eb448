"""Convert the colours of a picture to sRGB, whatever its file says that they are.

Profiles (ICC) are applied by LittleCMS, everything else by :mod:`core.media.colour`. HDR keeps what
is darker than paper nearly as it is, and compresses what is above.
"""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms, ImageFilter

from core.media.colour import PICTURE, Colours, convert, picture_table

_GRID = 65  # points of the table in each direction, the most that Pillow takes
_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_UNSEEN = 2  # of 255; a profile that changes less is that of sRGB


@dataclass(frozen=True, slots=True)
class PictureColour:
    """What a file says of its colours; a profile counts before numbers, but not in HDR."""

    numbers: Colours = field(default_factory=Colours)
    profile: bytes = b""  # ICC

    @property
    def is_hdr(self) -> bool:
        """Return whether they code light brighter than paper."""
        return self.numbers.is_hdr


def to_srgb(picture: Image.Image, colour: PictureColour) -> Image.Image:
    """Convert ``picture`` (grey, RGB or CMYK, 8 bits a channel) to sRGB.

    A profile that is broken, or of another kind of picture, is left out: the numbers stay.
    """
    if colour.profile and not colour.is_hdr:
        converted = _by_profile(picture, colour.profile)
        if converted is not None:
            return converted
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    if colour.numbers.is_plain(PICTURE):
        return rgb
    try:
        table = picture_table(colour.numbers, _GRID)
    except np.linalg.LinAlgError:
        return rgb  # these are no colours
    return rgb.filter(ImageFilter.Color3DLUT(_GRID, table.reshape(-1)))  # pyright: ignore[reportArgumentType]  # its stub knows lists only


def deep_to_srgb(pixels: NDArray[np.uint16], colour: PictureColour) -> Image.Image:
    """Convert pixels of 16 bits ``[h, w, 3]`` to sRGB, each by itself."""
    coded = pixels.astype(np.float32) / np.float32(65_535)
    return Image.fromarray(np.rint(convert(coded, colour.numbers, PICTURE) * 255).astype(np.uint8))


def _by_profile(picture: Image.Image, content: bytes) -> Image.Image | None:
    """Apply an ICC profile; None where that cannot be done."""
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(content))
        core = cast("Any", profile.profile)  # pyright: ignore[reportUnknownMemberType]  # untyped
        mode = _SPACES.get(core.xcolor_space.strip(), "")
        if mode == "RGB" and picture.mode == "L":
            picture = picture.convert("RGB")
        if mode != picture.mode:
            return None
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # as above
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode != "CMYK" and _changes_nothing(transform, mode):
            return picture.convert("RGB")
        return ImageCms.applyTransform(picture, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    steps = bytes(range(0, 256, 51))
    values = (
        bytes(range(256))
        if mode == "L"
        else b"".join(bytes((r, g, b)) for r in steps for g in steps for b in steps)
    )
    sample = Image.frombytes(mode, (len(values) // len(mode), 1), values)
    made = ImageCms.applyTransform(sample, transform)
    if made is None:
        return False
    extrema = ImageChops.difference(sample.convert("RGB"), made).getextrema()
    return max(int(high) for _, high in extrema) <= _UNSEEN  # type: ignore[misc]  # three bands
