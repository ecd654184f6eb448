"""A queue of clips on one CUDA device: ours, ours without acceleration, and the usual way.

    python bench/comfy_queue.py --checkout ~/ComfyUI --models /tmp/models --big /dev/shm --vram high
    python bench/comfy_queue.py --dry-run        # tiny shapes on the processor, a minute

Now: models stay, frames leave as uint8, a clip is encoded while the next one is sampled, and the
transformer is launched in the ways of core/comfy/acceleration. Before: the same, CLAPPER_ACCELERATE
off. Fast: the same as now with CLAPPER_FAST. Usual: off, encode before the next job may start,
unload all models after each job. Now and before take turns in one process.
Weights are random and of full size (see comfy_gpu.py).
"""

import asyncio
import importlib
import json
import sys
import tempfile
import time
from argparse import Namespace
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

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
from device_load import busy_thread, device_load, mean_or_nan  # the same

from core.comfy.device import DeviceKind, device_kind, first_device  # comfy_gpu sets the path
from core.comfy.executor import ComfyExecutor, ComfyOptions  # the same
from core.comfy.job_run import ExecutionPlan, RunReport  # the same
from core.comfy.paths import ComfyPaths  # the same
from core.domain.media import MediaFile, RawClip  # the same
from core.domain.modes import Mode  # the same
from core.domain.progress import Progress, Stage, Working  # the same
from core.duration import estimate  # the same
from core.errors import Cancelled  # the same
from core.interfaces.executor import Order  # the same
from core.runtime.cancellation import CancelToken  # the same

TURNS = 2  # of now and before; one for a larger size
JOBS = 3  # a turn
USUAL_JOBS = 2  # half a minute each
SIZES = ((768, 512, 121), (1280, 704, 121))
WAYS = {"before": (False, False), "now": (True, False), "fast": (True, True)}
PEAK_FLOPS = 790e12  # H200, bf16 8192³ matrix product on random data, measured


