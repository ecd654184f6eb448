"""A picture of a clip that is being made: so small that it travels as a message."""

import base64
import binascii
import zlib
from dataclasses import dataclass, field

MOST_BYTES = 5_600  # of the picture; as text with what names it 7 600, and PostgreSQL takes 8 000
MOST_MOMENTS = 8
EVERY_S = 0.5  # between two of them


@dataclass(frozen=True, slots=True)
class ClipPreview:
    """Moments of a clip in their order, one below the other in one WebP file.

    At most :data:`MOST_BYTES` and :data:`MOST_MOMENTS`, all of one size.
    """

    picture: bytes = field(repr=False)  # a person's clip: no log shows it
    moments: int

    @property
    def tag(self) -> str:
        """Return what differs where the picture does."""
        return f"{zlib.crc32(self.picture):08x}"

    @property
    def text(self) -> str:
        """Return the picture as ASCII."""
        return base64.b64encode(self.picture).decode()


def read_preview(text: str, moments: int) -> ClipPreview | None:
    """Read what :attr:`ClipPreview.text` gave on another machine.

    Returns:
        None where it is no WebP file, or none of our size: it will be shown to somebody.
    """
    if not 1 <= moments <= MOST_MOMENTS:
        return None
    try:
        picture = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    whole = picture[:4] == b"RIFF" and picture[8:12] == b"WEBP"
    return ClipPreview(picture, moments) if whole and len(picture) <= MOST_BYTES else None
