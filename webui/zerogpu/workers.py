"""Which processes with a borrowed GPU are known to be warm, and for how long they stay so.

The lender forks a worker for a GPU and keeps it a while. It chooses the GPU of the next loan only
after the seconds were declared, so that a warm worker is expected here and never sure.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

KEPT_S = 600.0  # until the lender shows otherwise; its own figure is not public


@dataclass(slots=True)
class _Worker:
    size: str
    warm: bool
    since: float  # when its last job ended
    free: bool = False  # neither runs a job nor is expected to


class Workers:
    """The workers that reported themselves. Every method may be called on any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know of no worker yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._workers: dict[int, _Worker] = {}
        self.keep_s = KEPT_S  # so long a worker is expected to be offered again

    def expect(self, size: str) -> int | None:
        """Return the process of a warm worker that the next loan of ``size`` should meet.

        No other loan is promised it until :meth:`met` or :meth:`free` was called.
        """
        with self._lock:
            now = self._clock()
            for pid in [pid for pid in self._workers if not lives(pid)]:
                del self._workers[pid]
            for pid, one in self._workers.items():
                if one.warm and one.free and one.size == size and now - one.since <= self.keep_s:
                    one.free = False
                    return pid
            return None

    def met(self, size: str, pid: int, expected: int | None, *, warm: bool) -> None:
        """Note that a loan of ``size`` met the worker ``pid``, where ``expected`` was promised."""
        with self._lock:
            now = self._clock()
            missed = None if expected in {None, pid} else self._workers.pop(expected or 0, None)
            if missed is not None:  # it is there, and was not offered: so long is too long
                self.keep_s = min(self.keep_s, now - missed.since)
            known = self._workers.get(pid)
            if known is not None and warm:
                self.keep_s = max(self.keep_s, now - known.since)
            self._workers[pid] = _Worker(size, warm, now)

    def free(self, pid: int | None, *, warm: bool | None = None) -> None:
        """Note that the worker ``pid`` has no job any more; ``warm`` where that is known anew."""
        with self._lock:
            worker = self._workers.get(pid or 0)
            if worker is None:
                return
            worker.free = True
            if warm is not None:
                worker.warm, worker.since = warm, self._clock()

    def lost(self, pid: int) -> None:
        """Forget the worker ``pid``: its process has ended."""
        with self._lock:
            self._workers.pop(pid, None)


def lives(pid: int) -> bool:
    """Tell whether the process ``pid`` of ours is there."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