@dataclass
class Spell:
    """What the jobs of one way took."""

    way: str
    wall_s: float = 0.0
    device_s: float = 0.0  # the executor was at work
    reports: list[RunReport] = field(default_factory=list[RunReport])
    busy: list[float] = field(default_factory=list[float])  # share of time, by the driver
    encode_s: list[float] = field(default_factory=list[float])  # beside the next job

    @property
    def each_s(self) -> float:
        """Return the seconds a job."""
        return self.wall_s / len(self.reports)

    @property
    def idle(self) -> float:
        """Return the share of the time that the device waited for a job."""
        return max(0.0, 1 - self.device_s / self.wall_s)

    def stages(self) -> dict[str, list[float]]:
        """Return the least, middle and most seconds of each stage."""
        found = {
            stage.value: [report.seconds.get(stage, 0.0) for report in self.reports]
            for stage in Stage
            if any(stage in report.seconds for report in self.reports)
        }
        return {name: [min(took), median(took), max(took)] for name, took in found.items()}

    def sampled_s(self) -> float:
        """Return the middle seconds of both samplers together."""
        both = (Stage.STAGE1, Stage.STAGE2)
        return median(sum(report.seconds[stage] for stage in both) for report in self.reports)

    def forwards(self) -> dict[str, int]:
        """Return how often the transformer was launched in each way."""
        total: dict[str, int] = {}
        for report in self.reports:
            for name, count in report.forwards.items():
                total[name] = total.get(name, 0) + count
        return total


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

    def order(self, seed: int | None = None, prompt: str | None = None) -> Order:
        """Return the next order; prompts take turns."""
        self.count += 1
        # never one that the cache of texts knows
        words = prompt or f"{PROMPTS[self.count % 2]} Take {self.count}."
        case = Case("", words, self.count if seed is None else seed)
        request = request_of(self.asked, case, self.media)
        place = self.folder(f"run{self.count}")
        return Order(f"{self.count:032x}", 1, request, self.work / "media", place)

    async def run(self, order: Order, way: str) -> tuple[RawClip, float, RunReport]:
        """Return the frames, the seconds, and the report."""
        assert self.executor.engine is not None
        enabled, fast = WAYS[way]
        self.executor.engine.accelerate(enabled=enabled, fast=fast)
        began = time.perf_counter()
        clip = await self.executor.execute(order, lambda _: None, CancelToken())
        spent = time.perf_counter() - began
        report = self.executor.last_report
        assert report is not None
        return clip, spent, report

    async def queue(self, spell: Spell, jobs: int, way: str) -> None:
        """Encode each clip while the next one is sampled."""
        with device_load(spell.busy):
            await self._queue(spell, jobs, way)
        print(f"  {spell.way}: {len(spell.reports)} jobs, {spell.each_s:.2f} s each", flush=True)

    async def cancel(self, way: str, stage: Stage) -> tuple[float, float]:
        """Cancel in the middle of a stage; return the seconds to the answer and to a free device.

        Python is a pass ahead of the device, so a free one has done all that was launched.
        """
        torch = importlib.import_module("torch")
        loop, there, token = asyncio.get_running_loop(), asyncio.Event(), CancelToken()
        assert self.executor.engine is not None
        enabled, fast = WAYS[way]
        self.executor.engine.accelerate(enabled=enabled, fast=fast)

        def look(progress: Progress) -> None:
            if isinstance(progress, Working) and progress.stage is stage and progress.step >= 1:
                loop.call_soon_threadsafe(there.set)

        running = asyncio.ensure_future(self.executor.execute(self.order(), look, token))
        await there.wait()
        await asyncio.sleep(0.03)
        began = time.perf_counter()
        token.cancel("owner")
        with suppress(Cancelled):
            await running
        answered = time.perf_counter() - began
        await asyncio.to_thread(torch.cuda.synchronize)
        return answered, time.perf_counter() - began

    async def cancels(self, ways: list[str]) -> None:
        """Print how long a cancel takes in each stage, in each way."""
        for way in ways:
            for stage in (Stage.STAGE1, Stage.STAGE2):
                found = [await self.cancel(way, stage) for _ in range(3)]
                text = "  ".join(f"{1000 * a:.0f}/{1000 * b:.0f}" for a, b in found)
                print(f"  cancel in {stage.value}, {way}: answered/free in ms {text}", flush=True)

    async def previews(self, turns: int) -> list[Spell]:
        """Return queues without and with pictures of what is sampled, in turns."""
        # random decoders have no colours to learn: take what there is, the work is the same
        vars(importlib.import_module("core.comfy.previews.colour_fit"))["_LEAST_FIT"] = -1e9
        # as it is after the twelfth clip: colours are learnt no more
        vars(importlib.import_module("core.comfy.previews.run_previews"))["LEARNT_CLIPS"] = JOBS - 1
        none, some, shown = Spell("now, no previews"), Spell("now, previews"), list[int]()
        for turn in range(turns + 1):
            self.executor.show_previews(lambda _, preview: shown.append(len(preview.picture)))
            await self.queue(some if turn else Spell("learning"), JOBS, "now")
            self.executor.show_previews(None)
            await self.queue(none if turn else Spell("learning"), JOBS, "now")
        share = some.sampled_s() / none.sampled_s() - 1
        print(f"  {len(shown)} previews, {100 * share:+.2f} % of the sampling", flush=True)
        return [none, some]

    async def _queue(self, spell: Spell, jobs: int, way: str) -> None:
        began = time.perf_counter()
        encoding: asyncio.Task[float] | None = None
        for _ in range(jobs):
            order = self.order()
            clip, spent, report = await self.run(order, way)
            spell.device_s += spent
            spell.reports.append(report)
            if encoding is not None:
                spell.encode_s.append(await encoding)
            encoding = asyncio.create_task(encode(clip, order))
            await asyncio.sleep(0)
        spell.wall_s += time.perf_counter() - began  # the last encode waits for nobody
        if encoding is not None:
            spell.encode_s.append(await encoding)

    async def usual(self) -> Spell:
        """Encode, then unload all models, before the next job starts; each one loads them anew."""
        assert self.executor.engine is not None
        await asyncio.to_thread(self.executor.engine.free)
        spell, began = Spell("usual"), time.perf_counter()
        for _ in range(USUAL_JOBS):
            order = self.order()
            clip, spent, report = await self.run(order, "before")
            spell.device_s += spent
            spell.reports.append(report)
            await encode(clip, order)
            await asyncio.to_thread(self.executor.engine.free)
        spell.wall_s = time.perf_counter() - began
        return spell

    async def difference(self) -> tuple[bool, float]:
        """Compare frames of one order, its text encoded once: equal bytes, and the most in 255.

        The order between makes ComfyUI forget what it sampled, but not the text.
        """
        words = f"{PROMPTS[0]} Compared {self.count}."
        before, _, _ = await self.run(self.order(11, words), "before")
        await self.run(self.order(12, words), "now")
        now, _, report = await self.run(self.order(11, words), "now")
        assert report.forwards.get("off", 0) == 0, "sampled anew, and not eagerly"
        off = abs(before.frames.astype("int16") - now.frames.astype("int16")).max()
        return bool(off == 0), float(off)

    async def once(self) -> None:
        """Run a small clip: what a process does once, such as compiling, belongs to no shape."""
        asked = self.asked
        size, small = (asked.width, asked.height, asked.frames), (256, 256, 17)
        asked.width, asked.height, asked.frames = size if asked.dry_run else small
        await self.run(self.order(), "now")
        asked.width, asked.height, asked.frames = size

    async def all_ways(self, turns: int) -> list[Spell]:
        """Return the first clip of a shape both ways, then a queue of both in turns."""
        assert self.executor.engine is not None
        await self.run(self.order(), "before")  # finds the kernels of this shape
        firsts = [Spell("first, before"), Spell("first, now")]
        await self.queue(firsts[0], 1, "before")
        await self.queue(firsts[1], 1, "now")
        before, now, busy = Spell("before"), Spell("now"), Spell("now, busy thread")
        for _ in range(turns):
            await self.queue(before, JOBS, "before")
            await self.queue(now, JOBS, "now")
        if turns > 1:
            with busy_thread():
                await self.queue(busy, JOBS, "now")
        spells = [*firsts, before, now, busy]
        if self.asked.fast:
            spells.append(await self.fast(JOBS * turns))
        return [spell for spell in spells if spell.reports]

    async def fast(self, jobs: int) -> Spell:
        """Return a queue in the fast way, after a clip that waited for the compiler."""
        _, waited, _ = await self.run(self.order(), "fast")
        print(f"  first in the fast way: {waited:.1f} s", flush=True)
        spell = Spell("fast")
        await self.queue(spell, jobs, "fast")
        return spell


