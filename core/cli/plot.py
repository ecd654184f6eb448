"""Draw a plot of estimates against truth with Pillow; one picture does not justify a library."""

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from core.media.output.seal import seal
from core.runtime.atomic_files import whole_file
from core.runtime.permissions import hand_over

SIDE = 900  # px
MARGIN = 90
INK, GRID, BAND, DOT = (30, 34, 42), (222, 226, 232), (232, 242, 234), (31, 99, 190)
TICKS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000)
BAND_SHARE = 0.2  # the band within which an estimate counts as right


def draw_plot(
    points: Sequence[tuple[float, float]], labels: tuple[str, str], title: str, path: Path
) -> None:
    """Write a square log–log plot of ``points`` as a PNG.

    Args:
        points: (truth, estimate) in seconds, both > 0.
        labels: of the horizontal and the vertical axis.
        title: above the plot.
        path: the file to write.
    """
    values = [value for point in points for value in point]
    low, high = min(values) / 1.6, max(values) * 1.6
    image = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(image)

    def place(seconds: float) -> float:
        share = math.log(seconds / low) / math.log(high / low)
        return MARGIN + share * (SIDE - 2 * MARGIN)

    def dot(truth: float, estimate: float) -> tuple[float, float]:
        return place(truth), SIDE - place(estimate)

    above, below = 1 + BAND_SHARE, 1 / (1 + BAND_SHARE)
    band = [
        dot(low, low * above),
        dot(high / above, high),
        dot(high, high),
        dot(high, high * below),
    ]
    draw.polygon([*band, dot(low / below, low), dot(low, low)], fill=BAND)
    font = ImageFont.load_default(size=18)
    for tick in (tick for tick in TICKS if low < tick < high):
        at = place(tick)
        draw.line([(at, MARGIN), (at, SIDE - MARGIN)], fill=GRID)
        draw.line([(MARGIN, SIDE - at), (SIDE - MARGIN, SIDE - at)], fill=GRID)
        draw.text((at, SIDE - MARGIN + 8), f"{tick:g}", fill=INK, font=font, anchor="ma")
        draw.text((MARGIN - 8, SIDE - at), f"{tick:g}", fill=INK, font=font, anchor="rm")
    draw.line([dot(low, low), dot(high, high)], fill=INK, width=2)
    draw.rectangle([MARGIN, MARGIN, SIDE - MARGIN, SIDE - MARGIN], outline=INK)
    for truth, estimate in points:
        x, y = dot(truth, estimate)
        draw.ellipse([x - 5, y - 5, x + 5, y + 5], fill=DOT, outline="white")
    draw.text((SIDE / 2, MARGIN / 2), title, fill=INK, font=font, anchor="mm")
    draw.text((SIDE / 2, SIDE - 26), labels[0], fill=INK, font=font, anchor="mm")
    draw.text((MARGIN, MARGIN - 16), labels[1], fill=INK, font=font, anchor="lm")
    _write(image, path)


def _write(image: Image.Image, path: Path) -> None:
    with whole_file(path) as part:
        image.save(part, "PNG")
        seal(part)
        hand_over(part)
