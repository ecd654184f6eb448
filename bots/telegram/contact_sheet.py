"""Put the stills of a page of clips onto one picture, each under the number of its button."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

TILE = (320, 200)  # px
GAP = 6  # px between tiles
COLUMNS = 3
BEHIND, EMPTY, LABEL = "#17171b", "#26262c", "#f4f4f5"
LETTERS, LABEL_BOX = 30, 44  # px, of a number and the square behind it
QUALITY = 85


def contact_sheet(stills: Sequence[bytes | None]) -> bytes:
    """Draw ``stills`` in their order, an empty tile for None, as a JPEG.

    Blocks for some milliseconds.
    """
    columns = min(COLUMNS, len(stills))
    rows = -(-len(stills) // columns)
    width, height = (n * (side + GAP) - GAP for n, side in zip((columns, rows), TILE, strict=True))
    sheet = Image.new("RGB", (width, height), BEHIND)
    font = ImageFont.load_default(LETTERS)
    for index, still in enumerate(stills):
        left = index % columns * (TILE[0] + GAP)
        top = index // columns * (TILE[1] + GAP)
        sheet.paste(_tile(still), (left, top))
        draw = ImageDraw.Draw(sheet)
        draw.rectangle((left, top, left + LABEL_BOX, top + LABEL_BOX), fill=BEHIND)
        middle = (left + LABEL_BOX // 2, top + LABEL_BOX // 2)
        draw.text(middle, str(index + 1), fill=LABEL, font=font, anchor="mm")
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _tile(still: bytes | None) -> Image.Image:
    tile = Image.new("RGB", TILE, EMPTY)
    if still is not None:
        with Image.open(io.BytesIO(still), formats=("JPEG",)) as picture:
            small = picture.convert("RGB")
        small.thumbnail(TILE)
        tile.paste(small, ((TILE[0] - small.width) // 2, (TILE[1] - small.height) // 2))
    return tile
