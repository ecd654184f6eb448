"""Times one clip through the real executor, with random weights of full size on a CUDA device.

    python bench/comfy_gpu.py --checkout ~/ComfyUI --models /tmp/models --big /dev/shm
    python bench/comfy_gpu.py --dry-run          # tiny shapes on the processor, a minute

Random weights cost what published ones cost: the same shapes, types and operations. What cannot be
seen with them is a picture. Full size writes about 73 GB once and finds it again the next time.
"""

import argparse
import asyncio
import hashlib
import importlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # a bare copy of the tree, nothing installed
    sys.path.insert(0, str(ROOT))

from core.comfy.device import DeviceKind, device_kind  # noqa: E402  # after the path is set
from core.comfy.executor import ComfyExecutor, ComfyOptions  # noqa: E402  # after the path is set
from core.comfy.job_run import ExecutionPlan, RunReport  # noqa: E402  # after the path is set
from core.comfy.paths import ComfyPaths  # noqa: E402  # after the path is set
from core.comfy.testing.network_shapes import FULL, TINY  # noqa: E402  # after the path is set
from core.comfy.testing.random_weights import RandomWeightsWriter  # noqa: E402  # after the path is set
from core.comfy.testing.small_text_encoder import shrink_text_encoder  # noqa: E402  # after the path is set
from core.domain.media import MediaFile, MediaKind, RawClip  # noqa: E402  # after the path is set
from core.domain.modes import MODES, Mode  # noqa: E402  # after the path is set
from core.domain.presets import Preset  # noqa: E402  # after the path is set
from core.domain.progress import ProgressSink, Stage  # noqa: E402  # after the path is set
from core.domain.requests import Request, Sampling, make_request  # noqa: E402  # after the path is set
from core.interfaces.executor import Order  # noqa: E402  # after the path is set
from core.media.output.clip_writer import write_clip  # noqa: E402  # after the path is set
from core.media.output.provenance import Provenance  # noqa: E402  # after the path is set
from core.models.catalog import ModelFile, Profile, Slot  # noqa: E402  # after the path is set
from core.runtime.cancellation import CancelToken  # noqa: E402  # after the path is set

PROMPTS = (
    "A lighthouse at dusk, waves rolling in below it, gulls crying, wind in the grass.",
    "A tram turns into a narrow street in the rain, its bell ringing, people stepping aside.",
)


@dataclass(frozen=True)
class Case:
    """One run: what is new in it."""

    name: str
    prompt: str
    seed: int


CASES = (
    Case("first", PROMPTS[0], 1),
    Case("warm, new prompt", PROMPTS[1], 2),
    Case("warm, new seed", PROMPTS[1], 3),
    Case("warm, new prompt again", PROMPTS[0], 4),
)


@dataclass(frozen=True)
class Row:
    """What one run took."""

    case: str
    wall_s: float
    encode_s: float
    report: RunReport


class AllThere:
    """Stands for the model store: the files were just written."""

    async def ensure(
        self, files: Sequence[ModelFile], on_progress: ProgressSink, cancel: CancelToken
    ) -> tuple[Path, ...]:
        """Return where the files are said to be."""
        del on_progress, cancel
        return tuple(Path(file.name) for file in files)


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkout", type=Path, default=ROOT / "comfyui" / "checkout")
    parser.add_argument("--models", type=Path, help="folder for the random weights; kept")
    parser.add_argument("--big", type=Path, help="another folder for the checkpoint, 46 GB")
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.T2V)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--frames", type=int, default=121)
    parser.add_argument("--vram", default="auto", choices=["auto", "high", "normal", "low"])
    parser.add_argument(
        "--profile", type=Profile, choices=[Profile.BF16, Profile.FP8], default=Profile.BF16
    )
    parser.add_argument("--runs", type=int, default=len(CASES), help="at most so many cases")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--dry-run", action="store_true", help="tiny shapes, 128×128, 17 frames")
    return parser


def inputs(mode: Mode, folder: Path) -> dict[str, MediaFile]:
    from core.demo.samples import write_png, write_video, write_wav

    made: dict[str, MediaFile] = {}
    for slot in MODES[mode].slots:
        match slot.kind:
            case MediaKind.IMAGE:
                shade = 200 if slot.role == "last" else 90
                path = write_png(folder / f"{slot.role}.png", 768, 512, shade)
                facts = {"width": 768, "height": 512}
            case MediaKind.AUDIO:
                path = write_wav(folder / f"{slot.role}.wav", 8.0)
                facts = {"seconds": 8.0, "sample_rate": 48_000}
            case MediaKind.VIDEO:
                path = write_video(folder / f"{slot.role}.mp4", 768, 512, 121)
                facts = {"width": 768, "height": 512, "seconds": 121 / 24, "fps": 24.0}
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        path.rename(folder / f"{digest}{path.suffix}")
        made[slot.role] = MediaFile(digest, path.suffix, slot.kind, size, **facts)
    return made


def request_of(asked: argparse.Namespace, case: Case, media: dict[str, MediaFile]) -> Request:
    sampling = Sampling(Preset.FAST, asked.width, asked.height, asked.frames, 24, case.seed)
    return make_request(asked.mode, case.prompt, sampling, media)


