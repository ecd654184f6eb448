"""Measure how long the event loop was blocked, for tests of many people at once.

A blocked loop answers nobody; after some seconds a chat platform takes it for dead.
"""

import asyncio
import gc
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

BEAT_S = 0.01
THREADS = Path("/proc/self/task")  # Linux; elsewhere every wait counts as the loop's


class LoopLag:
    """The longest time in which the loop did not come back, other than by a busy machine.

    What counts is the larger of two: the processor time of the loop's own thread between two
    beats, which no other process can stretch; and the time that passed, less what the loop's
    thread waited for a core, and less the longest such wait of another thread of this process (it
    may have held the interpreter's lock). The second sees calls that block without working.

    Like ``clapper serve``, it takes what exists already out of the garbage collector's sight: the
    test process has collected the objects of every test before.
    """

    longest_s: float = 0.0

    async def __aenter__(self) -> Self:
        gc.collect()
        gc.freeze()
        self._task = asyncio.create_task(self._beat(), name="pulse")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})
        gc.unfreeze()

    async def _beat(self) -> None:
        own = str(threading.get_native_id())
        began, worked, waited = time.perf_counter(), time.thread_time(), _waits_s()
        while True:
            await asyncio.sleep(BEAT_S)
            now, works, waits = time.perf_counter(), time.thread_time(), _waits_s()
            delays = {thread: at - waited.get(thread, 0.0) for thread, at in waits.items()}
            excused = delays.pop(own, 0.0) + max(delays.values(), default=0.0)
            self.longest_s = max(self.longest_s, works - worked, now - began - excused)
            began, worked, waited = now, works, waits


def _waits_s() -> dict[str, float]:
    """Measure how long each thread was ready while the machine ran something else, in seconds."""
    waits: dict[str, float] = {}
    if THREADS.exists():
        for thread in THREADS.iterdir():
            with suppress(OSError, IndexError):  # it has ended
                fields = (thread / "schedstat").read_text("ascii").split()
                waits[thread.name] = int(fields[1]) / 1e9  # ns: running, waiting, slices
    return waits
