"""A Space in miniature: run as a program of its own, with the lender's package switched on.

Everything is imported once; each line of JSON on standard input is a scenario, played in a fork.
The answer is one JSON object on one line.
"""

import asyncio
import errno
import json
import multiprocessing
import os
import sys
import time
import traceback
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from spaces.zero import config  # after it was switched on

from core.domain.media import RawClip
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.progress import Progress, ProgressSink, Stage, Working
from core.domain.requests import Request, Sampling
from core.duration import BY_KEY, Machine, Tier, estimate
from core.errors import ClapperError, OutOfMemory
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import load_settings
from core.testing.doubles import grey_clip
from webui.testing.simulated_worker import Pace, SimulatedExecutor
from webui.testing.zerogpu import SharedClock
from webui.zerogpu import lease  # first: it imports spaces
from webui.zerogpu.executor import LeasedExecutor
from webui.zerogpu.planning import CallLimits, Plan
from webui.zerogpu.request_context import RequestContexts


@dataclass(frozen=True)
class Play:
    """One scenario, and where its files go."""

    scenario: str
    folder: str
    hardware: str = "rtx-pro-6000-half"
    card: str = ""  # as the driver would name it in /proc
    clock: str = ""  # file of the clock that is shared with the lender
    lender: str = ""  # its address
    paces: tuple[dict[str, float], ...] = ()  # of the jobs of the scenario "paced", in order
    tier: str = Tier.PRO
    frames: int = 121  # of each of these jobs

    @property
    def machine(self) -> Machine:
        profile = "bf16" if self.hardware == "rtx-pro-6000" else "fp8"
        return Machine(BY_KEY[self.hardware], profile)

    def order(self, number: int = 0) -> Order:
        folder = Path(self.folder)
        workspace = folder / "workspace"
        workspace.mkdir(exist_ok=True)
        sampling = Sampling(Preset.FAST, 64, 64, 9, 24, seed=1)
        if self.paces:
            sampling = Sampling(Preset.FAST, 768, 512, self.frames, 24, seed=1)
        if self.scenario == "longest":  # far beyond what anybody's day holds
            sampling = Sampling(Preset.QUALITY, 3840, 2176, 4801, 24, seed=1)
        request = Request(mode=Mode.T2V, prompt="x", sampling=sampling)
        return Order(f"job{number}", 1, request, folder, workspace)


BROKEN = {
    "breaks": ZeroDivisionError(),
    "swells": MemoryError(),
    "fills": OSError(errno.ENOSPC, "No space left on device"),
    "lost": RuntimeError("CUDA error: an illegal memory access was encountered"),
}


class _Large:
    """Frames that do not fit into memory once more, as they are written."""

    def __array__(self, *_: object, **__: object) -> None:
        raise MemoryError


@dataclass(frozen=True)
class Inside:
    """Works for a while, dies, fails or makes a clip, in the process with the GPU."""

    play: Play
    name: str = "comfy"

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        scenario = self.play.scenario
        if scenario == "longest":
            raise OutOfMemory(3840, 2176, 4801)
        for step in range(4 if scenario in ("made", "large") else 400):
            cancel.raise_if_cancelled()
            on_progress(Working(Stage.STAGE1, step, 400, step / 400))
            await asyncio.sleep(0.02)
            if scenario == "dies" and step == 2:
                os._exit(1)
            if scenario == "fails":
                raise OutOfMemory(64, 64, 9)
            if scenario in BROKEN:
                raise BROKEN[scenario]
        clip = grey_clip(order.request.sampling)
        return replace(clip, frames=_Large()) if scenario == "large" else clip

    async def close(self) -> None:
        pass


def pace_of(play: Play, order: Order) -> Pace:
    return Pace(lender=play.lender, **play.paces[int(order.job_id.removeprefix("job"))])


async def paced(play: Play, executor: LeasedExecutor) -> dict[str, object]:
    """Run the jobs one after another, in workers that stay."""
    told: list[dict[str, object]] = []
    for number in range(len(play.paces)):
        seen: list[str] = []

        def on_progress(event: Progress, seen: list[str] = seen) -> None:
            if isinstance(event, Working) and event.stage not in seen:
                seen.append(event.stage)

        order = play.order(number)
        answer: dict[str, object] = {"code": "made"}
        try:
            await executor.execute(order, on_progress, CancelToken())
        except ClapperError as error:
            answer = {"code": error.code, **error.data()}
        told.append({**answer, "stages": seen, "lent_ms": executor.lent_ms(order.job_id)})
    return {"code": "paced", "jobs": told, "median_s": estimate_s(play)}


def estimate_s(play: Play) -> float:
    return estimate(play.order().request, play.machine).gpu_ms / 1000


async def run(play: Play, executor: LeasedExecutor) -> dict[str, object]:
    seen: list[Progress] = []
    cancel = CancelToken()
    asked_at = 0.0

    def on_progress(event: Progress) -> None:
        nonlocal asked_at
        seen.append(event)
        if play.scenario == "cancel" and not asked_at:
            asked_at = time.monotonic()
            cancel.cancel()

    try:
        raw = await executor.execute(play.order(), on_progress, cancel)
    except ClapperError as error:
        late = time.monotonic() - asked_at if asked_at else None
        await asyncio.sleep(1.0)  # the process with the GPU is let go of
        return {"code": error.code, "data": error.data(), "late_s": late, "events": len(seen)}
    frames = list(raw.frames.shape)
    sound = raw.sound is not None and raw.sound.samples.shape[0]
    return {"code": "made", "frames": frames, "sound": sound, "events": len(seen)}


async def page(play: Play, executor: LeasedExecutor) -> dict[str, object]:
    from webui.testing.server import served

    settings = load_settings(
        data_dir=Path(play.folder) / "data", executor="draft", studio_port=0, min_free_megabytes=0
    )
    import gradio

    sizes: list[int | None] = []
    launch = gradio.Blocks.launch

    def noting(self: gradio.Blocks, *args: object, **options: object) -> object:
        sizes.append(self._queue.max_size)
        return launch(self, *args, **options)

    gradio.Blocks.launch = noting
    async with served(settings, executor) as studio:
        return {"code": "page", "url": studio.url, "max_size": sizes[0]}


async def answer_to(play: Play) -> dict[str, object]:
    if play.card:
        config._read_gpu_information = lambda: f"Model: \t {play.card}\n"
    config.get_config.cache_clear()
    clock = SharedClock(Path(play.clock)) if play.clock else time.monotonic
    inside = partial(pace_of, play)
    make = Inside(play) if not play.paces else SimulatedExecutor(inside)
    lease.prepare(lambda: make, clock)
    answer: dict[str, object] = {}
    for tier in Tier if play.scenario == "longest" else (Tier(play.tier),):
        executor = LeasedExecutor("comfy", play.machine, RequestContexts(), tier, clock=clock)
        scenarios = {"page": page, "paced": paced}
        answer = await scenarios.get(play.scenario, run)(play, executor)
    plan = Plan(play.order(), play.machine, Tier.PRO, CallLimits())
    return {**answer, "declared_s": plan.call(warm=False).declared_s}


def played(play: Play) -> str:
    """Play in a process of its own, as the lender's package keeps one worker a process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        text = ""
        try:
            os.close(reader)
            text = json.dumps(asyncio.run(answer_to(play)))
            os.write(writer, text.encode())
        finally:
            if not text:
                traceback.print_exc()
            for worker in multiprocessing.active_children():  # it would keep the pipe open
                worker.kill()
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text or "{}"


sys.stdout.write("ready\n")
sys.stdout.flush()
for line in sys.stdin:
    text = played(Play(**json.loads(line)))
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