async def measure(asked: argparse.Namespace, work: Path) -> list[Row]:
    models = asked.models or work / "models"
    place = ComfyPaths(asked.checkout.absolute(), work / "packs", work / "base", models.absolute())
    executor = ComfyExecutor(
        place, AllThere(), ExecutionPlan(asked.profile), ComfyOptions(device_kind(), asked.vram)
    )
    began = time.perf_counter()
    await executor.warm_up()
    print(f"ComfyUI started in {time.perf_counter() - began:.1f} s on {device_kind()}", flush=True)
    began = time.perf_counter()
    family = await asyncio.to_thread(write_models, asked, models)
    print(f"random weights ready in {time.perf_counter() - began:.1f} s", flush=True)
    # a guided schedule is another benchmark; the distilled one is what the presets run
    specs = {key: replace(spec, guided=False) for key, spec in family.profiles.items()}
    executor.plan = replace(executor.plan, family=replace(family, profiles=specs))
    media_folder = work / "media"
    media_folder.mkdir()
    media = inputs(asked.mode, media_folder)
    rows: list[Row] = []
    for index, case in enumerate(CASES[: asked.runs]):
        workspace = work / f"run{index}"
        workspace.mkdir()
        order = Order(f"{index:032x}", 1, request_of(asked, case, media), media_folder, workspace)
        began = time.perf_counter()
        clip = await executor.execute(order, lambda _: None, CancelToken())
        wall = time.perf_counter() - began
        report = executor.last_report
        assert report is not None
        rows.append(Row(case.name, wall, await encode(clip, order), report))
        print(f"{case.name}: {wall:.2f} s", flush=True)
    await executor.close()
    return rows


def write_models(asked: argparse.Namespace, folder: Path):
    torch = importlib.import_module("torch")
    if asked.dry_run:
        torch.set_num_threads(1)  # tiny tensors: more threads only wait for each other
        shrink_text_encoder()
        maker = RandomWeightsWriter(torch, TINY, profiles=(asked.profile,))
        return maker.family(folder)
    folder.mkdir(parents=True, exist_ok=True)
    elsewhere: dict[Slot, Path] = {}
    if asked.big is not None:
        asked.big.mkdir(parents=True, exist_ok=True)
        elsewhere[Slot.CHECKPOINT] = asked.big
    for name, path in (("models", folder), ("big", asked.big or folder)):
        print(f"{name}: {path}, {shutil.disk_usage(path).free / 1e9:.0f} GB free", flush=True)
    device = "cuda" if device_kind() is DeviceKind.CUDA else "cpu"
    quantised = asked.profile is not Profile.BF16
    maker = RandomWeightsWriter(torch, FULL, "BF16", device, (asked.profile,), quantised)
    family = maker.family(folder, elsewhere)
    if device == "cuda":
        torch.cuda.empty_cache()  # what drawing the values left behind is ComfyUI's to use
    return family


async def encode(clip: RawClip, order: Order) -> float:
    """Return the seconds that H.264 and AAC take, which the worker spends beside the next job."""
    began = time.perf_counter()
    provenance = Provenance.of(order.job_id, order.request, with_prompt=False)
    await write_clip(clip, order.workspace, provenance)
    return time.perf_counter() - began


def table(rows: Sequence[Row]) -> None:
    stages = [stage for stage in Stage if any(stage in row.report.seconds for row in rows)]
    width = max(len(row.case) for row in rows)
    heads = [*(stage.value for stage in stages), "encode", "device", "wall", "peak GB", "cached"]
    print("\n" + " " * width + "".join(f"{head:>9}" for head in heads))
    for row in rows:
        cells = [f"{row.report.seconds.get(stage, 0.0):9.2f}" for stage in stages]
        cells += [
            f"{row.encode_s:9.2f}",
            f"{row.report.gpu_ms / 1000:9.2f}",
            f"{row.wall_s:9.2f}",
            f"{row.report.peak_bytes / 1e9:9.1f}",
            f"{len(row.report.cached):9d}",
        ]
        print(f"{row.case:<{width}}{''.join(cells)}")


def as_json(asked: argparse.Namespace, rows: Sequence[Row]) -> str:
    torch = importlib.import_module("torch")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    found = {
        "device": device,
        "torch": torch.__version__,
        "mode": asked.mode,
        "size": [asked.width, asked.height, asked.frames],
        "weights": "tiny" if asked.dry_run else "full size, random, bf16",
        "runs": [
            {
                "case": row.case,
                "wall_s": row.wall_s,
                "encode_s": row.encode_s,
                "gpu_ms": row.report.gpu_ms,
                "peak_bytes": row.report.peak_bytes,
                "seconds": {stage.value: spent for stage, spent in row.report.seconds.items()},
            }
            for row in rows
        ],
    }
    return json.dumps(found, indent=1)


def main() -> None:
    asked = options().parse_args()
    if asked.dry_run:
        asked.width, asked.height, asked.frames = 128, 128, 17
    with tempfile.TemporaryDirectory() as work:
        rows = asyncio.run(measure(asked, Path(work)))
        table(rows)
        if asked.out is not None:
            asked.out.write_text(as_json(asked, rows) + "\n", "utf-8")


if __name__ == "__main__":
    main()
