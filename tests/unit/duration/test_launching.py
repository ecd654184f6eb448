"""How a pass is launched decides its seconds: measured on one card, in three ways and two types."""

import tomllib
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from core.domain.presets import Preset
from core.duration import BY_KEY, Machine, estimate
from core.duration.launching import Launching
from core.duration.workload import Part

H200 = Machine(BY_KEY["h200"], "bf16", "high")
TABLE = tomllib.loads((Path(__file__).parent / "h200_ways.toml").read_text("utf-8"))
ROWS = [dict(zip(TABLE["columns"], row, strict=True)) for row in TABLE["rows"]]


def errors_of(row: dict, asked) -> dict[str, float]:
    machine = replace(H200, profile=row["profile"], way=Launching(row["way"]))
    found = estimate(asked(width=row["width"], height=row["height"], preset=Preset.FAST), machine)
    seconds = {
        "text": found.seconds(Part.TEXT),
        "stage1": found.seconds(Part.STAGE1),
        "stage2": found.seconds(Part.STAGE2),
        "decode": found.seconds(Part.DECODE) + found.seconds(Part.AUDIO_DECODE),
    }
    return {name: abs(spent / row[name] - 1) for name, spent in seconds.items()}


def test_the_profile_alone_is_near_what_every_way_takes(asked) -> None:
    errors = [errors_of(row, asked) for row in ROWS]

    assert median(error for found in errors for error in found.values()) < 0.15
    sampled = [found[name] for found in errors for name in ("stage1", "stage2")]
    assert max(sampled) < 0.12


@pytest.mark.parametrize("vram", ["high", "normal"])
def test_python_bounds_a_pass_of_eight_bits_where_there_are_no_graphs(asked, vram: str) -> None:
    request = asked(width=768, height=512, preset=Preset.FAST)
    quantised = replace(H200, profile="fp8", vram=vram)

    plain = estimate(request, replace(quantised, way=Launching.PLAIN)).seconds(Part.STAGE1)
    graphs = estimate(request, quantised).seconds(Part.STAGE1)

    assert plain > 4.5, "eight passes of 0.57 s"
    assert (graphs < 1.0) is (vram == "high"), "weights that travel are launched one by one"


@pytest.mark.parametrize("way", Launching)
def test_runs_are_recorded_with_the_way_that_made_them(way: Launching) -> None:
    assert Launching.of(f"b08debc {way.noted}") is way
    assert Launching.of("") is Launching.GRAPHS
