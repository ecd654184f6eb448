"""What the service shows of the queue and of itself, and what it checks by itself."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from core.domain.jobs import Forecast, Job
from core.domain.limits import MEGABYTE, RequestLimits
from core.queue.forecasts import Standing

__all__ = ["FIGURES_TYPE", "QueueView", "QueuedJob", "ServiceHealth", "ServiceRules", "Standing"]

FIGURES_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # as Prometheus reads them


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """One live job of the caller, and when it should be ready."""

    job: Job
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class QueueView:
    """What one caller may know of the queue: how long it is, and where their own jobs are."""

    running: int
    waiting: int
    mine: tuple[QueuedJob, ...]  # running first, then in the order they will run


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """What an operator looks at first."""

    # "open", "paused", "draining", "disk" where too little of it is free, or "device" where that is
    # lost and the service about to start anew
    intake: str
    running: int
    waiting: int
    data_dir: Path
    free_bytes: int


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """The limits that the service checks by itself."""

    limits: RequestLimits
    data_dir: Path
    min_free_megabytes: float  # decimal; intake is closed below

    def free_bytes(self) -> int:
        """Return what is free on the disk of the data directory."""
        return shutil.disk_usage(self.data_dir).free

    def has_room(self, size_bytes: int = 0) -> bool:
        """Return whether, after ``size_bytes`` more, as much is free as accepted jobs may need."""
        return self.free_bytes() - size_bytes >= self.least_bytes

    @property
    def least_bytes(self) -> float:
        """Return what has to be free, or no jobs are accepted."""
        return self.min_free_megabytes * MEGABYTE


def told_intake(switch: str, *, has_room: bool, device_lost: bool) -> str:
    """Return what to say of the intake: a lost device counts before a full disk."""
    if device_lost:
        return "device"
    return "disk" if switch == "open" and not has_room else switch
