import json
import re

import pytest
from PIL import Image
from typer.testing import CliRunner

from core.cli.estimate import APP
from core.cli.plot import draw_plot
from core.cli.stats import APP as STATS
from core.cli.stats import PlotRefused
from core.domain.modes import Mode
from core.i18n.messages import explain
from core.storage.runs import RecordedRun, RunPlace

STAGES = [
    "text",
    "stage1",
    "upscale",
    "stage2",
    "decode",
    "audio_decode",
    "video_encode",
    "load",
]


@pytest.fixture
def clapper(tmp_path, monkeypatch):
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(APP, list(arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return call


@pytest.mark.parametrize("mode", Mode)
def test_the_json_has_the_promised_keys_for_every_mode(clapper, mode):
    data = json.loads(
        clapper("estimate", mode, "--hardware", "h200", "--profile", "bf16", "--json")
    )

    assert list(data["stages"]) == STAGES
    assert all(set(row) == {"seconds", "flops", "bytes"} for row in data["stages"].values())
    assert list(data) == ["stages", "total_s", "p95_s", "quota_ms", "zerogpu_s"]
    total = sum(row["seconds"] for row in data["stages"].values())
    assert data["total_s"] == pytest.approx(total, abs=0.01)
    assert data["total_s"] < data["p95_s"]


@pytest.mark.parametrize(
    ("arguments", "stage1", "stage2"),
    [
        (["--width", "768", "--height", "512", "--frames", "121"], 0.82, 1.09),
        (["--width", "1280", "--height", "720", "--frames", "121"], 1.74, 2.83),
    ],
)
def test_the_h200_is_told_as_it_was_measured(clapper, arguments, stage1, stage2):
    fixed = ["--fps", "25", "--hardware", "h200", "--profile", "bf16", "--json"]
    stages = json.loads(clapper("estimate", "t2v", *arguments, *fixed))["stages"]

    assert stages["stage1"]["seconds"] == pytest.approx(stage1, rel=0.15)
    assert stages["stage2"]["seconds"] == pytest.approx(stage2, rel=0.15)


def test_loading_from_disk_is_shown_on_demand(clapper):
    warm, cold = (
        json.loads(clapper("estimate", "t2v", "--hardware", "4090", "--json", *more))
        for more in ([], ["--cold"])
    )

    assert warm["stages"]["load"]["seconds"] == 0 < cold["stages"]["load"]["seconds"]
    assert warm["quota_ms"] == cold["quota_ms"]


def test_the_table_says_when_a_device_is_unknown(clapper):
    assert "No profile fits this device" in clapper("estimate", "t2v", "--hardware", "abacus")
    assert "No profile fits" not in clapper("estimate", "t2v", "--hardware", "3090")


def test_what_is_beyond_a_tier_names_the_largest_setting_that_is_not(clapper):
    half = ["--hardware", "rtx-pro-6000-half", "--profile", "fp8", "--tier", "anonymous"]
    told = clapper(
        "estimate", "t2v", "--width", "1920", "--height", "1088", "--seconds", "20", *half
    )

    size, seconds = re.search(r"largest that fits: (\d+×\d+) for ([\d.]+) s", told).groups()
    width, height = size.split("×")
    fits = ["--width", width, "--height", height, "--seconds", seconds]
    assert "largest that fits" not in clapper("estimate", "t2v", *fits, *half)


@pytest.mark.parametrize(
    ("frames", "same_as"),
    [("481", "20"), ("482", "20"), ("124", "5"), ("128", "5.33"), ("25", "1")],
)
def test_frames_are_counted_and_the_nearest_possible_count_is_taken(clapper, frames, same_as):
    fixed = ["--hardware", "h200", "--profile", "fp8", "--json"]

    counted = clapper("estimate", "t2v", "--frames", frames, *fixed)

    assert counted == clapper("estimate", "t2v", "--seconds", same_as, *fixed)


@pytest.mark.parametrize(("fps", "frames"), [("25", "25"), ("17", "17"), ("9", "9"), ("25", "497")])
def test_every_count_that_a_clip_has_can_be_estimated(clapper, fps, frames):
    told = clapper("estimate", "t2v", "--frames", frames, "--fps", fps, "--hardware", "h200")

    assert f"×{frames}" in told


@pytest.mark.parametrize("preset", ["draft", "fast", "quality"])
def test_the_largest_setting_is_told_with_its_preset_and_fits_when_it_is_typed(clapper, preset):
    half = ["--hardware", "rtx-pro-6000-half", "--profile", "bf16", "--tier", "anonymous"]
    told = clapper("estimate", "lipsync", "--preset", preset, "--seconds", "20", *half)
    if "largest that fits" not in told:
        return

    found = re.search(r"fits: (\d+)×(\d+) for ([\d.]+) s in the preset (\w+)", told).groups()
    width, height, seconds, named = found
    fits = ["--width", width, "--height", height, "--seconds", seconds, "--preset", named]
    assert "largest that fits" not in clapper("estimate", "lipsync", *fits, *half)


def test_json_of_an_unknown_device_stays_json_and_the_remark_is_beside_it():
    result = CliRunner().invoke(APP, ["estimate", "t2v", "--hardware", "abacus", "--json"])

    assert json.loads(result.stdout)["zerogpu_s"] > 0
    assert "No profile fits this device" in result.stderr


def test_stats_without_runs_say_what_to_do(clapper):
    assert "clapper calibrate" in CliRunner().invoke(STATS, []).output


def test_a_plot_that_cannot_be_written_is_refused_with_its_place(monkeypatch, tmp_path):
    place = RunPlace("Contoso Graphics 3000", "fp8", "bb131be9")
    run = RecordedRun("1", 1, 1, place, "t2v", "fast", 768, 512, 49, 24, 1000, 2000, gpu_ms=900)

    async def newest(settings, limit):
        return [run]

    monkeypatch.setattr("core.cli.stats._newest", newest)

    with pytest.raises(PlotRefused) as caught:
        CliRunner().invoke(
            STATS, ["--plot", str(tmp_path / "no" / "plot.png")], catch_exceptions=False
        )

    assert str(tmp_path / "no" / "plot.png") in explain(caught.value)
    assert not (tmp_path / "no").exists()


def test_drawing_is_estimated_for_the_processor_whatever_the_card(clapper):
    drawn = clapper("estimate", "t2v", "--hardware", "h200", "--profile", "draft", "--json")

    assert drawn == clapper("estimate", "t2v", "--hardware", "draft", "--json")


def test_a_plot_is_a_picture_of_its_points(tmp_path):
    path = tmp_path / "plot.png"

    draw_plot([(1.0, 1.1), (20.0, 15.0), (300.0, 310.0)], ("truth", "estimate"), "three", path)

    with Image.open(path) as image:
        blue = sum(r < 60 and b > 140 for r, _, b in image.convert("RGB").get_flattened_data())
        assert image.size == (900, 900)
    assert blue > 3 * 40
