"""An executor that breaks on demand, as devices, drivers and node packs do."""

import asyncio
import contextlib
import ctypes
import os
import signal
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain.media import RawClip
from core.domain.progress import ProgressSink, Stage, Working
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.testing.doubles import QuickExecutor

if TYPE_CHECKING:
    from collections.abc import Callable

STICKY = "CUDA error: an illegal memory access was encountered"
SLOW_S = 0.4
LEAK_BYTES = 16 * 1024**2
_leaked: list[bytearray] = []


class FaultyExecutor(QuickExecutor):
    """Grey frames, or the fault that the prompt names.

    A prompt is ``<fault> once <anything>`` or ``<fault> always <anything>``; the faults are the
    methods below. What happened once is kept in ``folder``, since the process may not outlive it.
    There ``times`` gets a line ``<event> <monotonic seconds>`` for every order and every fault.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._lost = False  # as after a sticky error: this process reaches the device no more
        self._faults: dict[str, Callable[[], None]] = {
            "raise": self._raise,
            "cuda": self._lose,
            "segfault": self._segfault,
            "kill": self._kill,
            "hang": self._hang,
            "leak": self._leak,
            "exit": partial(os._exit, 0),
            "slow": partial(time.sleep, SLOW_S),
        }

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Make grey frames, or break.

        Raises:
            RuntimeError: the fault is one that raises, or an earlier one lost the device.
        """
        if self._lost:
            raise RuntimeError(STICKY)
        self._note("order")
        on_progress(Working(Stage.STAGE1, 1, 2, 0.2))
        fault, _, rest = order.request.prompt.partition(" ")
        often, _, name = rest.partition(" ")
        if fault in self._faults and self._due(often, f"{fault}-{name}"):
            self._note(f"fault-{fault}")
            broken = asyncio.get_running_loop().run_in_executor(None, self._faults[fault])
            while not broken.done():  # what hangs does not hear a cancel either
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({broken})
            broken.result()
        return await super().execute(order, on_progress, cancel)

    def _due(self, often: str, name: str) -> bool:
        if often == "always":
            return True
        try:
            (self._folder / f"did-{name}").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _note(self, event: str) -> None:
        with (self._folder / "times").open("a") as file:
            file.write(f"{event} {time.monotonic()}\n")

    def _raise(self) -> None:
        raise RuntimeError("a node of a pack that nobody knows")

    def _lose(self) -> None:
        self._lost = True
        raise RuntimeError(STICKY)

    def _segfault(self) -> None:
        ctypes.string_at(0)

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _hang(self) -> None:
        with contextlib.suppress(BaseException):
            threading.Event().wait()

    def _leak(self) -> None:
        _leaked.append(bytearray(LEAK_BYTES))