async def measure(asked: Namespace, work: Path) -> list[dict[str, object]]:
    models = asked.models or work / "models"
    place = ComfyPaths(asked.checkout.absolute(), work / "packs", work / "base", models.absolute())
    executor = ComfyExecutor(
        place, AllThere(), ExecutionPlan(asked.profile), ComfyOptions(device_kind(), asked.vram)
    )
    await executor.warm_up()
    family = await asyncio.to_thread(write_models, asked, models)
    specs = {key: replace(spec, guided=False) for key, spec in family.profiles.items()}
    executor.plan = replace(executor.plan, family=replace(family, profiles=specs))
    rows: list[dict[str, object]] = []
    bench = Bench(asked, executor, work)
    if asked.cold:
        cold = Spell(f"process, {asked.cold}")
        await bench.queue(cold, 1, asked.cold)
        await executor.close()
        return [show(cold, bench)]
    await bench.once()
    sizes = SIZES[:1] if asked.dry_run else SIZES[asked.first_size : asked.first_size + asked.sizes]
    for mode, size in [
        *((asked.mode, size) for size in sizes),
        *((m, sizes[0]) for m in asked.also),
    ]:
        asked.mode = mode
        bench.media = inputs(mode, bench.folder("media"))
        if not asked.dry_run:
            asked.width, asked.height, asked.frames = size
        spells = await bench.all_ways(1 if rows else asked.turns)
        rows += [show(spell, bench) for spell in spells]
        same, most = await bench.difference()
        print(f"  frames equal byte for byte: {same} (at most {most:.0f} of 255)", flush=True)
        print(f"  before / now: ×{spells[2].each_s / spells[3].each_s:.2f}", flush=True)
        rows[-1] |= {"identical": same}
    asked.mode = Mode.T2V
    if asked.cancel and device_kind() is DeviceKind.CUDA:
        asked.width, asked.height, asked.frames = SIZES[0]
        await bench.cancels(["now", "fast"] if asked.fast else ["now"])
    if asked.previews:
        rows += [show(spell, bench) for spell in await bench.previews(asked.turns)]
    if asked.usual:
        if not asked.dry_run:
            asked.width, asked.height, asked.frames = SIZES[0]
        rows.append(show(await bench.usual(), bench))
    await executor.close()
    return rows


