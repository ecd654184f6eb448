"""One try at one job: what it holds, what it has seen, and how it may end."""

import errno
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

import structlog

from core.domain.jobs import Failure, Job
from core.domain.media import Clip
from core.domain.progress import Progress, Stage, Working
from core.errors import ClapperError, DiskFull, InternalError
from core.interfaces.executor import Order
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.worker.stage_timer import StageTimer

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, slots=True)
class Made:
    """It became a clip."""

    clip: Clip
    gpu_ms: int
    peak_bytes: int | None = None


class Again:
    """It goes back in line: the service stops, nothing is wrong with the job."""


Result: TypeAlias = Made | Failure | Again
log = structlog.get_logger(__name__)
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
OFF_DEVICE = frozenset({Stage.DOWNLOAD, Stage.LOAD, Stage.ENCODE})


@dataclass(frozen=True, slots=True)
class Ran:
    """What the book of runs wants to know of an attempt whose outcome is written."""

    job: Job
    gpu_ms: int
    stages: Mapping[Stage, float]  # seconds
    peak_bytes: int | None = None  # of device memory
    error: str | None = None  # code of the failure

    @classmethod
    def of(cls, job: Job, result: Made | Failure, stages: Mapping[Stage, float]) -> Self:
        """Return what to note of an attempt that ended with ``result``.

        A failed one counts the seconds of its stages on the device.
        """
        if isinstance(result, Made):
            return cls(job, result.gpu_ms, stages, result.peak_bytes)
        paid = sum(spent for stage, spent in stages.items() if stage not in OFF_DEVICE)
        return cls(job, round(paid * 1000), stages, error=result.code)


class Attempt:
    """The attempt that a claimed job stands for, until its outcome is written."""

    def __init__(self, job: Job, order: Order, dispatcher: LocalDispatcher) -> None:
        self.job = job
        self.token = job.token or ""
        self.order = order
        self.cancel = dispatcher.token_for(job.id)
        self.timer = StageTimer(time.monotonic)
        self.has_device = False
        self.has_encoder = False
        self.made_way = False  # another attempt was claimed, or may be
        self.way: asyncio.TimerHandle | None = None  # when it will make way
        self.begun: asyncio.Task[None] | None = None  # writes when it got the device
        self.left_behind = False  # its executor does not stop, and keeps the device
        self.rendered = False  # the device is done with it: a stop lets it be finished
        self.late = False
        self.over = False
        self._began_s = 0.0

    def takes_device(self) -> None:
        """Note when its work on the device begins."""
        self._began_s = time.monotonic()

    def left_s(self, event: Progress) -> float | None:
        """Return after how many seconds it should leave the device, at the pace so far.

        None in the first half, where nobody can tell.
        """
        if not isinstance(event, Working):
            return None
        whole = 1 - self.order.shares.get(Stage.ENCODE, 0.0)  # encoding happens elsewhere
        if event.fraction < whole / 2:
            return None
        return (time.monotonic() - self._began_s) * (whole / event.fraction - 1)

    def forget_way(self) -> None:
        """Do not make way when it was planned."""
        if self.way is not None:
            self.way.cancel()
            self.way = None

    def expire(self) -> None:
        """Stop because of the time limit."""
        self.late = True
        self.cancel.cancel("operator")

    def sink(self, hub: ProgressHub, event: Progress) -> None:
        """Publish ``event`` while the attempt is anybody's business."""
        self.timer.observe(event)
        if not self.over and not self.cancel.cancelled:
            hub.publish(self.job.id, event)


def understood(error: Exception, job_id: str) -> ClapperError:
    """Return what to tell of whatever broke an attempt at ``job_id``; the rest is logged."""
    if isinstance(error, ClapperError):
        log.info("attempt_failed", job_id=job_id, code=error.code)
        return error
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        log.error("disk_full", job_id=job_id)
        return DiskFull()
    log.error("attempt_broke", job_id=job_id, exc_info=error)
    return InternalError()
