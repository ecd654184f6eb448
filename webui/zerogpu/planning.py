"""How many seconds to declare for a try, from what is known of the worker and of tries before."""

import threading
from dataclasses import dataclass, field, replace

from core.domain.limits import RequestLimits
from core.duration import (
    COLD,
    Estimate,
    GpuSize,
    LoanTerms,
    Machine,
    Tier,
    WorkerState,
    estimate,
    largest_fitting,
    lease_for,
    ready_seconds,
    setting_to_type,
)
from core.duration.zerogpu import DAY_S, median_budget_ms
from core.interfaces.executor import Order
from webui.zerogpu.errors import GpuCallTooLong, GpuDurationIllegal
from webui.zerogpu.lease import Call
from webui.zerogpu.loan_record import LoanRecord
from webui.zerogpu.platform import loan_of

MARGIN = 1.15  # of what the pace of a cut-off try predicts
# seconds of the day in one call, tried downwards once a longer one was refused; the lender tells
# no figure, and 120 and 240 were seen in use
STEPS_S = (1800, 1200, 900, 600, 480, 360, 300, 240, 180, 120, 90, 60)


class CallLimits:
    """The longest call of each tier, learnt from refusals. It lasts as long as the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._most_s: dict[Tier, float] = {}

    def most_s(self, tier: Tier) -> float | None:
        """Return the counted seconds that one call of ``tier`` may have; None: not known."""
        with self._lock:
            return self._most_s.get(tier)

    def refused(self, tier: Tier, counted_s: float) -> float:
        """Note that ``counted_s`` were too many, and return what to try next; 0 for nothing."""
        lower = next((float(step) for step in STEPS_S if step < counted_s), 0.0)
        with self._lock:
            self._most_s[tier] = min(lower, self._most_s.get(tier, lower))
            return self._most_s[tier]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one job may borrow, and needs."""

    order: Order
    machine: Machine
    tier: Tier
    limits: CallLimits
    worker: WorkerState = COLD  # a new one, as far as it is prepared
    spent_s: float = 0.0  # of the visitor's day, by tries before
    previews: bool = False
    answer: Estimate = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "answer", estimate(self.order.request, self.machine))

    @property
    def loan(self) -> GpuSize:
        """Return the factors of what is lent."""
        return loan_of(self.machine.hardware.zerogpu)

    @property
    def terms(self) -> LoanTerms:
        """Return the visitor's terms, as known now."""
        left_s = max(0.0, DAY_S[self.tier] - self.spent_s)
        return LoanTerms(self.tier, self.loan, left_s, self.limits.most_s(self.tier))

    def call(self, *, warm: bool) -> Call:
        """Return the first try, or the one after a warm worker was expected in vain.

        Raises:
            GpuCallTooLong: no call may last as long as one of two such jobs takes.
        """
        ready_s = ready_seconds(self.machine, replace(self.worker, warm=warm))
        found = self._call(self.answer.p95_ms / 1000 + ready_s)
        least_s = self.answer.gpu_ms / 1000 + ready_s
        if self.terms.call_s is not None and found.granted_s < least_s:
            raise self.too_long(found.granted_s * self.loan.counted)
        if not warm:
            return found
        return replace(found, cold_s=least_s - ready_s + ready_seconds(self.machine, self.worker))

    def longer(self, tried: LoanRecord) -> Call | None:
        """Return the try after one that was cut off; None where the day does not hold it.

        What it needs is told by how far the first one got: by its pace where it made steps, by the
        time that its start had already taken where it did not.
        """
        planned_s = ready_seconds(self.machine, self.worker)
        run_s = tried.run_s()
        if tried.ready_s is None:
            ready_s, run_s = max(planned_s, 2 * tried.spent_s), self.answer.p95_ms / 1000
        else:
            ready_s = max(planned_s, tried.ready_s)  # the worker was killed: the next one is new
            at_least_s = max(self.answer.p95_ms / 1000, tried.spent_s - tried.ready_s)
            run_s = at_least_s if run_s is None else run_s * MARGIN
        found = self._call(ready_s + run_s)
        needs_s = ready_s + run_s / MARGIN
        return found if found.granted_s >= max(needs_s, tried.granted_s) else None

    def _call(self, needed_s: float) -> Call:
        asked = lease_for(needed_s, self.machine, self.terms)
        granted_s = asked.declared_s * self.loan.factor
        return Call(self.order, asked.declared_s, granted_s, previews=self.previews)

    def too_long(self, declared_s: float) -> GpuDurationIllegal | GpuCallTooLong:
        """Return what to say where ``declared_s`` counted seconds are more than one call may be."""
        limits = RequestLimits()
        ready_s = ready_seconds(self.machine, self.worker)
        budget_ms = median_budget_ms(self.machine, self.terms, ready_s)
        request = self.order.request
        fits = largest_fitting(request, budget_ms, self.machine, limits)
        most_s = round(self.terms.call_s or 0)
        if fits is None:
            return GpuDurationIllegal(round(declared_s))
        return GpuCallTooLong(most_s, **setting_to_type(fits, limits)._asdict())
