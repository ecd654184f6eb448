"""Test doubles that ship: an executor, a delivery and a clock that do what a test tells them.

They keep the promises of what they stand for, so a test that passes with them means something.
"""

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.demo.samples import tone
from core.domain.clip_preview import ClipPreview
from core.domain.jobs import Failure, Job
from core.domain.media import Clip, RawClip
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.progress import Progress, ProgressSink, Stage, Working
from core.domain.prompt_preview import JobPreview, PreviewSink
from core.domain.requests import Request, Sampling
from core.errors import DeliveryRetry
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.interfaces.executor import Order
from core.media.output.preview_picture import preview_of
from core.runtime.cancellation import CancelToken

if TYPE_CHECKING:
    from core.app.core import Core


class ManualClock:
    """Epoch milliseconds that only move when told to."""

    def __init__(self, at_ms: int = 1_700_000_000_000) -> None:
        self.at_ms = at_ms

    def __call__(self) -> int:
        """Return the time, epoch milliseconds."""
        return self.at_ms

    def forward(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.at_ms += round(seconds * 1000)


class QuickExecutor:
    """Grey frames at once, or what the test asks for.

    ``faults`` are raised by the next orders, one each. While ``gate`` is clear a run stands still,
    cancellable; ``started`` is set as soon as one stands there.
    """

    name = "quick"

    def __init__(self, gpu_ms: int = 100) -> None:
        self.gpu_ms = gpu_ms
        self.faults: deque[Exception] = deque()
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = asyncio.Event()
        self.orders: list[Order] = []
        self.looks: PreviewSink | None = None  # who sees previews

    def show_previews(self, sink: PreviewSink) -> None:
        """Give ``sink`` what :meth:`show` is given."""
        self.looks = sink

    def show(self, preview: JobPreview) -> None:
        """Show what the newest order has come to, to whoever looks."""
        if self.looks is not None:
            self.looks(self.orders[-1].job_id, preview)

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Make grey frames of the right size and length, and a quiet tone.

        Raises:
            Cancelled: at once when ``cancel`` is.
        """
        self.orders.append(order)
        self.started.set()
        on_progress(Working(Stage.STAGE1, 0, 1, 0.1))
        opened, stopped = (
            asyncio.create_task(event) for event in (self.gate.wait(), cancel.wait())
        )
        await asyncio.wait({opened, stopped}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        stopped.cancel()
        cancel.raise_if_cancelled()
        if self.faults:
            raise self.faults.popleft()
        return grey_clip(order.request.sampling, self.gpu_ms)

    async def close(self) -> None:
        """Do nothing: there is no device."""


def grey_preview(grey: int = 128, moments: int = 3) -> ClipPreview:
    """Make a preview of nothing but ``grey`` (0…255)."""
    return preview_of(np.full((moments, 36, 64, 3), grey, np.uint8))


@dataclass
class RecordedMessage:
    """One message that :class:`RecordingDelivery` shows."""

    job_id: str
    kind: str  # "completed" or the failure's code
    attempts: int = 1
    sha256: str = ""


@dataclass
class RecordingDelivery:
    """A platform in memory that looks before it posts, but only where an attempt is ambiguous.

    ``faults`` are raised by the next calls: DeliveryRetry with ``sent`` is raised after the message
    was stored, any other before. ``book`` is an append-only file that outlives a killed process;
    it is synced before a call returns, and read at the start.
    """

    platform: str = "test"
    book: Path | None = None
    faults: deque[Exception] = field(default_factory=deque[Exception])
    shown: dict[str, RecordedMessage] = field(
        default_factory=dict[str, RecordedMessage]
    )  # by nonce
    events: list[tuple[str, Progress]] = field(default_factory=list[tuple[str, Progress]])
    news: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)  # clear: results stand still

    def __post_init__(self) -> None:
        self.gate.set()
        if self.book is not None and self.book.exists():
            for line in self.book.read_text("utf-8").splitlines():
                entry = json.loads(line)
                nonce = entry.pop("nonce")
                self.shown[nonce] = RecordedMessage(**entry)

    def of(self, job_id: str) -> list[RecordedMessage]:
        """Return the messages about ``job_id``."""
        return [message for message in self.shown.values() if message.job_id == job_id]

    async def until(self, count: int) -> None:
        """Wait until ``count`` messages are shown."""
        while len(self.shown) < count:
            self.news.clear()
            await self.news.wait()

    async def progress(self, job: Job, event: Progress) -> None:
        """Remember the event."""
        self.events.append((job.id, event))

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Show the clip.

        Raises:
            DeliveryRetry: as told.
            DeliveryImpossible: as told.
        """
        return await self._show(attempt, RecordedMessage(job.id, "completed", sha256=clip.sha256))

    async def drafts(self, jobs: Sequence[Job], attempt: DeliveryAttempt) -> Receipt:
        """Show the drafts of a group in one message, under the id of the first.

        Raises:
            DeliveryRetry: as told.
            DeliveryImpossible: as told.
        """
        kinds = ("draft" if job.clip else (job.failure or Failure("gone")).code for job in jobs)
        return await self._show(attempt, RecordedMessage(jobs[0].id, " ".join(kinds)))

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Show the failure.

        Raises:
            DeliveryRetry: as told.
            DeliveryImpossible: as told.
        """
        return await self._show(attempt, RecordedMessage(job.id, failure.code))

    async def _show(self, attempt: DeliveryAttempt, message: RecordedMessage) -> Receipt:
        await self.gate.wait()
        fault = self.faults.popleft() if self.faults else None
        if fault is not None and not (isinstance(fault, DeliveryRetry) and fault.sent):
            raise fault
        known = self.shown.get(attempt.nonce)
        if known is not None and attempt.ambiguous:
            known.attempts += 1
        else:
            key = attempt.nonce if known is None else f"{attempt.nonce} again {len(self.shown)}"
            if self.book is not None:
                _append(self.book, {"nonce": key, **asdict(message)})
            self.shown[key] = message
        self.news.set()
        if fault is not None:
            raise fault
        return Receipt(f"{self.platform}-{attempt.nonce}")


def _append(book: Path, entry: dict[str, object]) -> None:
    with book.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
        file.flush()
        os.fsync(file.fileno())


@asynccontextmanager
async def running(core: "Core") -> AsyncGenerator[asyncio.Event]:
    """Let ``core`` work inside the block; gives the event that stops it earlier."""
    stop = asyncio.Event()
    work = asyncio.create_task(core.run(stop))
    await asyncio.sleep(0)  # it opens the intake first
    try:
        yield stop
    finally:
        stop.set()
        await work


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    """Look every 10 ms until ``holds``; for what no event tells.

    Args:
        holds: what is looked at.
        within_s: of pauses between looks; the looks themselves do not count, so that a busy machine
            gets as many as an idle one.

    Raises:
        TimeoutError: it never did.
    """
    for _ in range(round(within_s * 100)):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def tiny(frames: int = 9, side: int = 64, seed: int = 1) -> Sampling:
    """Make the smallest sampling that a clip can have."""
    return Sampling(Preset.FAST, side, side, frames, fps=24, seed=seed)


def t2v(prompt: str = "a red kite over the sea", seed: int = 1) -> Request:
    """Make a tiny request."""
    return Request(mode=Mode.T2V, prompt=prompt, sampling=tiny(seed=seed))


def grey_clip(sampling: Sampling, gpu_ms: int = 1000, *, with_sound: bool = True) -> RawClip:
    """Make what an executor could have made for ``sampling``: frames ``[T, H, W, 3] uint8``."""
    shade = np.linspace(40, 200, sampling.frames, dtype=np.uint8)
    shape = (sampling.frames, sampling.height, sampling.width, 3)
    frames = np.broadcast_to(shade[:, None, None, None], shape).copy()
    sound = tone(sampling.seconds) if with_sound else None
    return RawClip(frames, sampling.fps, sound, gpu_ms, {"executor": "draft"})
