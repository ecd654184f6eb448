"""What fits on small cards, and how long it takes: one CUDA device made to look like each of them.

    python bench/small_cards.py --checkout ~/ComfyUI --models /tmp/models --main-gb 32
    python bench/small_cards.py --dry-run        # tiny shapes on the processor, a minute

A ballast in another process takes all of the device's memory but the card's, and torch is told the
card's share; main memory is capped by a control group where one may be made, and the table says
where not. Each card is a process of its own. Weights are random and of full size, stored as the
files of the profile are. Clips of each card: the preset ``fast`` cold, again warm with a new
prompt, then the sizes of ``--try``, the largest first, until one fits.
"""

import argparse
import asyncio
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comfy_gpu import PROMPTS, AllThere, write_models  # after the path is set

from core.comfy.device import device_kind, first_device  # comfy_gpu sets the path
from core.comfy.executor import ComfyExecutor, ComfyOptions  # the same
from core.comfy.job_run import ExecutionPlan  # the same
from core.comfy.paths import ComfyPaths  # the same
from core.domain.modes import Mode  # the same
from core.domain.presets import PRESETS, Preset  # the same
from core.domain.requests import Request, Sampling, make_request  # the same
from core.duration import Machine, hardware_for  # the same
from core.errors import OutOfMemory  # the same
from core.interfaces.executor import Order  # the same
from core.models.catalog import Profile, files_for  # the same
from core.runtime.cancellation import CancelToken  # the same

GIB = 1024**3
FAST = PRESETS[Preset.FAST].size
TRIES = ["1920x1088x241", "1280x704x241", "768x512x241"]
HOLD = """
import sys, torch
held = torch.empty(int(sys.argv[1]), dtype=torch.uint8, device="cuda")
torch.cuda.synchronize()
print("held", flush=True)
sys.stdin.read()
"""
GROUP = Path("/sys/fs/cgroup/clapper-cards")


@dataclass
class Figures:
    """What one card did with one profile."""

    card_gb: int
    profile: str
    main_gb: int  # the cap, 0 where none could be set
    largest: str
    failed: str  # sizes that ran out of memory
    cold_s: float
    warm_s: float
    largest_s: float
    stages: dict[str, float]  # of the warm clip
    peak_gpu_gb: float
    peak_main_gb: float
    disk_gb: float


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkout", type=Path, default=Path("comfyui/checkout"))
    parser.add_argument("--models", type=Path, help="folder for the random weights; kept")
    parser.add_argument("--cards", type=int, nargs="+", default=[12, 16, 24, 32], help="GB each")
    parser.add_argument("--profile", type=Profile, nargs="+", default=[Profile.SMALL, Profile.LOW])
    parser.add_argument(
        "--try", dest="tries", nargs="*", default=TRIES, help="sizes, the largest first"
    )
    parser.add_argument("--main-gb", type=int, default=0, help="cap of main memory")
    parser.add_argument("--vram", default="auto", choices=["auto", "normal", "low"])
    parser.add_argument("--out", type=Path, help="write the figures as JSON lines")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--dry-run", action="store_true", help="tiny shapes, 128×128, 17 frames")
    return parser


@contextmanager
def ballast(card_gb: int) -> Iterator[None]:
    """Leave ``card_gb`` of the device free, for the time of the block."""
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        yield
        return
    free = torch.cuda.mem_get_info()[0]
    own = 600 * 1024**2  # of the process that holds it: its context
    held = max(0, free - card_gb * GIB - own)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.kill()
        holder.wait()


def cap_main_memory(cap_gb: int) -> int:
    """Cap the main memory of this process and return the cap, GB; 0 where that is not allowed."""
    if not cap_gb:
        return 0
    try:
        GROUP.mkdir(exist_ok=True)
        (GROUP / "memory.max").write_text(str(cap_gb * GIB))
        (GROUP / "cgroup.procs").write_text(str(os.getpid()))
    except OSError as problem:
        print(f"main memory is not capped: {problem}", file=sys.stderr)
        return 0
    return cap_gb


class Watch:
    """Looks every 20 ms how much memory is taken, on the device and of this process."""

    def __init__(self) -> None:
        self.torch = importlib.import_module("torch")
        self.cuda = self.torch.cuda.is_available()
        self.before = self.torch.cuda.mem_get_info()[0] if self.cuda else 0
        self.gpu, self.main = 0, 0
        self.over = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self.over.wait(0.02):
            if self.cuda:
                self.gpu = max(self.gpu, self.before - self.torch.cuda.mem_get_info()[0])
            lines = Path("/proc/self/status").read_text().splitlines()
            sizes = {line.split()[0]: line.split()[1] for line in lines if line.startswith("Rss")}
            self.main = max(self.main, sum(1024 * int(size) for size in sizes.values()))


