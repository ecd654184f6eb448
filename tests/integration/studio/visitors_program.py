"""A Space in miniature that serves its page, with the lender's package switched on.

Takes its folder as argument; writes the address of the page as JSON on standard output, and stops
when standard input ends. A job stands still on its GPU until a file named like its prompt is there.
"""

import asyncio
import json
import multiprocessing
import sys
import time
from pathlib import Path

from core.domain.media import RawClip
from core.domain.progress import ProgressSink, Stage, Working
from core.duration import BY_KEY, Machine, Tier
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import load_settings
from core.testing.doubles import grey_clip
from webui.testing.server import served
from webui.zerogpu import lease  # first: it imports spaces
from webui.zerogpu.executor import LeasedExecutor
from webui.zerogpu.request_context import RequestContexts

FOLDER = Path(sys.argv[1])
AT_ONCE = 3


class Inside:
    """Works until it is let go, in the process with the GPU."""

    name = "comfy"

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        gate = FOLDER / order.request.prompt
        on_progress(Working(Stage.STAGE1, 1, 4, 0.1))
        while not gate.exists():
            cancel.raise_if_cancelled()
            await asyncio.sleep(0.02)
        return grey_clip(order.request.sampling)

    async def close(self) -> None:
        pass


def clock() -> float:
    """Return seconds, ahead by what a file says."""
    ahead = FOLDER / "ahead"
    return time.monotonic() + (float(ahead.read_text() or 0) if ahead.exists() else 0.0)


async def serve() -> None:
    settings = load_settings(
        data_dir=FOLDER / "data", studio_port=0, min_free_megabytes=0, studio_tier="pro"
    )
    contexts = RequestContexts(clock)
    machine = Machine(BY_KEY["rtx-pro-6000-half"], "fp8")
    executor = LeasedExecutor("comfy", machine, contexts, Tier.ANONYMOUS, at_once=AT_ONCE)
    async with served(settings, executor, contexts) as studio:
        studio.core.runs.tier = Tier.ANONYMOUS
        sys.stdout.write(json.dumps({"url": studio.url}) + "\n")
        sys.stdout.flush()
        ended = asyncio.Event()  # never read(): a fork would inherit its lock
        asyncio.get_running_loop().add_reader(0, ended.set)
        await ended.wait()


lease.prepare(Inside)
asyncio.run(serve())
for worker in multiprocessing.active_children():  # they do not end by themselves
    worker.kill()
