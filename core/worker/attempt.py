"""One attempt at one job: how far it is, how fast it goes, and how it may end."""

import errno
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

import structlog

from core.domain.jobs import Failure, Job, RequeueReason
from core.domain.media import Clip
from core.domain.progress import Progress, Stage, Working
from core.domain.prompt_preview import JobPreview
from core.domain.requests import Request
from core.errors import ClapperError, DeviceLost, DiskFull, InternalError, OutOfMemory
from core.runtime.device_errors import is_device_lost
from core.runtime.full_disk import NO_ROOM
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.worker.stage_timer import StageTimer

if TYPE_CHECKING:
    import asyncio

    from core.domain.quota import LentMs


@dataclass(frozen=True, slots=True)
class AttemptSucceeded:
    """The attempt made a clip."""

    clip: Clip
    gpu_ms: int
    peak_bytes: int | None = None  # of device memory


@dataclass(frozen=True, slots=True)
class Requeue:
    """The job goes back to the queue; where the service stops, nothing is wrong with the job."""

    why: RequeueReason = RequeueReason.STOPPED


AttemptResult: TypeAlias = AttemptSucceeded | Failure | Requeue
log = structlog.get_logger(__name__)

STEPS = frozenset({Stage.STAGE1, Stage.UPSCALE, Stage.STAGE2, Stage.DECODE, Stage.ENCODE})
OFF_DEVICE = frozenset({Stage.DOWNLOAD, Stage.START, Stage.LOAD, Stage.ENCODE})


class Phase(Enum):
    """How far an attempt is; it only goes forward, and may skip."""

    WAITING = auto()  # claimed; another attempt has the device
    EXECUTING = auto()  # has the device
    FINISHING = auto()  # its frames are made: waits for the encoder, or is there
    SETTLING = auto()  # its outcome is being written; progress is not published any more


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What the run history stores of an attempt whose outcome is written."""

    job: Job
    gpu_ms: int
    stages: Mapping[Stage, float]  # seconds
    peak_bytes: int | None = None  # of device memory
    error: str | None = None  # code of the failure

    @classmethod
    def of(
        cls, job: Job, result: AttemptSucceeded | Failure, stages: Mapping[Stage, float]
    ) -> Self:
        """Build the record of an attempt that ended with ``result``.

        A failed attempt counts the seconds of its stages on the device.
        """
        if isinstance(result, AttemptSucceeded):
            return cls(job, result.gpu_ms, stages, result.peak_bytes)
        paid = sum(spent for stage, spent in stages.items() if stage not in OFF_DEVICE)
        return cls(job, round(paid * 1000), stages, error=result.code)


class JobAttempt:
    """The attempt at a claimed job, until its outcome is written."""

    def __init__(self, job: Job, workspace: Path, dispatcher: LocalDispatcher) -> None:
        self.job = job
        self.token = job.token or ""
        self.workspace = workspace
        self.shares: Mapping[Stage, float] = {}  # of the run, once its order is made
        self.stepped = False  # the model made a first step
        self.limit_s = 0.0  # of the part that runs now
        self.lent_so_far_ms: Callable[[], int] | None = None  # where a lender counts
        self.lent_ms: LentMs | None = None  # once it is over
        self.cancel = dispatcher.token_for(job.id)
        self.timer = StageTimer(time.monotonic)
        dispatcher.meter(job.id, self.off_device_ms)
        self.start_noted: asyncio.Task[None] | None = None  # writes when it got the device
        self.waits_alone = False  # has a device, and waits until nobody else has one
        self._phase = Phase.WAITING
        self._started_s = 0.0

    @property
    def suspect(self) -> bool:
        """Tell whether a process was lost with the job before, so that it runs alone."""
        return self.job.losses > 0

    def must_wait_for(self, other: "JobAttempt") -> bool:
        """Tell whether ``other`` has to be over first, as one of both runs alone."""
        if other.phase in (Phase.EXECUTING, Phase.FINISHING):
            return self.suspect or other.suspect
        return other.waits_alone and not self.suspect and other.phase is Phase.WAITING

    @property
    def phase(self) -> Phase:
        """Return how far the attempt is."""
        return self._phase

    def enter(self, phase: Phase) -> None:
        """Go on to ``phase``; the time on the device counts from ``EXECUTING`` on."""
        self._phase = phase
        if phase is Phase.EXECUTING:
            self._started_s = time.monotonic()

    def off_device_ms(self) -> int:
        """Measure what the attempt spent so far on downloads, loading and encoding: not theirs.

        Where a lender counts, it is all but what was counted; less than nothing where that is more
        than the time that went by.
        """
        if self.lent_so_far_ms is not None:
            counted_ms = self.lent_so_far_ms() if self.lent_ms is None else self.lent_ms
            return round((time.monotonic() - self._started_s) * 1000) - counted_ms
        return round(self.timer.spent_in(OFF_DEVICE) * 1000)

    def left_s(self, event: Progress) -> float | None:
        """Predict the seconds until the attempt leaves the device, at the pace so far.

        Returns:
            None in the first half, where the pace says nothing yet.
        """
        if not isinstance(event, Working):
            return None
        whole = 1 - self.shares.get(Stage.ENCODE, 0.0)  # encoding happens elsewhere
        if event.fraction < whole / 2:
            return None
        return (time.monotonic() - self._started_s) * (whole / event.fraction - 1)

    def expected_left_s(self, event: Progress | None) -> float:
        """Predict the seconds until its clip is made: at the pace so far, else by the estimate."""
        spent_s = time.monotonic() - self._started_s
        if isinstance(event, Working) and event.fraction > 0:
            left_s = self.left_s(event)
            if left_s is not None:
                ending = self.shares.get(Stage.ENCODE, 0.0)
                return left_s + spent_s * ending / event.fraction
        return max(0.0, self.job.estimate_ms / 1000 - spent_s)

    def publish(self, hub: ProgressHub, event: Progress) -> None:
        """Time the stages by ``event``, and publish it unless the attempt is cancelled or over."""
        self.timer.observe(event)
        if isinstance(event, Working) and event.stage in STEPS and event.step > 0:
            self.stepped = True
        if self._phase is not Phase.SETTLING and not self.cancel.cancelled:
            hub.publish(self.job.id, event, self.job.attempt)

    def show(self, hub: ProgressHub, preview: JobPreview) -> None:
        """Show what the attempt has made so far, unless it is cancelled or over."""
        if self._phase is Phase.EXECUTING and not self.cancel.cancelled:
            hub.show(self.job.id, preview, self.job.attempt)


def public_error(error: BaseException, request: Request, job_id: str) -> ClapperError:
    """Choose what to tell people of ``error``, which broke an attempt at a job; log the rest."""
    if isinstance(error, ClapperError):
        log.info("attempt_failed", job_id=job_id, code=error.code)
        return error
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        log.error("disk_full", job_id=job_id)
        return DiskFull()
    log.error("attempt_broke", job_id=job_id, exc_info=error)
    if is_device_lost(error):
        return DeviceLost()
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        sampling = request.sampling
        return OutOfMemory(sampling.width, sampling.height, sampling.frames)
    return InternalError()
