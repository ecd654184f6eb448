"""A queue of clips on one CUDA device: ours, beside the usual way of one job after another.

    python bench/comfy_queue.py --checkout ~/ComfyUI --models /tmp/models --big /dev/shm
    python bench/comfy_queue.py --dry-run        # tiny shapes on the processor, a minute

Ours: models stay, frames leave as uint8, and a clip is encoded while the next one is sampled.
Usual: encode before the next job may start, and unload all models after each job.
Weights are random and of full size (see comfy_gpu.py); both ways run in one process.
"""

import asyncio
import json
import sys
import tempfile
import time
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comfy_gpu import (  # after the path is set
    PROMPTS,
    AllThere,
    Case,
    encode,
    inputs,
    options,
    request_of,
    write_models,
)

from core.comfy.device import device_kind, first_device  # comfy_gpu sets the path
from core.comfy.executor import ComfyExecutor, ComfyOptions  # the same
from core.comfy.job_run import ExecutionPlan  # the same
from core.comfy.paths import ComfyPaths  # the same
from core.domain.media import MediaFile, RawClip  # the same
from core.duration import estimate  # the same
from core.interfaces.executor import Order  # the same
from core.models.catalog import Profile  # the same
from core.runtime.cancellation import CancelToken  # the same

JOBS = 6
USUAL_JOBS = 3  # half a minute each
SIZES = ((768, 512, 121), (1280, 704, 121))
PEAK_FLOPS = 790e12  # H200, bf16 8192³ matrix product on random data, measured


@dataclass(frozen=True)
class Spell:
    """What one way took."""

    way: str
    jobs: int
    wall_s: float
    device_s: float  # the executor was at work
    stages: dict[str, float]  # mean seconds

    @property
    def idle(self) -> float:
        """Return the share of the time that the device waited for a job."""
        return max(0.0, 1 - self.device_s / self.wall_s)


class Bench:
    """One executor and the orders that it gets."""

    def __init__(self, asked: Namespace, executor: ComfyExecutor, work: Path) -> None:
        self.asked = asked
        self.executor = executor
        self.work = work
        self.count = 0
        self.media: dict[str, MediaFile] = inputs(asked.mode, self.folder("media"))

    def folder(self, name: str) -> Path:
        """Return a folder of the run, made if needed."""
        made = self.work / name
        made.mkdir(exist_ok=True)
        return made

    def order(self) -> Order:
        """Return the next order; prompts take turns."""
        self.count += 1
        case = Case("", PROMPTS[self.count % 2], self.count)
        request = request_of(self.asked, case, self.media)
        place = self.folder(f"run{self.count}")
        return Order(f"{self.count:032x}", 1, request, self.work / "media", place)

    async def run(self, order: Order) -> tuple[RawClip, float, dict[str, float]]:
        """Return the frames, the seconds, and the seconds of each stage."""
        began = time.perf_counter()
        clip = await self.executor.execute(order, lambda _: None, CancelToken())
        spent = time.perf_counter() - began
        report = self.executor.last_report
        assert report is not None
        return clip, spent, {stage.value: s for stage, s in report.seconds.items()}

    async def ours(self) -> Spell:
        """Encode each clip while the next one is sampled."""
        began = time.perf_counter()
        device, stages, encoding = 0.0, list[dict[str, float]](), None
        for _ in range(JOBS):
            order = self.order()
            clip, spent, parts = await self.run(order)
            device += spent
            stages.append(parts)
            if encoding is not None:
                await encoding
            encoding = asyncio.create_task(encode(clip, order))
            await asyncio.sleep(0)
        busy = time.perf_counter() - began  # the last encode waits for nobody
        if encoding is not None:
            await encoding
        return Spell("ours", JOBS, busy, device, mean(stages))

    async def usual(self) -> Spell:
        """Encode, then unload all models, before the next job starts; each one loads them anew."""
        assert self.executor.engine is not None
        await asyncio.to_thread(self.executor.engine.free)
        began = time.perf_counter()
        device, stages = 0.0, list[dict[str, float]]()
        for _ in range(USUAL_JOBS):
            order = self.order()
            clip, spent, parts = await self.run(order)
            device += spent
            stages.append(parts)
            await encode(clip, order)
            await asyncio.to_thread(self.executor.engine.free)
        return Spell("usual", USUAL_JOBS, time.perf_counter() - began, device, mean(stages))


def mean(stages: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for parts in stages for name in parts)
    return {n: sum(parts.get(n, 0.0) for parts in stages) / len(stages) for n in names}


async def measure(asked: Namespace, work: Path) -> list[tuple[str, Spell]]:
    models = asked.models or work / "models"
    place = ComfyPaths(asked.checkout.absolute(), work / "packs", work / "base", models.absolute())
    executor = ComfyExecutor(
        place, AllThere(), ExecutionPlan(Profile.BF16), ComfyOptions(device_kind(), asked.vram)
    )
    await executor.warm_up()
    family = await asyncio.to_thread(write_models, asked, models)
    specs = {key: replace(spec, guided=False) for key, spec in family.profiles.items()}
    executor.plan = replace(executor.plan, family=replace(family, profiles=specs))
    rows: list[tuple[str, Spell]] = []
    bench = Bench(asked, executor, work)
    for size in SIZES[: 1 if asked.dry_run else None]:
        if not asked.dry_run:
            asked.width, asked.height, asked.frames = size
        label = f"{asked.width}x{asked.height}x{asked.frames}"
        await bench.run(bench.order())  # loads what is not loaded, finds kernels
        rows.append((label, await bench.ours()))
        show(rows[-1:], bench)
    asked.width, asked.height, asked.frames = (
        (asked.width, asked.height, asked.frames) if asked.dry_run else SIZES[0]
    )
    rows.append((f"{asked.width}x{asked.height}x{asked.frames}", await bench.usual()))
    show(rows[-1:], bench)
    await executor.close()
    return rows


def show(rows: list[tuple[str, Spell]], bench: Bench) -> None:
    for label, spell in rows:
        parts = "  ".join(f"{name} {seconds:.2f}" for name, seconds in spell.stages.items())
        flops = sum(part.flops for part in estimate(bench.order().request).stages)
        busy = sum(s for n, s in spell.stages.items() if n not in {"load", "encode"})
        print(
            f"{label}  {spell.way:<6}{spell.jobs} jobs  {spell.wall_s / spell.jobs:7.2f} s a job  "
            f"idle {100 * spell.idle:4.1f} %  {parts}  "
            f"floor {flops / PEAK_FLOPS:.2f} s, ×{busy * PEAK_FLOPS / flops:.2f}",
            flush=True,
        )


def main() -> None:
    asked = options()
    if asked.dry_run:
        asked.width, asked.height, asked.frames = 128, 128, 17
    print(f"{first_device()}  vram={asked.vram}", flush=True)
    with tempfile.TemporaryDirectory() as work:
        rows = asyncio.run(measure(asked, Path(work)))
    first, last = rows[0][1], rows[-1][1]
    print(f"ratio: ×{(last.wall_s / last.jobs) / (first.wall_s / first.jobs):.1f}", flush=True)
    if asked.out is not None:
        found = [
            {"size": label, "way": s.way, "jobs": s.jobs, "wall_s": s.wall_s}
            | {"device_s": s.device_s, "idle": s.idle, "stages": s.stages}
            for label, s in rows
        ]
        asked.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
