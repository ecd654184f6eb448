"""The seconds of every kind of clip on a Space: declared, granted, needed cold and warm.

Every mode, preset and length runs against a lender that kills, at simulated speeds of a disk and of
ComfyUI's start, through the lender's own package. Each case runs twice in the same Space: on a new
worker, and on the same one again. Ends with 1 where a first try is cut off, or a clip is not made.

    python bench/space_durations.py [--second 0.05] [--only balanced] [--disk 1.5] [--start 7]
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from rich.console import Console
from rich.table import Table

from core.domain.dimensions import Size
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.domain.requests import Request, Sampling, make_request
from core.duration import BY_KEY, GpuSize, Machine, Tier, estimate
from core.duration.workload import WEIGHTS
from core.duration.zerogpu import LOANS
from core.errors import ClapperError
from core.interfaces.executor import Order
from core.models.architecture import GIGA
from core.runtime.cancellation import CancelToken
from webui.testing.simulated_worker import Pace, SimulatedExecutor
from webui.testing.zerogpu import Lease, Rules, lending

CARD = "NVIDIA RTX PRO 6000 Blackwell Server Edition"
HALF = Machine(BY_KEY["rtx-pro-6000-half"], "fp8")
SIZES = {
    Preset.DRAFT: Size(640, 384),
    Preset.FAST: Size(768, 512),
    Preset.BALANCED: Size(1280, 704),
    Preset.QUALITY: Size(1920, 1088),
}
LENGTHS_S = (5, 10, 20)
FPS = 24
ABREAST = 8  # cases at a time, each in a Space of its own


@dataclass(frozen=True)
class Case:
    """One kind of clip, and how fast the simulated Space is."""

    mode: Mode
    preset: Preset
    seconds: int
    start_s: float
    disk: float  # bytes a second

    @property
    def request(self) -> Request:
        """Return what is asked for."""
        size = SIZES[self.preset]
        frames = self.seconds * FPS // 8 * 8 + 1
        sampling = Sampling(self.preset, size.width, size.height, frames, FPS, seed=1)
        media = {
            slot.role: MediaFile(
                f"{index:064x}",
                ".bin",
                slot.kind,
                1,
                width=size.width,
                height=size.height,
                seconds=None if slot.kind is MediaKind.IMAGE else float(self.seconds),
            )
            for index, slot in enumerate(MODES[self.mode].slots)
        }
        return make_request(self.mode, "x", sampling, media)

    @property
    def run_s(self) -> float:
        """Return the seconds on the device: the median."""
        return estimate(self.request, HALF).gpu_ms / 1000

    @property
    def load_s(self) -> float:
        """Return the seconds until the models are there, from the disk."""
        return WEIGHTS[HALF.profile].total / self.disk


@dataclass(frozen=True)
class Outcome:
    """What the lender saw of one case."""

    case: Case
    cold: Lease
    warm: Lease
    tries: int
    codes: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Tell whether both clips were made with the first try, the second one warm."""
        return self.codes == ("made", "made") and self.tries == 2 and self.warm.warm


def cases(start_s: float, disk: float, only: str) -> list[Case]:
    return [
        case
        for mode in Mode
        for preset in SIZES
        for seconds in LENGTHS_S
        for case in [Case(mode, preset, seconds, start_s, disk)]
        if only in f"{mode} {preset} {seconds} s"
    ]


