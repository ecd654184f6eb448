"""The shipped double of ComfyUI on a borrowed GPU: it takes as long as it is told, and no device.

Real seconds as short as it is told, or those of a :class:`webui.testing.zerogpu.SharedClock`.
"""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from core.domain.media import RawClip
from core.domain.progress import ProgressSink, Stage, Working
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.testing.doubles import grey_clip, tiny

STEPS = 20  # of a run


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a worker takes, in the lender's seconds."""

    start_s: float = 0.0  # until ComfyUI is there
    load_s: float = 0.0  # until the models are
    run_s: float = 0.0  # of every job
    second_s: float = 1.0  # real seconds that one of the lender lasts, without its address
    lender: str = ""  # its address, where the clock is shared
    crash_at: float | None = None  # share (0…1) of a run after which the process ends

    def clock(self) -> float:
        """Return the lender's seconds where its clock is not shared."""
        return time.monotonic() / self.second_s

    async def spend(self, seconds: float) -> None:
        """Let ``seconds`` pass on the lender's clock, who may end this process then."""
        if not self.lender:
            await asyncio.sleep(seconds * self.second_s)
        elif seconds:
            asked = {"seconds": seconds}
            await asyncio.to_thread(httpx.post, f"{self.lender}/tick", params=asked, timeout=60)


@dataclass(slots=True)
class SimulatedExecutor:
    """Starts and loads once, and then takes its time for every order."""

    pace: Callable[[Order], Pace]
    name: str = "comfy"
    _ready: bool = field(default=False)

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Make a small grey clip at the pace of ``order``.

        Raises:
            Cancelled: in time.
        """
        pace = self.pace(order)
        if not self._ready:
            await pace.spend(pace.start_s)
            on_progress(Working(Stage.LOAD, 0, 1, 0.0))
            await pace.spend(pace.load_s)
            self._ready = True
        for step in range(STEPS):
            cancel.raise_if_cancelled()
            on_progress(Working(Stage.STAGE1, step, STEPS, step / STEPS))
            if pace.crash_at is not None and step >= pace.crash_at * STEPS:
                os._exit(1)
            await pace.spend(pace.run_s / STEPS)
        return grey_clip(tiny(), round(pace.run_s * 1000))

    async def close(self) -> None:
        """Do nothing: there is no device."""
