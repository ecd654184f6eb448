"""The seam to what makes frames: one method that all have, and what some can do beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from core.domain.media import MediaFile, RawClip
from core.domain.progress import ProgressSink, Stage
from core.domain.prompt_preview import PreviewSink
from core.domain.quota import LentMs
from core.domain.requests import Request
from core.runtime.cancellation import CancelToken


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt at one job, as an executor needs it."""

    job_id: str
    attempt: int
    request: Request  # with the words that the model is given
    media_folder: Path  # admitted inputs lie here under MediaFile.name
    workspace: Path  # empty folder of this attempt; the worker removes it
    shares: Mapping[Stage, float] = field(default_factory=dict[Stage, float])  # of the run; sum 1
    forbidden: tuple[str, ...] = ()  # words that no model may write for it
    requester: str = ""  # key of whose job it is; empty: nobody in particular
    asked: Request | None = None  # with the words that were typed; None: they are the same

    def path_of(self, file: MediaFile) -> Path:
        """Return where ``file`` lies."""
        return self.media_folder / file.name


class Executor(Protocol):
    """Turns an order into frames. One order at a time, unless it says otherwise."""

    @property
    def name(self) -> str:
        """Return ``comfy`` or ``draft``; goes into the clip's metadata."""
        ...

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Make the frames and sound of ``order``.

        Raises:
            GenerationFailed: with the reason; ``Cancelled`` within a second of a cancel.
        """
        ...

    async def close(self) -> None:
        """Release the device. Nothing is executed afterwards."""
        ...


@runtime_checkable
class WarmExecutor(Protocol):
    """An executor that keeps models loaded between orders."""

    @property
    def resident(self) -> str | None:
        """Return the model set that is loaded; None where none is."""
        ...

    def model_set(self, request: Request) -> str:
        """Return what ``request`` needs loaded: base files, LoRAs and their strengths."""
        ...


@runtime_checkable
class PreparingExecutor(Protocol):
    """An executor that can prepare the next order's inputs."""

    async def prepare(self, order: Order, cancel: CancelToken) -> None:
        """Do what needs no device and can be kept, while another order is executed.

        Called for one order at a time; the workspace does not exist yet. What fails here will
        fail again, and be told, when the order is executed.

        Raises:
            ClapperError: the order cannot be prepared, or ``cancel`` was called.
        """
        ...


@runtime_checkable
class StartableExecutor(Protocol):
    """An executor that takes long to start, and can do so before its first order.

    Starting may hold up the whole process, so it comes before anybody is connected to it.
    """

    async def warm_up(self) -> None:
        """Start now instead of with the first order.

        Raises:
            ComfyUnavailable: something that it needs is not installed.
        """
        ...


@runtime_checkable
class ParallelExecutor(Protocol):
    """An executor that executes several orders side by side, each on a device of its own."""

    @property
    def at_once(self) -> int:
        """Return how many; at least 1."""
        ...


def orders_at_once(executor: Executor) -> int:
    """Return how many orders ``executor`` takes side by side: one where it does not say."""
    return executor.at_once if isinstance(executor, ParallelExecutor) else 1


@runtime_checkable
class PreviewingExecutor(Protocol):
    """An executor that can show what it has made so far."""

    def show_previews(self, sink: PreviewSink) -> None:
        """Give ``sink`` pictures of every order from now on, at most two a second.

        Also the words that the model is given, once, where a language model writes them.
        Nothing of the clip depends on it, and no order is slower for it in a way that one notices.
        """
        ...


@runtime_checkable
class FetchingExecutor(Protocol):
    """An executor whose files are fetched before it has a device, so that nobody waits for them."""

    async def fetch(self, order: Order, on_progress: ProgressSink, cancel: CancelToken) -> None:
        """Have the model files of ``order``; while they are downloaded others get its device.

        Raises:
            ModelUnavailable: a file is missing and could not be obtained.
            Cancelled: ``cancel`` was called.
        """
        ...


@runtime_checkable
class LentExecutor(Protocol):
    """An executor whose device is lent by somebody who counts the seconds."""

    def lent_ms(self, job_id: str) -> LentMs | None:
        """Return what the lender counted for the attempt that just ended; None where nothing.

        The figure is given once. It holds for attempts that failed, too.
        """
        ...

    def lent_so_far_ms(self, job_id: str) -> int:
        """Return what the lender counted so far for the attempt that runs."""
        ...


def has_own_device(executor: Executor) -> bool:
    """Tell whether all orders use one device that is nobody else's."""
    return orders_at_once(executor) == 1 and not isinstance(executor, LentExecutor)