class Space:
    """A process with the lender's package switched on; each case is played in a fork of it."""

    def __init__(self, home: Path, second_s: float) -> None:
        """Start it in ``home``, at ``second_s`` real seconds for one of the lender's."""
        cgroup = home / "cgroup"
        cgroup.write_text("0::/x\n")
        variables = {
            **os.environ,
            "HOME": str(home),
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:1",  # each fork has its own
            "ZEROGPU_PROC_SELF_CGROUP_PATH": str(cgroup),
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        self._home, self._second_s = home, second_s
        self._answers: dict[int, SimpleQueue[list[str]]] = {}
        command = [sys.executable, __file__, "--inside"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, env=variables, stdin=pipe, stdout=pipe, text=True, bufsize=1
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def play(self, number: int, case: Case) -> Outcome:
        """Run ``case`` with a lender of its own."""
        with lending(Rules(kills=True, second_s=self._second_s)) as lender:
            self._answers[number] = SimpleQueue()
            folder = self._home / str(number)
            folder.mkdir()
            asked = {**asdict(case), "number": number, "url": lender.url, "folder": str(folder)}
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({**asked, "second_s": self._second_s}) + "\n")
            codes = self._answers[number].get()
            leases = lender.leases
            return Outcome(case, leases[0], leases[-1], len(leases), tuple(codes))

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # the log is there, too
                told = json.loads(line)
                self._answers[told["number"]].put(told["codes"])


def inside() -> None:
    """Be the Space: each line of standard input is a case, played in a fork."""
    from spaces.zero import config

    vars(config)["_read_gpu_information"] = lambda: f"Model: \t {CARD}\n"
    config.get_config.cache_clear()
    from webui.zerogpu import executor, lease, request_context  # noqa: F401  # before the forks

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asked = json.loads(line)
            codes = ["broke"]
            try:
                codes = asyncio.run(play(asked))
            finally:
                answer = {"number": asked["number"], "codes": codes}
                os.write(1, f"{json.dumps(answer)}\n".encode())
                for worker in multiprocessing.active_children():
                    worker.kill()
                os._exit(0)


async def play(asked: dict[str, Any]) -> list[str]:
    """Run one case twice, and return how both ended."""
    from spaces.config import Config

    from webui.zerogpu.executor import LeasedExecutor
    from webui.zerogpu.lease import prepare
    from webui.zerogpu.request_context import RequestContexts

    Config.zero_device_api_url = asked["url"]
    folder, second_s = Path(asked["folder"]), asked["second_s"]
    names = {item.name for item in fields(Case)}
    case = Case(**{key: value for key, value in asked.items() if key in names})
    case = replace(case, mode=Mode(case.mode), preset=Preset(case.preset))
    pace = Pace(case.start_s, case.load_s, case.run_s, second_s)
    executor = LeasedExecutor("comfy", HALF, RequestContexts(), Tier.PRO, clock=pace.clock)
    prepare(lambda: SimulatedExecutor(lambda _: pace), pace.clock)
    codes: list[str] = []
    for number in range(2):
        workspace = folder / str(number)
        workspace.mkdir()
        order = Order(str(number), 1, case.request, folder, workspace)
        try:
            await executor.execute(order, lambda _: None, CancelToken())
            codes.append("made")
        except ClapperError as error:
            codes.append(error.code)
    return codes


def table_of(outcomes: list[Outcome]) -> Table:
    """Return the table: one line for each case."""
    table = Table(title="Seconds on half a card, fp8, as the lender counts them")
    heads = ("mode", "preset", "clip", "declared", "granted", "cold", "declared", "granted", "warm")
    for head in heads:
        table.add_column(head, justify="left" if head in {"mode", "preset"} else "right")
    table.add_column("")
    for one in outcomes:
        case = one.case
        cold_s = case.start_s + case.load_s + case.run_s
        row = [case.mode, case.preset, f"{case.seconds} s"]
        for lease, needed_s in ((one.cold, cold_s), (one.warm, case.run_s)):
            declared = lease.asked_s / loan().factor
            row += [f"{declared:.0f}", f"{lease.granted_s:.0f}", f"{needed_s:.0f}"]
        told = f"{one.tries} tries: {' '.join(one.codes)}"
        table.add_row(*row, "" if one.passes else told)
    return table


def loan() -> GpuSize:
    """Return the factors of the card that is simulated."""
    return LOANS[HALF.hardware.zerogpu]


def main() -> int:
    """Run the cases that were asked for, and print the table."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--second", type=float, default=0.1, help="real seconds for one simulated")
    given.add_argument("--only", default="", help="a part of “mode preset seconds s”")
    given.add_argument("--disk", type=float, default=1.5, help="GB a second")
    given.add_argument("--start", type=float, default=7.0, help="seconds of ComfyUI's start")
    given.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    chosen = given.parse_args()
    if chosen.inside:
        inside()
        return 0
    wanted = cases(chosen.start, chosen.disk * GIGA, chosen.only)
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(ABREAST) as pool:
        space = Space(Path(home), chosen.second)
        outcomes = list(pool.map(space.play, range(len(wanted)), wanted))
        space.close()
    Console(width=110).print(table_of(outcomes))
    failed = [one for one in outcomes if not one.passes]
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} cases pass their first try")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
