# ruff: noqa: I001  # spaces has to be imported before anything that may start CUDA
# gradio's and spaces' own types are incomplete
# pyright: reportUnknownMemberType=false, reportUntypedFunctionDecorator=false, reportMissingTypeStubs=false
"""The GPU of a Space, borrowed for one job at a time; everywhere else the decorator does nothing.

The function is a generator: only that can be stopped before its time is over. It runs in a forked
process which keeps the models; frames come back as a file, everything else by pickle. Encoding and
muxing happen afterwards in the service, when the GPU was given back.
"""

import spaces

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

import numpy as np
import structlog

from core.comfy.device import first_device
from core.errors import SetupProblem
from core.runtime.cancellation import CancelToken
from core.interfaces.executor import Executor, Order, PreviewingExecutor
from core.domain.jobs import Failure
from core.domain.media import RawClip, Sound
from core.domain.progress import Progress, Stage, Working
from core.domain.prompt_preview import JobPreview
from core.worker.attempt import public_error

log = structlog.get_logger(__name__)

HEARTBEAT_S = 0.2  # between two yields, so also until a cancel is noticed


@dataclass(frozen=True, slots=True)
class Call:
    """One try on a borrowed GPU; times in seconds."""

    order: Order
    declared_s: int
    granted_s: float  # what the lender makes of it
    cold_s: float = 0.0  # a worker without models hands a shorter loan back at once
    previews: bool = False  # show what is made so far


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """Which worker a loan met; its first word."""

    pid: int
    warm: bool  # it ran a job before: ComfyUI is started, and models are loaded
    began: float  # when the loan began, on the monotonic clock that forks share
    device: str = ""  # as the driver names it; empty where none does
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened in the worker, and when, on the clock of its report."""

    event: Progress | JobPreview
    at: float


@dataclass(frozen=True, slots=True)
class HandedBack:
    """A warm worker was expected, this one is new, and the loan would not last for its start."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing new; gives the lender the chance to stop."""


@dataclass(frozen=True, slots=True)
class LeasedClip:
    """The clip; its frames and samples are files in the workspace."""

    frames: Path
    samples: Path | None
    rate: int
    fps: float
    gpu_ms: int
    notes: dict[str, str]
    repeated: int = 0
    lead_s: float = 0.0
    prompt_used: str = ""

    def clip(self) -> RawClip:
        """Load the clip, its frames mapped from the file."""
        sound = None
        if self.samples is not None:
            sound = Sound(np.load(self.samples), self.rate)
        return RawClip(
            np.load(self.frames, mmap_mode="r"),
            self.fps,
            sound,
            self.gpu_ms,
            self.notes,
            repeated=self.repeated,
            lead_s=self.lead_s,
            prompt_used=self.prompt_used,
        )


LeaseEvent: TypeAlias = Heartbeat | Seen | WorkerReport | HandedBack | LeasedClip | Failure
Factory: TypeAlias = Callable[[], Executor]


class _WorkerProcess:
    """What the forked process inherits: how to make an executor, and then that executor."""

    def __init__(self) -> None:
        self.factory: Factory | None = None
        self.executor: Executor | None = None
        self.warm = False
        self.clock: Callable[[], float] = time.monotonic
        self._forked: float | None = None

    def forked(self) -> None:
        """Note that this process was forked now; for a loan, as the lender's package does it."""
        self._forked = self.clock()

    def report(self) -> WorkerReport:
        """Return what is known of this process at the begin of a loan."""
        began, self._forked = self._forked or self.clock(), None
        device = first_device()
        name, memory = (device.name, device.memory_bytes) if device else ("", 0)
        return WorkerReport(os.getpid(), self.warm, began, name, memory)


_PROCESS = _WorkerProcess()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_PROCESS.forked)


def prepare(factory: Factory, clock: Callable[[], float] = time.monotonic) -> None:
    """Say how the executor is made; before the first run, in the parent.

    Args:
        factory: called once in every worker.
        clock: seconds; the same one in every process.
    """
    _PROCESS.factory, _PROCESS.clock = factory, clock
    _PROCESS.executor = None


def declared_s(call: Call) -> int:
    """Return the seconds to declare; the lender's package asks for them before each loan."""
    return call.declared_s


@spaces.GPU(duration=declared_s, size="large")
def on_large(call: Call) -> Iterator[LeaseEvent]:
    """Run ``call`` on half a card."""
    yield from perform(call)


@spaces.GPU(duration=declared_s, size="xlarge")
def on_xlarge(call: Call) -> Iterator[LeaseEvent]:
    """Run ``call`` on a whole card, for the largest files."""
    yield from perform(call)


def perform(call: Call) -> Iterator[LeaseEvent]:
    """Execute the order of ``call`` and yield what happens; no exception ever leaves."""
    report = _PROCESS.report()
    yield report
    if not report.warm and call.granted_s < call.cold_s:
        yield HandedBack()
        return
    events: SimpleQueue[Seen] = SimpleQueue()
    cancel = CancelToken()

    def see(event: Progress | JobPreview) -> None:
        events.put(Seen(event, _PROCESS.clock()))

    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(lambda: asyncio.run(_execute(call, see, cancel)))
        try:
            while not work.done() or not events.empty():
                try:
                    yield events.get(timeout=HEARTBEAT_S)
                except Empty:
                    yield Heartbeat()
            yield _outcome(call.order, work)
        finally:
            cancel.cancel("owner")


async def _execute(
    call: Call, see: Callable[[Progress | JobPreview], None], cancel: CancelToken
) -> RawClip:
    if _PROCESS.executor is None:
        assert _PROCESS.factory is not None  # noqa: S101  # prepare() comes first
        see(Working(Stage.START, 0, 1, 0.0))
        _PROCESS.executor = _PROCESS.factory()
    if call.previews and isinstance(_PROCESS.executor, PreviewingExecutor):
        _PROCESS.executor.show_previews(lambda _, preview: see(preview))
    raw = await _PROCESS.executor.execute(call.order, see, cancel)
    _PROCESS.warm = True
    return raw


def _outcome(order: Order, work: "Future[RawClip]") -> LeasedClip | Failure:
    error = work.exception()
    if error is None:
        try:
            return _leased(order, work.result())
        except (OSError, MemoryError) as broken:  # the frames of a long clip are large
            error = broken
    if isinstance(error, SetupProblem):  # people are told less than the operator
        log.error("run_impossible", job_id=order.job_id, problem=str(error))
    return Failure.of(public_error(error, order.request, order.job_id))


def _leased(order: Order, raw: RawClip) -> LeasedClip:
    """Write frames and samples into the workspace.

    Raises:
        OSError: the disk is full.
        MemoryError: there is too little of it.
    """
    frames, samples = order.workspace / "frames.npy", order.workspace / "samples.npy"
    np.save(frames, raw.frames)
    if raw.sound is not None:
        np.save(samples, raw.sound.samples)
    return LeasedClip(
        frames,
        samples if raw.sound else None,
        raw.sound.rate if raw.sound else 0,
        raw.fps,
        raw.gpu_ms,
        raw.notes,
        raw.repeated,
        raw.lead_s,
        raw.prompt_used,
    )
