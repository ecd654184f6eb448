"""Record work for a CUDA device once, and launch it again as one CUDA graph."""

import contextlib
import gc
from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any, Protocol


class Recording(Protocol):
    """Recorded work: ``torch.cuda.CUDAGraph``."""

    def replay(self) -> None:
        """Launch it on the current stream; returns before it is done."""
        ...


class Recorder(Protocol):
    """Records work without doing it."""

    def record(self, work: Callable[[], object]) -> Recording:
        """Record what ``work`` launches; whatever it raises ends the recording."""
        ...

    def mark(self) -> Callable[[], bool]:
        """Return a question: whether everything launched until now is done."""
        ...

    def forget_memory(self) -> None:
        """Begin a new pool of memory: no recording of the old one is left."""
        ...


class CudaRecorder:
    """Records on a stream of its own, into one pool of memory that all recordings share.

    They may share it because they run one after the other and keep nothing in it.
    """

    def __init__(self, torch: ModuleType) -> None:
        self._torch = torch
        self._pool: Any = None
        self._stream: Any = None

    def record(self, work: Callable[[], object]) -> Recording:
        """Record what ``work`` launches, while the device goes on with what it has.

        Raises:
            RuntimeError: CUDA cannot record it, or has no memory for it.
        """
        cuda = self._torch.cuda
        if self._stream is None:
            self._stream = cuda.Stream()
            self._touch_matrix_library()
        if self._pool is None:
            self._pool = cuda.graph_pool_handle()
        graph = cuda.CUDAGraph()
        with _no_collection(), cuda.stream(self._stream):
            # not "global": another thread may copy something meanwhile
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                work()
            except BaseException:
                with contextlib.suppress(RuntimeError):  # a broken recording cannot be ended well
                    graph.capture_end()
                raise
            graph.capture_end()
        return graph

    def mark(self) -> Callable[[], bool]:
        """Return a question: whether everything launched until now is done."""
        event = self._torch.cuda.Event()
        event.record()
        return event.query

    def forget_memory(self) -> None:
        """Begin a new pool of memory: torch does not take up one again that was given back."""
        self._pool = None

    def _touch_matrix_library(self) -> None:
        """Let cuBLAS take its workspace for the stream now.

        Taken while recording, it would lie in the memory of that recording, and go with it although
        later ones use it too.
        """
        torch = self._torch
        with torch.cuda.stream(self._stream):
            sample = torch.zeros(16, 16, dtype=torch.bfloat16, device="cuda")
            torch.nn.functional.linear(sample, sample, sample[0])
            torch.mm(sample, sample)
        self._stream.synchronize()


@contextlib.contextmanager
def _no_collection() -> Generator[None]:
    """Keep Python's collector away: it may free memory of the device, which ends a recording."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
