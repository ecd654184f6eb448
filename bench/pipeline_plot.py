"""Draws what bench/pipeline.py measured: idle share of the device, in sequence and together.

python bench/pipeline.py --json | python bench/pipeline_plot.py docs/images/pipeline.png
"""

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, BAR, GAP, LEFT, TOP = 720, 26, 14, 210, 56
INK, GREY, BLUE, LINE = (30, 34, 42), (170, 176, 186), (52, 110, 190), (200, 80, 60)
TARGET = 0.05


def main() -> None:
    rows = json.loads(sys.stdin.read())
    full = WIDTH - LEFT - 70
    image = Image.new("RGB", (WIDTH, TOP + len(rows) * (BAR + GAP) + 40), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    draw.text((16, 16), "Share of the time that the device waits between jobs", INK, font=font)
    for index, row in enumerate(rows):
        top = TOP + index * (BAR + GAP)
        share = row["idle_share"]
        draw.text((16, top + 4), f"{row['work_s']:g} s jobs, {row['way']}", INK, font=font)
        colour = BLUE if row["way"] == "together" else GREY
        draw.rectangle((LEFT, top, LEFT + round(full * share), top + BAR), fill=colour)
        draw.text((LEFT + round(full * share) + 8, top + 4), f"{share:.1%}", INK, font=font)
    at = LEFT + round(full * TARGET)
    bottom = TOP + len(rows) * (BAR + GAP)
    draw.line((at, TOP - 6, at, bottom), fill=LINE, width=2)
    draw.text((at - 10, bottom + 6), f"target {TARGET:.0%}", LINE, font=font)
    image.save(Path(sys.argv[1]), optimize=True)


if __name__ == "__main__":
    main()