def request(size: tuple[int, int, int], preset: Preset, number: int) -> Request:
    width, height, frames = size
    sampling = Sampling(preset, width, height, frames, 24, number)
    return make_request(Mode.T2V, PROMPTS[number % 2], sampling, {})


async def one(asked: argparse.Namespace, work: Path) -> Figures:
    card, profile = asked.cards[0], asked.profile[0]
    place = ComfyPaths(
        asked.checkout.absolute(), work / "packs", work / "base", asked.models.absolute()
    )
    device = first_device()
    hardware = hardware_for(device.name if device else "unknown", float(card * GIB))
    machine = Machine(hardware, profile.value, asked.vram)
    plan = ExecutionPlan(profile, machine=machine)
    executor = ComfyExecutor(place, AllThere(), plan, ComfyOptions(device_kind(), asked.vram))
    await executor.warm_up()
    watch = Watch()
    if watch.cuda:
        share = card * GIB / watch.torch.cuda.get_device_properties(0).total_memory
        watch.torch.cuda.set_per_process_memory_fraction(min(1.0, share))
    asked.profile = profile
    executor.plan = replace(plan, family=write_models(asked, asked.models))

    async def run(wanted: Request) -> float:
        number = wanted.sampling.seed
        folder = work / f"run{number}"
        folder.mkdir()
        began = time.perf_counter()
        order = Order(f"{number:032x}", 1, wanted, folder, folder)
        await executor.execute(order, lambda _: None, CancelToken())
        return time.perf_counter() - began

    small = (128, 128, 17) if asked.dry_run else (FAST.width, FAST.height, 121)
    cold = await run(request(small, Preset.FAST, 1))
    warm = await run(request(small, Preset.FAST, 2))
    report = executor.last_report
    assert report is not None
    stages = {stage.value: round(seconds, 2) for stage, seconds in report.seconds.items()}
    largest, failed, seconds = "", list[str](), 0.0
    for number, text in enumerate(asked.tries, 3):
        width, height, frames = (128, 128, 25) if asked.dry_run else map(int, text.split("x"))
        try:
            seconds = await run(request((width, height, frames), Preset.BALANCED, number))
        except OutOfMemory:
            failed.append(text)
            continue
        largest = text
        break
    watch.over.set()
    await executor.close()
    disk = sum(file.size_bytes for file in files_for(Mode.T2V, profile))
    return Figures(
        card, profile.value, asked.main_gb, largest, " ".join(failed),
        round(cold, 1), round(warm, 1), round(seconds, 1), stages,
        round(watch.gpu / 1e9, 1), round(watch.main / 1e9, 1), round(disk / 1e9, 1),
    )  # fmt: skip


def cases(asked: argparse.Namespace) -> Iterator[list[str]]:
    shared = ["--checkout", str(asked.checkout), "--models", str(asked.models), "--one"]
    shared += ["--try", *asked.tries, "--main-gb", str(asked.main_gb), "--vram", asked.vram]
    shared += ["--dry-run"] * asked.dry_run
    for profile in asked.profile:
        for card in asked.cards:
            yield [*shared, "--profile", profile.value, "--cards", str(card)]


def table(rows: list[Figures]) -> None:
    heads = (
        "card | profile | main memory | largest clip | too large | first, s | warm, s | largest, s"
    )
    print(f"\n{heads} | peak GPU, GB | main memory, GB | disk, GB")
    for row in rows:
        capped = f"{row.main_gb} GB" if row.main_gb else "not capped"
        cells = (f"{row.card_gb} GB", row.profile, capped, row.largest, row.failed, row.cold_s)
        more = (row.warm_s, row.largest_s, row.peak_gpu_gb, row.peak_main_gb, row.disk_gb)
        print(" | ".join(str(cell) for cell in (*cells, *more)))
        print(f"    warm: {row.stages}")


def main() -> None:
    asked = options().parse_args()
    if asked.one:
        asked.main_gb = cap_main_memory(asked.main_gb)
        asked.big = None
        with tempfile.TemporaryDirectory() as work, ballast(asked.cards[0]):
            print(json.dumps(asdict(asyncio.run(one(asked, Path(work))))), flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        asked.models = asked.models or Path(folder)
        rows: list[Figures] = []
        for case in cases(asked):
            done = subprocess.run(
                [sys.executable, __file__, *case], stdout=subprocess.PIPE, text=True, check=False
            )
            lines = [line for line in done.stdout.splitlines() if line.startswith('{"card_gb"')]
            if not lines:
                print(f"{' '.join(case[-4:])}: ended with {done.returncode}\n{done.stdout[-800:]}")
                continue
            rows.append(Figures(**json.loads(lines[-1])))
            if asked.out is not None:
                with asked.out.open("a") as file:
                    file.write(lines[-1] + "\n")
            print(lines[-1], flush=True)
        table(rows)


if __name__ == "__main__":
    main()
