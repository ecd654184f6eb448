"""Where one account stands, at one moment: its live jobs, what goes before them, what it may spend.

Read in one transaction (:meth:`core.queue.job_queue.JobQueue.standing`). Forecasts are made from
it without reading again: between two changes of the line, only the time that running jobs have had
moves on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.fairness import Ahead, Load, forecast
from core.domain.jobs import Forecast, Job, QuotaView
from core.domain.people import Requester
from core.storage.job_queries import LineCounts


@dataclass(frozen=True, slots=True)
class Started:
    """A job that is running: when it got the device (epoch ms, None: it has not), and its load."""

    at_ms: int | None
    load: Load

    def rest(self, now: int) -> Load:
        """Return what is left of it at ``now``."""
        spent = 0 if self.at_ms is None else max(0, now - self.at_ms)
        return Load(max(0, self.load.left_ms - spent), self.load.spread_ms)


@dataclass(frozen=True, slots=True)
class Line:
    """What decides when some jobs are ready."""

    running: Mapping[str, Started]  # everybody's, by job
    waiting: Mapping[str, tuple[Load, Ahead]]  # some jobs, each with what goes before it
    slots: int  # devices

    def forecast(self, job_id: str, now: int) -> Forecast | None:
        """Return when one of the jobs should be ready; None for any other."""
        if started := self.running.get(job_id):
            rest = started.rest(now)
            left, late = rest.left_ms / 1000, rest.spread_ms / 1000
            return Forecast(0, left, left + late)
        if job_id not in self.waiting:
            return None
        own, ahead = self.waiting[job_id]
        running = [started.rest(now) for started in self.running.values()]
        return forecast(own, ahead, running, self.slots)


@dataclass(frozen=True, slots=True)
class Standing:
    """One account, and its part of the line."""

    account: Requester
    jobs: tuple[Job, ...]  # live ones: running first, then in the order they run
    counts: LineCounts
    quota: QuotaView
    line: Line
