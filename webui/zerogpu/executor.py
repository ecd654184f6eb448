# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The executor of a Space: sends each order to the borrowed GPU, in the name of its visitor."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import gradio as gr
import structlog

from core import errors
from core.domain.jobs import Failure
from core.domain.media import RawClip
from core.domain.progress import Downloading, Progress, ProgressSink, Waiting, Working
from core.duration import Machine, Tier, lease
from core.duration import estimate as estimate_on
from core.errors import Cancelled, ClapperError, GenerationFailed, InternalError
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from webui.zerogpu import lease as borrowed
from webui.zerogpu.errors import GpuTimeExceeded, GpuTokenExpired, GpuUnavailable, classify
from webui.zerogpu.lease import Call, LeasedClip, declared_s
from webui.zerogpu.request_context import RequestContext, RequestContexts

log = structlog.get_logger(__name__)

THREADS = 3  # for each GPU: one runs, others that were cancelled may still wait for the lender
STRETCH = 1.6  # of the declared time on the second try
Emit = Callable[[Progress], None]
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
        at_once: int = 1,
    ) -> None:
        """Take the name of the executor inside, and the device that is lent.

        Args:
            name: of the executor inside.
            machine: what is lent.
            contexts: in whose name.
            tier: of visitors of whom nobody said theirs.
            fetch: has the model files of an order before anything is lent for it.
            at_once: how many GPUs are borrowed side by side.
        """
        self._name = name
        self._machine = machine
        self._contexts = contexts
        self._tier = tier
        self._fetch = fetch
        self._at_once = at_once
        self._threads = ThreadPoolExecutor(THREADS * at_once, thread_name_prefix="lease")
        contexts.wanted = True

    @property
    def name(self) -> str:
        """Return the name of the executor inside."""
        return self._name

    @property
    def device(self) -> str:
        """Return which device is lent."""
        return self._machine.hardware.key

    @property
    def at_once(self) -> int:
        """Return how many GPUs are borrowed side by side."""
        return self._at_once

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

        def emit(event: Progress) -> None:
            loop.call_soon_threadsafe(on_progress, event)

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
        visitor = self._contexts.take(order.requester, cancel)
        call = Call(order, self._machine, visitor.tier or self._tier)
        try:
            return self._borrow(call, visitor, emit, cancel)
        except GpuTimeExceeded:
            larger = replace(call, stretch=STRETCH)
            if not self._affordable(call, larger):
                raise
            log.info("gpu_second_try", job_id=order.job_id, declared_s=declared_s(larger))
            visitor = self._contexts.take(order.requester, cancel)
            return self._borrow(larger, visitor, emit, cancel)

    def _borrow(
        self, call: Call, visitor: RequestContext, emit: Emit, cancel: CancelToken
    ) -> RawClip:
        """Borrow the GPU in the name of ``visitor``, once more where their token has aged.

        Raises:
            GpuPageClosed: they have left meanwhile.
            GpuTokenExpired: the lender does not take their newest token either.
        """
        try:
            return visitor.context().run(self._run, call, emit, cancel)
        except GpuTokenExpired:  # nothing was borrowed
            log.info("gpu_token_aged", job_id=call.order.job_id)
            newer = self._contexts.take(call.order.requester, cancel, after=visitor)
            return newer.context().run(self._run, call, emit, cancel)

    def _affordable(self, first: Call, second: Call) -> bool:
        """Return whether the day holds both tries, the second one really longer."""
        limit = lease(
            estimate_on(first.order.request, self._machine), self._machine, first.tier
        ).limit_s
        one, two = declared_s(first), declared_s(second)
        return two > one and one + two <= limit

    def _run(self, call: Call, emit: Emit, cancel: CancelToken) -> RawClip:
        """Borrow the GPU once.

        Raises:
            Cancelled: in time.
            GpuUnavailable: the lender does not answer as it should.
            classify: what the lender's own error means.
            error_of: what went wrong in the run.
        """
        whole = self._machine.hardware.zerogpu == "xlarge"
        began = 0.0
        events = (borrowed.on_xlarge if whole else borrowed.on_large)(call)
        try:
            for item in events:
                began = began or time.monotonic()
                cancel.raise_if_cancelled()
                if isinstance(item, LeasedClip):
                    return item.clip()
                if isinstance(item, Failure):
                    raise error_of(item)
                if isinstance(item, Working | Downloading | Waiting):
                    emit(item)
        except gr.Error as error:
            declared = declared_s(call)
            spent = time.monotonic() - began if began else 0.0
            granted = declared * (1.0 if whole else 1.5)
            log.info("gpu_refused", job_id=call.order.job_id, title=error.title)
            message = str(error.message)
            raise classify(str(error.title), message, declared, spent, granted) from None
        except RuntimeError as error:
            log.warning("gpu_lender_failed", job_id=call.order.job_id, reason=str(error)[:80])
            raise GpuUnavailable from None
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()
        raise Cancelled("shutdown")


def error_of(failure: Failure) -> ClapperError:
    """Rebuild the error that ``failure`` was stored of."""
    for kind in vars(errors).values():
        known = isinstance(kind, type) and issubclass(kind, GenerationFailed)
        if known and kind.code == failure.code:
            return kind(**failure.data)
    return InternalError()


def _seen(running: "asyncio.Future[RawClip]") -> None:
    if not running.cancelled():
        running.exception()
