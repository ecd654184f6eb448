"""Make the small picture that stands for a clip: before it plays, and in lists."""

import io
from pathlib import Path

from PIL import Image

SIDE = 320  # px; source: Bot API, "thumbnail": JPEG, at most 320 px a side and 200 kB
QUALITIES = (88, 75, 60, 40)
MAX_BYTES = 200_000


def thumbnail(poster: Path) -> bytes:
    """Encode ``poster`` as a JPEG within Telegram's limits. Blocks for some milliseconds."""
    with Image.open(poster, formats=("PNG",)) as picture:
        small = picture.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    content = b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality)
        content = buffer.getvalue()
        if len(content) <= MAX_BYTES:
            break
    return content