def show(spell: Spell, bench: Bench) -> dict[str, object]:
    """Print a line, and return its figures."""
    asked = bench.asked
    label = f"{asked.width}x{asked.height}x{asked.frames}"
    stages = spell.stages()
    parts = "  ".join(
        f"{name} " + "·".join(f"{seconds:.3f}" for seconds in took) for name, took in stages.items()
    )
    flops = sum(part.flops for part in estimate(bench.order().request).stages)
    peak = max(report.peak_bytes for report in spell.reports)
    print(
        f"{asked.mode} {label}  {spell.way:<16}{len(spell.reports)} jobs  {spell.each_s:6.2f} s a "
        f"job  idle {100 * spell.idle:4.1f} %  {parts}  floor {flops / PEAK_FLOPS:.2f} s  "
        f"peak {peak / 1e9:.1f} GB  busy {mean_or_nan(spell.busy):.2f}  "
        f"encode {mean_or_nan(spell.encode_s):.2f}  {spell.forwards()}",
        flush=True,
    )
    return {
        "size": label, "mode": asked.mode.value, "way": spell.way, "jobs": len(spell.reports),
        "wall_s": spell.wall_s, "device_s": spell.device_s, "idle": spell.idle, "stages": stages,
        "peak_bytes": peak, "forwards": spell.forwards(), "busy": mean_or_nan(spell.busy),
        "encode_s": spell.encode_s,
    }  # fmt: skip


def main() -> None:
    parser = options()
    parser.add_argument("--sizes", type=int, default=2, help="how many of the sizes")
    parser.add_argument("--first-size", type=int, default=0, help="leave so many out")
    parser.add_argument("--also", type=Mode, nargs="*", default=[], help="more modes, first size")
    parser.add_argument("--turns", type=int, default=TURNS, help="of now and before, first size")
    parser.add_argument("--cold", choices=[*WAYS], help="only the first clip of a process, so")
    parser.add_argument("--fast", action="store_true", help="as well as CLAPPER_FAST computes")
    parser.add_argument("--cancel", action="store_true", help="measure cancels as well")
    parser.add_argument("--previews", action="store_true", help="what showing pictures costs")
    parser.add_argument("--no-usual", dest="usual", action="store_false", help="leave it out")
    asked = parser.parse_args()
    if asked.dry_run:
        asked.width, asked.height, asked.frames = 128, 128, 17
    print(f"{first_device()}  vram={asked.vram}  files {asked.profile.value}", flush=True)
    with tempfile.TemporaryDirectory() as work:
        rows = asyncio.run(measure(asked, Path(work)))
    if asked.out is not None:
        asked.out.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
