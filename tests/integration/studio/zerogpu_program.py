"""A Space in miniature: run as a program of its own, with the lender's package switched on.

``python zerogpu_program.py SCENARIO FOLDER`` prints one JSON object.
"""

import asyncio
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

from core.domain.media import RawClip
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.progress import Progress, ProgressSink, Stage, Working
from core.domain.requests import Request, Sampling
from core.duration import BY_KEY, Machine, Tier
from core.errors import ClapperError, OutOfMemory
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import load_settings
from core.testing.doubles import grey_clip
from webui.zerogpu import lease  # first: it imports spaces
from webui.zerogpu.executor import LeasedExecutor
from webui.zerogpu.request_context import RequestContexts

SCENARIO, FOLDER = sys.argv[1], Path(sys.argv[2])
SECOND = FOLDER / "second"  # exists once the first try is over
HARDWARE = os.environ.get("HARDWARE", "rtx-pro-6000-half")
MACHINE = Machine(BY_KEY[HARDWARE], "bf16" if HARDWARE == "rtx-pro-6000" else "fp8")
if CARD := os.environ.get("CARD"):  # as the driver would name it in /proc
    from spaces.zero import config

    config._read_gpu_information = lambda: f"Model: \t {CARD}\n"


class Inside:
    """Works for a while, dies, fails or makes a clip, in the process with the GPU."""

    name = "comfy"

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        if SCENARIO == "longest":
            raise OutOfMemory(3840, 2176, 4801)
        for step in range(4 if SCENARIO in {"made", "overtime"} else 400):
            cancel.raise_if_cancelled()
            on_progress(Working(Stage.STAGE1, step, 400, step / 400))
            await asyncio.sleep(0.02)
            if SCENARIO == "dies" and step == 2:
                os._exit(1)
            if SCENARIO == "overtime" and step == 2 and not SECOND.exists():
                SECOND.touch()
                await asyncio.sleep(1.5 * lease.declared_s(lease.Call(order, MACHINE, Tier.PRO)))
                os._exit(1)  # as the lender does when the granted seconds are over
            if SCENARIO == "fails":
                raise OutOfMemory(64, 64, 9)
            if SCENARIO == "breaks":
                raise ZeroDivisionError
        return grey_clip(order.request.sampling)

    async def close(self) -> None:
        pass


def order() -> Order:
    workspace = FOLDER / "workspace"
    workspace.mkdir(exist_ok=True)
    sampling = Sampling(Preset.FAST, 64, 64, 9, 24, seed=1)
    if SCENARIO == "longest":  # far beyond what anybody's day holds
        sampling = Sampling(Preset.QUALITY, 3840, 2176, 4801, 24, seed=1)
    return Order("job", 1, Request(mode=Mode.T2V, prompt="x", sampling=sampling), FOLDER, workspace)


async def run(executor: LeasedExecutor) -> dict[str, object]:
    seen: list[Progress] = []
    cancel = CancelToken()
    asked_at = 0.0

    def on_progress(event: Progress) -> None:
        nonlocal asked_at
        seen.append(event)
        if SCENARIO == "cancel" and not asked_at:
            asked_at = time.monotonic()
            cancel.cancel()

    try:
        raw = await executor.execute(order(), on_progress, cancel)
    except ClapperError as error:
        late = time.monotonic() - asked_at if asked_at else None
        await asyncio.sleep(1.0)  # the process with the GPU is let go of
        return {"code": error.code, "data": error.data(), "late_s": late, "events": len(seen)}
    frames = list(raw.frames.shape)
    sound = raw.sound is not None and raw.sound.samples.shape[0]
    return {"code": "made", "frames": frames, "sound": sound, "events": len(seen)}


async def page(executor: LeasedExecutor) -> dict[str, object]:
    from webui.testing.server import served

    settings = load_settings(
        data_dir=FOLDER / "data", executor="draft", studio_port=0, min_free_megabytes=0
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


lease.prepare(Inside)
leased = LeasedExecutor("comfy", MACHINE, RequestContexts(), Tier.PRO)
if SCENARIO == "longest":
    for tier in Tier:
        answer = asyncio.run(run(LeasedExecutor("comfy", MACHINE, RequestContexts(), tier)))
else:
    answer = asyncio.run(page(leased) if SCENARIO == "page" else run(leased))
answer["declared_s"] = lease.declared_s(lease.Call(order(), MACHINE, Tier.PRO))
sys.stdout.write(json.dumps(answer) + "\n")
sys.stdout.flush()
for child in multiprocessing.active_children():  # it would keep our standard output open
    child.kill()
os._exit(0)
