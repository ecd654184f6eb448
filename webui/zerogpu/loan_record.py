"""One loan of a GPU as its borrower sees it: when it began, how far the run got, what it costs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core.domain.progress import Stage, Working
from webui.zerogpu.lease import Seen, WorkerReport

_STARTING = frozenset({Stage.DOWNLOAD, Stage.START, Stage.LOAD})
_TELLING = 0.05  # of the run: before that its pace says little


@dataclass(slots=True)
class LoanRecord:
    """What is known of one loan; times are seconds of the monotonic clock, the same for forks."""

    granted_s: float
    counted: float = 1.0  # seconds of the visitor's day ÷ seconds lent
    on_device: float = 1.0  # share (0…1) of the whole job that runs on the device
    clock: Callable[[], float] = time.monotonic  # seconds
    asked: float = field(init=False)
    began: float | None = None
    ended: float | None = None
    stepped: float | None = None  # when the first step after the models were loaded was seen
    fraction: float = 0.0  # of the run on the device
    report: WorkerReport | None = None

    def __post_init__(self) -> None:
        self.asked = self.clock()

    def meet(self, report: WorkerReport) -> None:
        """Take in what the worker says of itself."""
        self.report, self.began = report, report.began

    def observe(self, seen: Seen) -> None:
        """Take in how far the run is."""
        event = seen.event
        if not isinstance(event, Working) or event.stage in _STARTING:
            return
        if self.stepped is None:
            self.stepped = seen.at
        self.fraction = max(self.fraction, min(1.0, event.fraction / max(self.on_device, 0.01)))

    def end(self, *, lent: bool) -> None:
        """Note the end; ``lent`` where a GPU was lent although no worker came to report it."""
        if self.ended is None:
            self.ended = self.clock()
            if lent and self.began is None:
                self.began = max(self.asked, self.ended - self.granted_s)

    @property
    def spent_s(self) -> float:
        """Return the seconds that it lasted so far; the lender ends it after those granted."""
        if self.began is None:
            return 0.0
        now = self.clock() if self.ended is None else self.ended
        return max(0.0, min(now - self.began, self.granted_s))

    @property
    def counted_s(self) -> float:
        """Return what the visitor's day loses by it."""
        return self.spent_s * self.counted

    @property
    def ready_s(self) -> float | None:
        """Return the seconds until the first step; None where it never came."""
        if self.stepped is None or self.began is None:
            return None
        return self.stepped - self.began

    def run_s(self) -> float | None:
        """Predict the seconds that the whole run takes on the device, at the pace so far.

        Returns:
            None where it did not get far enough to tell.
        """
        if self.ready_s is None or self.fraction < _TELLING:
            return None
        return (self.spent_s - self.ready_s) / self.fraction
