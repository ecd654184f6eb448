"""A real ComfyUI with tiny random models, started once for all tests of this folder."""

import asyncio
import hashlib
import importlib
import importlib.util
import itertools
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.comfy import memory
from core.comfy.device import device_kind
from core.comfy.executor import ComfyExecutor, ComfyOptions
from core.comfy.job_run import ExecutionPlan, RunReport
from core.comfy.paths import ComfyPaths
from core.comfy.testing.network_shapes import TINY
from core.comfy.testing.random_weights import RandomWeightsWriter
from core.comfy.testing.small_text_encoder import shrink_text_encoder
from core.comfy.testing.stand_ins import StandInFiles
from core.demo.samples import write_png, write_video, write_wav
from core.domain.media import MediaFile, MediaKind, RawClip
from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.domain.progress import Progress
from core.domain.requests import Request, Sampling, make_request
from core.interfaces.executor import Order
from core.models.catalog import ModelFamily, Profile
from core.runtime.cancellation import CancelToken
from core.settings import PROJECT_ROOT

# read at import: the clean environment of each test hides it later
CHECKOUT = Path(os.environ.get("CLAPPER_COMFYUI_DIR", PROJECT_ROOT / "comfyui" / "checkout"))
PACK = f"""from {shrink_text_encoder.__module__} import {shrink_text_encoder.__name__} as shrink

shrink()
NODE_CLASS_MAPPINGS = {{}}
"""
ROWS = pytest.StashKey[list[tuple[str, ...]]]()


@dataclass
class Lab:
    """A running ComfyUI, its tiny models, and small inputs to feed it."""

    place: ComfyPaths
    family: ModelFamily
    executor: ComfyExecutor
    media: Path
    inputs: Mapping[MediaKind, tuple[MediaFile, ...]]
    rows: list[tuple[str, ...]]  # of the table at the end of the test run
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def request(
        self,
        mode: Mode,
        prompt: str = "a boat leaves the harbour",
        *,
        seed: int = 1,
        side: int = 128,
        frames: int = 17,
        **sampled: Any,
    ) -> Request:
        sampling = Sampling(Preset.FAST, side, side, frames, **{"fps": 24, "seed": seed, **sampled})
        given: dict[MediaKind, int] = {}
        media: dict[str, MediaFile] = {}
        for slot in MODES[mode].slots:
            index = given.get(slot.kind, 0)
            media[slot.role] = self.inputs[slot.kind][index]
            given[slot.kind] = index + 1
        return make_request(mode, prompt, sampling, media)

    def order(self, request: Request, forbidden: tuple[str, ...] = ()) -> Order:
        number = next(self.numbers)
        workspace = self.media.parent / "work" / str(number)
        workspace.mkdir(parents=True)
        given = f"{number:032x}", 1, request, self.media, workspace
        return Order(*given, forbidden=forbidden)

    async def run(
        self,
        request: Request,
        on_progress: Callable[[Progress], None] = lambda _: None,
        cancel: CancelToken | None = None,
        forbidden: tuple[str, ...] = (),
    ) -> RawClip:
        return await self.executor.execute(
            self.order(request, forbidden), on_progress, cancel or CancelToken()
        )

    @property
    def report(self) -> RunReport:
        found = self.executor.last_report
        assert found is not None
        return found


@pytest.fixture(scope="session")
def checkout() -> Path:
    if not (CHECKOUT / "comfyui_version.py").is_file():
        pytest.skip(f"no ComfyUI at {CHECKOUT}: clapper comfy install, or CLAPPER_COMFYUI_DIR")
    for name in ("torch", "torchsde", "transformers"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is missing: clapper comfy install")
    return CHECKOUT.resolve()


@pytest.fixture(scope="session")
def bench(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkout and one pack, which makes the text encoder's class tiny."""
    folder = tmp_path_factory.mktemp("comfy")
    (folder / "checkout").symlink_to(checkout)
    pack = folder / "packs" / "tiny_text_encoder"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text(PACK)
    return folder


@pytest.fixture(scope="session")
def lab(bench: Path, pytestconfig: pytest.Config) -> Iterator[Lab]:
    place = ComfyPaths(bench / "checkout", bench / "packs", bench / "base", bench / "models")
    options = ComfyOptions(device_kind(), pytestconfig.getoption("--comfy-vram"), packs=True)
    plan = ExecutionPlan(Profile.FP8)
    executor = ComfyExecutor(place, StandInFiles(place.models), plan, options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ComfyUI's and torch's own, at import
        asyncio.run(executor.warm_up())
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)  # tiny tensors: more threads only wait for each other
        family = RandomWeightsWriter(torch, TINY).family(place.models)
    executor.plan = replace(executor.plan, family=family)
    media = bench / "media"
    media.mkdir()
    rows = pytestconfig.stash.setdefault(ROWS, [])
    made = Lab(place, family, executor, media, _inputs(bench, media), rows)
    yield made
    asyncio.run(executor.close())


@dataclass
class Kept:
    """ComfyUI while it keeps all models on the device, and the upscalers that left all the same."""

    management: Any
    left: list[Any] = field(default_factory=list[Any])


@pytest.fixture
def kept(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Kept:
    assert lab.executor.engine is not None
    found = Kept(importlib.import_module("comfy.model_management"))
    monkeypatch.setattr(found.management, "vram_state", found.management.VRAMState.HIGH_VRAM)
    monkeypatch.setattr(found.management.args, "gpu_only", True)
    upsampler = importlib.import_module("comfy.ldm.lightricks.latent_upsampler")
    leave = upsampler.LatentUpsampler.cpu

    def cpu(model: Any) -> Any:
        found.left.append(model)
        return leave(model)

    monkeypatch.setattr(upsampler.LatentUpsampler, "cpu", cpu)  # and all of it back at the end
    memory.keep_upscaler(upsampler, found.management)
    return found


def _inputs(folder: Path, media: Path) -> dict[MediaKind, tuple[MediaFile, ...]]:
    def admitted(path: Path, kind: MediaKind, **facts: float) -> MediaFile:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        path.rename(media / f"{digest}{path.suffix}")
        return MediaFile(digest, path.suffix, kind, size, **facts)  # pyright: ignore[reportArgumentType]  # whole numbers where they must be

    picture = {"width": 128, "height": 96}
    return {
        MediaKind.IMAGE: (
            admitted(write_png(folder / "a.png"), MediaKind.IMAGE, **picture),
            admitted(write_png(folder / "b.png", shade=200), MediaKind.IMAGE, **picture),
        ),
        MediaKind.AUDIO: (
            admitted(write_wav(folder / "a.wav"), MediaKind.AUDIO, seconds=1.5, sample_rate=48000),
        ),
        MediaKind.VIDEO: (
            admitted(
                write_video(folder / "a.mp4"), MediaKind.VIDEO,
                width=96, height=64, seconds=1.0, fps=24,
            ),
        ),
    }  # fmt: skip


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = terminalreporter.config.stash.get(ROWS, [])
    if rows:
        terminalreporter.section("ComfyUI with tiny random models")
    for row in rows:
        terminalreporter.write_line("  ".join(cell.ljust(22) for cell in row).rstrip())
