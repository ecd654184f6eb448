import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.domain.requests import Request, make_request
from core.domain.requests import Sampling as Asked
from core.duration.calibration import Timing
from core.duration.workload import Part, SamplingPlan, SamplingStage, Tiling, part_costs

FILES = {
    MediaKind.IMAGE: MediaFile("a" * 64, ".png", MediaKind.IMAGE, 10, 640, 480),
    MediaKind.AUDIO: MediaFile("b" * 64, ".flac", MediaKind.AUDIO, 10, seconds=5),
    MediaKind.VIDEO: MediaFile("c" * 64, ".mp4", MediaKind.VIDEO, 10, 640, 480, 5.0, 24.0),
}


def ask(
    mode: Mode = Mode.T2V,
    width: int = 1280,
    height: int = 704,
    frames: int = 121,
    preset: Preset = Preset.BALANCED,
) -> Request:
    media = {slot.role: FILES[slot.kind] for slot in MODES[mode].slots}
    return make_request(mode, "a cat", Asked(preset, width, height, frames, 24, 7), media)


@pytest.fixture
def asked() -> Callable[..., Request]:
    return ask


def _plan(row: dict[str, float | str]) -> SamplingPlan:
    styled, halves = row["mode"] == "style", row["stages"] == 2
    first = SamplingStage(
        Part.STAGE1, 8, 2 if halves else 1, guide_clip=1.0 if styled else 0.0, masked=styled
    )
    side = int(row["tile"]) // 32
    return SamplingPlan(
        int(row["width"]),
        int(row["height"]),
        int(row["frames"]),
        25,
        (first, SamplingStage(Part.STAGE2, 3)) if halves else (first,),
        images=1 if row["mode"] == "i2v" else 0,
        tiling=Tiling(side, 2) if side else None,
    )


@pytest.fixture(scope="session")
def h200() -> dict[str, list[list[float]]]:
    """The table of measurements."""
    return tomllib.loads((Path(__file__).parent / "h200.toml").read_text("utf-8"))


def runs_of(table: dict[str, list[list[float]]], name: str) -> list[list[Timing]]:
    runs: list[list[Timing]] = []
    for values in table[name]:
        row = dict(zip(table["columns"], values, strict=True))
        found = {work.part: work for work in part_costs(_plan(row))}
        parts = (Part.TEXT, Part.STAGE1, Part.UPSCALE, Part.STAGE2, Part.DECODE)
        runs.append([Timing(found[part], row[part]) for part in parts if row[part]])
    return runs


@pytest.fixture(scope="session")
def h200_runs(h200: dict[str, list[list[float]]]) -> list[list[Timing]]:
    """The measured seconds of the GPU stages, run by run, all models on the device."""
    return runs_of(h200, "rows")


@pytest.fixture(scope="session")
def all_warm_runs(h200: dict[str, list[list[float]]]) -> list[list[Timing]]:
    """The same, with those where ComfyUI placed the models itself."""
    return runs_of(h200, "rows") + runs_of(h200, "default_placement")
