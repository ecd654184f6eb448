"""The executor of a Space: sends each order to the borrowed GPU, in the name of its visitor."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from core.domain.clip_preview import ClipPreview
from core.domain.media import RawClip
from core.domain.progress import Progress, ProgressSink
from core.domain.prompt_preview import JobPreview, PreviewSink, PromptPreview
from core.domain.quota import LentMs
from core.duration import COLD, Machine, Tier, WorkerState, hardware_for, ready_seconds
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.service.estimator import RunBook
from webui.zerogpu.lease import WorkerReport
from webui.zerogpu.planning import CallLimits, Plan
from webui.zerogpu.request_context import Borrower, RequestContexts
from webui.zerogpu.tries import Emit, Tries
from webui.zerogpu.workers import Workers

log = structlog.get_logger(__name__)

THREADS = 3  # for each GPU: one runs, others that were cancelled may still wait for the lender
Fetch = Callable[[Order, ProgressSink, CancelToken], Awaitable[None]]


class LeasedExecutor:
    """Implements :class:`core.interfaces.executor.Executor` with :mod:`webui.zerogpu.lease`."""

    def __init__(
        self,
        name: str,
        machine: Machine,
        contexts: RequestContexts,
        tier: Tier,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.monotonic,
        at_once: int = 1,
    ) -> None:
        """Take the name of the executor inside, and the device that is lent.

        Args:
            name: of the executor inside.
            machine: what is lent.
            contexts: in whose name.
            tier: of visitors of whom nobody said theirs.
            fetch: has the model files of an order before anything is lent for it.
            clock: tells the seconds that workers were told to count by, too.
            at_once: how many GPUs are borrowed side by side.
        """
        self._name = name
        self.machine = machine
        self._contexts = contexts
        self._tier = tier
        self._fetch = fetch
        self._clock = clock
        self.at_once = at_once  # GPUs that are borrowed side by side
        self._threads = ThreadPoolExecutor(THREADS * at_once, thread_name_prefix="loan")
        self._workers = Workers(clock)
        self._limits = CallLimits()
        self._lock = threading.Lock()
        self._tries: dict[str, Tries] = {}  # of every job that is not settled yet
        self.worker_state: Callable[[], WorkerState] = lambda: COLD  # of a new worker, now
        self._runs: RunBook | None = None
        self._show: PreviewSink | None = None
        contexts.wanted = True

    @property
    def name(self) -> str:
        """Return the name of the executor inside."""
        return self._name

    @property
    def device(self) -> str:
        """Return which device is lent."""
        return self.machine.hardware.key

    def ready_s(self) -> float:
        """Estimate the seconds from a loan to its first step on a new worker, as known now."""
        return ready_seconds(self._machine_now(), self.worker_state())

    def follow(self, runs: RunBook) -> None:
        """Estimate as ``runs`` teach, and tell them which device is lent and how it starts."""
        self._runs = runs
        runs.ready_s = self.ready_s

    def show_previews(self, sink: PreviewSink) -> None:
        """Give ``sink`` what the executor inside shows, from now on."""
        self._show = sink

    def lent_ms(self, job_id: str) -> LentMs | None:
        """Return for how long the GPU was lent for ``job_id``, and forget it; None where never."""
        with self._lock:
            tries = self._tries.pop(job_id, None)
        counted_ms = 0 if tries is None else round(tries.counted_s * 1000)
        return LentMs(counted_ms) if counted_ms else None

    def lent_so_far_ms(self, job_id: str) -> int:
        """Return for how long a GPU was lent for ``job_id`` until now."""
        with self._lock:
            tries = self._tries.get(job_id)
        return 0 if tries is None else round(tries.counted_s * 1000)

    async def fetch(self, order: Order, on_progress: ProgressSink, cancel: CancelToken) -> None:
        """Have the model files of ``order``.

        Raises:
            ModelUnavailable: a file is missing and could not be obtained.
        """
        if self._fetch is not None:
            await self._fetch(order, on_progress, cancel)

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Make the frames and sound of ``order``.

        Raises:
            GenerationFailed: with the reason; ``Cancelled`` within a second of a cancel.
        """
        loop = asyncio.get_running_loop()

        def emit(event: Progress | JobPreview) -> None:
            if not isinstance(event, (ClipPreview, PromptPreview)):
                loop.call_soon_threadsafe(on_progress, event)
            elif self._show is not None:
                loop.call_soon_threadsafe(self._show, order.job_id, event)

        running = loop.run_in_executor(self._threads, self._drive, order, emit, cancel)
        stop = asyncio.ensure_future(cancel.wait())
        try:
            await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await asyncio.wait({running}, timeout=0.8)
        finally:
            stop.cancel()
            running.add_done_callback(_seen)
        if not running.done():  # still waiting for a GPU; it lets go as soon as it hears
            cancel.raise_if_cancelled()
        return await running

    async def close(self) -> None:
        """Begin nothing more; every GPU is given back after its run."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _drive(self, order: Order, emit: Emit, cancel: CancelToken) -> RawClip:
        machine = self._machine_now()
        borrower = Borrower(self._contexts, order.requester, cancel)
        tier = borrower.visitor().tier or self._tier
        shown = self._show is not None
        plan = Plan(order, machine, tier, self._limits, self.worker_state(), previews=shown)
        tries = Tries(plan, self._workers, emit, cancel, self._look_at, self._clock)
        with self._lock:
            self._tries[order.job_id] = tries
        return tries.run(borrower)

    def _look_at(self, report: WorkerReport) -> None:
        """Take the device that was really lent for the one that later jobs get."""
        if not report.device:
            return
        found = hardware_for(report.device, report.memory_bytes or None)
        if not found.known or found == self.machine.hardware:
            return
        found = replace(found, zerogpu=self.machine.hardware.zerogpu)  # asked for by that name
        if found != self.machine.hardware:
            log.info("gpu_seen", device=report.device, memory_bytes=report.memory_bytes)
            self.machine = replace(self.machine, hardware=found)
            if self._runs is not None:
                self._runs.machine = replace(self._runs.machine, hardware=found)

    def _machine_now(self) -> Machine:
        return self.machine if self._runs is None else self._runs.machine


def _seen(running: "asyncio.Future[RawClip]") -> None:
    if not running.cancelled():
        running.exception()
