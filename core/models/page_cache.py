"""Model files in the host's memory: how much of them lies there, and how fast their disk is.

What the system has read it keeps while memory lasts, for every process. A worker that loads models
from there waits for the memory and not for the disk.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_CHUNK = 16 * 1024**2  # bytes, read at a time
_SAMPLES = 32  # looked at in each file
_TELLING_S = 0.5  # of reading, before a rate is believed
_FRESH_S = 5.0  # so long a share is not measured again


def cached_share(paths: Sequence[Path]) -> float:
    """Measure which share (0…1) of the bytes of ``paths`` the memory holds, by samples.

    Returns:
        0 where the system cannot say it, or a file cannot be opened.
    """
    sizes = [_size(path) for path in paths]
    found = sum(
        size * _sampled(path, size) for path, size in zip(paths, sizes, strict=True) if size
    )
    return found / sum(sizes) if sum(sizes) else 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _sampled(path: Path, size: int) -> float:
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return 0.0
    try:
        # a look may make the system read that page: few of them, and never at the same places
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
        places = [random.randrange(size) for _ in range(_SAMPLES)]  # noqa: S311  # no secret
        return sum(_in_memory(file, at) for at in places) / len(places)
    finally:
        os.close(file)


def _in_memory(file: int, at: int) -> bool:
    try:
        return bool(os.preadv(file, [bytearray(1)], at, os.RWF_NOWAIT))
    except (OSError, AttributeError):  # not there; or a system that does not tell
        return False


class FileReader:
    """Reads files once in the background, so that they lie in memory, and times their disk."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know of no file yet."""
        self._clock = clock
        self._paths: tuple[Path, ...] = ()
        self._read_bytes, self._read_s = 0, 0.0
        self._thread: threading.Thread | None = None
        self._share, self._looked = 0.0, -_FRESH_S

    def begin(self, paths: Sequence[Path]) -> None:
        """Read ``paths`` on a thread of its own, which ends with the process."""
        self._paths = tuple(paths)
        if self._thread is not None and self._thread.is_alive():
            return  # another try of the start: they are being read
        self._thread = threading.Thread(target=self._read_all, name="read-models", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until everything was read."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def share(self) -> float:
        """Return which share of the bytes lies in memory, as seen a few seconds ago at most."""
        now = self._clock()
        if now - self._looked >= _FRESH_S:
            self._share, self._looked = cached_share(self._paths), now
        return self._share

    @property
    def rate(self) -> float | None:
        """Return the bytes a second that the disk gave so far; None where that says little."""
        return self._read_bytes / self._read_s if self._read_s >= _TELLING_S else None

    def _read_all(self) -> None:
        for path in self._paths:
            try:
                self._read(path)
            except OSError:  # a job that needs it will say so
                continue

    def _read(self, path: Path) -> None:
        buffer = bytearray(_CHUNK)
        file = os.open(path, os.O_RDONLY)
        try:
            at = 0
            while True:
                known = _in_memory(file, at)
                began = self._clock()
                count = os.preadv(file, [buffer], at)
                if not count:
                    return
                if not known:
                    self._read_s += self._clock() - began
                    self._read_bytes += count
                at += count
        finally:
            os.close(file)
