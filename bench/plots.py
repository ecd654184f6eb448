"""Draws what a bench measured, as bars.

python bench/pipeline.py --json | python bench/plots.py pipeline docs/images/pipeline.png
python bench/fairness.py --json | python bench/plots.py fairness docs/images/fairness.png
python bench/plots.py queue docs/images/queue.png < figures.json  # of bench/comfy_queue.py --out
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

WIDTH, BAR, GAP, LEFT, TOP = 760, 26, 14, 220, 56
INK, GREY, BLUE, LINE = (30, 34, 42), (170, 176, 186), (52, 110, 190), (200, 80, 60)


@dataclass(frozen=True)
class Bar:
    """One row: ``share`` (0…1) of the whole width, and what is written beside it."""

    label: str
    share: float
    text: str
    ours: bool


@dataclass(frozen=True)
class Chart:
    """Bars under a title, and a line that they are held against."""

    title: str
    bars: list[Bar]
    target: float | None = None


def pipeline(rows: list[dict[str, Any]]) -> Chart:
    title = "The device waits between jobs: share of the time, and how long from job to job"
    bars = [
        Bar(
            f"{row['work_s']:.1f} s jobs, {row['way']}",
            row["idle_share"],
            f"{row['idle_share']:.1%}, {_wait(row['gap_ms'])}",
            row["way"] == "together",
        )
        for row in rows
    ]
    return Chart(title, bars, 0.05)


def fairness(rows: list[dict[str, Any]]) -> Chart:
    """First come is left out: beside its four hours nothing else could be seen."""
    shown = [row for row in rows if row["rule"] != "first come"]
    longest = {
        gpus: max(row["median_s"] for row in shown if row["gpus"] == gpus)
        for gpus in {row["gpus"] for row in shown}
    }
    bars = [
        Bar(
            f"{row['gpus']} GPU{'s' if row['gpus'] > 1 else ''}, {row['rule']}",
            row["median_s"] / longest[row["gpus"]],
            f"{row['median_s']:.0f} s",
            row["rule"] == "ours",
        )
        for row in shown
    ]
    return Chart("Median wait of the others while one user floods the queue", bars)


def queue(rows: list[dict[str, Any]]) -> Chart:
    seconds = [row["wall_s"] / row["jobs"] for row in rows]
    bars = [
        Bar(
            f"{row['size']}, {row['way']}",
            each / max(seconds),
            f"{each:.1f} s, waits {row['idle']:.0%}",
            row["way"].startswith("now"),
        )
        for row, each in zip(rows, seconds, strict=True)
    ]
    return Chart("One H200: seconds a job in a queue of clips, and how long the device waits", bars)


def _wait(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 100 else f"{milliseconds / 1000:.1f} s"


def draw(chart: Chart) -> Image.Image:
    full = WIDTH - LEFT - 140
    bottom = TOP + len(chart.bars) * (BAR + GAP)
    image = Image.new("RGB", (WIDTH, bottom + (40 if chart.target else 10)), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    pen.text((16, 16), chart.title, INK, font=font)
    line = LEFT + round(full * (chart.target or 0.0))
    for index, bar in enumerate(chart.bars):
        top, end = TOP + index * (BAR + GAP), LEFT + round(full * bar.share)
        pen.text((16, top + 4), bar.label, INK, font=font)
        pen.rectangle((LEFT, top, end, top + BAR), fill=BLUE if bar.ours else GREY)
        pen.text((max(end, line) + 8, top + 4), bar.text, INK, font=font)
    if chart.target:
        pen.line((line, TOP - 6, line, bottom), fill=LINE, width=2)
        pen.text((line - 10, bottom + 6), f"target {chart.target:.0%}", LINE, font=font)
    return image


CHARTS: dict[str, Callable[[list[dict[str, Any]]], Chart]] = {
    "pipeline": pipeline,
    "fairness": fairness,
    "queue": queue,
}


def main() -> None:
    chart = CHARTS[sys.argv[1]](json.loads(sys.stdin.read()))
    draw(chart).save(Path(sys.argv[2]), optimize=True)


if __name__ == "__main__":
    main()
