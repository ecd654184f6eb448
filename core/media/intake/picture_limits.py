"""What size of picture is accepted, in one table: by the largest that a device writes.

What a class costs is measured by ``bench/media_cost.py``: the largest of each stays below
``MediaLimits.decode_memory``. A photo is decoded at the smallest size that still gives all pixels
which are kept, where its decoder can do that.
"""

from dataclasses import dataclass

from core.domain.limits import MEGAPIXEL
from core.errors import MediaTooManyPixels
from core.media.intake.protocol import RecodeTask


@dataclass(frozen=True, slots=True)
class PictureClass:
    """A way to store pictures, and the largest that is accepted of it."""

    pixels: int
    device: str  # that writes pictures as large as this


_CLASSES = {
    "JPEG": PictureClass(200 * MEGAPIXEL, "Galaxy S Ultra, 16320×12240; decoded at a quarter"),
    # all coefficients are in memory at once, whatever size is asked for
    "progressive JPEG": PictureClass(51 * MEGAPIXEL, "Galaxy or Pixel, 8160×6144, exported"),
    "CMYK JPEG": PictureClass(51 * MEGAPIXEL, "print shop, A2 at 300 dots an inch, baseline"),
    "progressive CMYK JPEG": PictureClass(25 * MEGAPIXEL, "iPhone, 5712×4284, for print"),
    "HEIF": PictureClass(64 * MEGAPIXEL, "iPhone panorama, 16382×3888; photo 8064×6048"),
    "AVIF": PictureClass(25 * MEGAPIXEL, "iPhone photo of 24 MP, converted"),
    "PNG": PictureClass(51 * MEGAPIXEL, "Galaxy or Pixel photo of 50 MP, edited"),
    "WEBP": PictureClass(20 * MEGAPIXEL, "12 MP photo, 4032×3024; its decoder takes 16 bytes each"),
    "GIF": PictureClass(25 * MEGAPIXEL, "screen recorder, 5K"),
    "BMP": PictureClass(25 * MEGAPIXEL, "Windows, screen of 5K"),
}


def refuse_large(task: RecodeTask, name: str, width: int, height: int) -> None:
    """Check the size in the header of a picture of the class ``name``.

    Raises:
        MediaTooManyPixels: it is too large for its class, or for the operator.
    """
    limit = min(task.max_pixels, _CLASSES[name].pixels)
    if width * height > limit:
        raise MediaTooManyPixels(task.role, width, height, limit)
