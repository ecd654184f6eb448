"""Compute what to ask ZeroGPU for: seconds as it wants them declared, and as it counts them.

A declared duration is multiplied by the size's factor before it is granted, and what was granted is
taken from the visitor's day, doubled for a whole card. All figures as of November 2026.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from core.duration.estimates import Estimate
from core.duration.machine import Machine
from core.duration.worker_start import ready_seconds


class Tier(StrEnum):
    """Who the visitor is to the service."""

    ANONYMOUS = "anonymous"
    FREE = "free"
    PRO = "pro"
    TEAM = "team"
    ENTERPRISE = "enterprise"


DAY_S: dict[Tier, int] = {
    Tier.ANONYMOUS: 120,
    Tier.FREE: 300,
    Tier.PRO: 2400,
    Tier.TEAM: 2400,
    Tier.ENTERPRISE: 3600,
}  # GPU seconds in 24 hours


@dataclass(frozen=True, slots=True)
class GpuSize:
    """One size of GPU that ZeroGPU lends."""

    factor: float = 1.0  # granted ÷ declared seconds
    counted: float = 1.0  # seconds of the day ÷ granted seconds


LOANS: dict[str, GpuSize] = {
    "h200": GpuSize(),
    "large": GpuSize(factor=1.5),
    "xlarge": GpuSize(counted=2.0),
}


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """What a visitor may borrow; None stands for what is not known."""

    tier: Tier = Tier.PRO
    loan: GpuSize | None = None  # as the lender's package says; else as of the table
    left_s: float | None = None  # of the visitor's day; else the whole day
    call_s: float | None = None  # in one call at most, as the day counts

    def loan_of(self, machine: Machine) -> GpuSize:
        """Return the factors of what ``machine`` is lent as."""
        return self.loan or LOANS.get(machine.hardware.zerogpu, GpuSize())

    @property
    def most_s(self) -> float:
        """Return the seconds of the day that one call may count."""
        allowed = [DAY_S[self.tier], self.left_s, self.call_s]
        return max(0.0, min(seconds for seconds in allowed if seconds is not None))


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """What one call declares to ZeroGPU."""

    declared_s: int  # the value of ``duration``
    counted_s: float  # what the visitor's day loses while it runs to the end
    limit_s: int  # the largest declaration that the terms allow
    fits: bool


def lease(
    answer: Estimate,
    machine: Machine,
    terms: LoanTerms | Tier = Tier.PRO,
    ready_s: float | None = None,
) -> LeaseRequest:
    """Choose what to declare for a job of ``answer``.

    Covers 19 of 20 runs and the start of the worker, without the encoding, which runs after the
    device was given back.

    Args:
        answer: of this machine.
        machine: its hardware says which size is lent.
        terms: the visitor's.
        ready_s: from the loan to the first step; that of an unknown, cold worker where None.
    """
    return lease_for(_needed_s(answer, machine, ready_s), machine, terms)


def lease_for(
    needed_s: float, machine: Machine, terms: LoanTerms | Tier = Tier.PRO
) -> LeaseRequest:
    """Choose what to declare for ``needed_s`` seconds on the device, within the terms."""
    terms = _as_terms(terms)
    loan = terms.loan_of(machine)
    wanted = _wanted_s(needed_s, loan)
    limit = _most_declared_s(terms, loan)
    declared = max(1, min(wanted, limit))
    return LeaseRequest(declared, declared * loan.factor * loan.counted, limit, wanted <= limit)


def counted_ms(answer: Estimate, machine: Machine, ready_s: float | None = None) -> int:
    """Return what a visitor's day must hold for a job of ``answer``, in lender's milliseconds.

    The lender asks for all that is granted to be left, and counts what was used afterwards.
    Arguments as of :func:`lease`.
    """
    loan = LoanTerms().loan_of(machine)
    wanted = _wanted_s(_needed_s(answer, machine, ready_s), loan)
    return round(wanted * loan.factor * loan.counted * 1000)


def _needed_s(answer: Estimate, machine: Machine, ready_s: float | None) -> float:
    return answer.p95_ms / 1000 + (ready_seconds(machine) if ready_s is None else ready_s)


def _as_terms(terms: LoanTerms | Tier) -> LoanTerms:
    return terms if isinstance(terms, LoanTerms) else LoanTerms(terms)


def _most_declared_s(terms: LoanTerms, loan: GpuSize) -> int:
    return math.floor(terms.most_s / (loan.factor * loan.counted))


def _wanted_s(needed_s: float, loan: GpuSize) -> int:
    return max(1, math.ceil(needed_s / loan.factor))


def budget_ms(machine: Machine, terms: LoanTerms | Tier, ready_s: float | None = None) -> float:
    """Return the GPU-milliseconds (95th percentile) that the terms allow one job.

    For :func:`core.duration.budget.check_budget` with ``cost=p95_ms``. Arguments as of
    :func:`lease`.
    """
    if ready_s is None:
        ready_s = ready_seconds(machine)
    terms = _as_terms(terms)
    loan = terms.loan_of(machine)
    granted = _most_declared_s(terms, loan) * loan.factor
    return max(0.0, (granted - ready_s) * 1000)


def median_budget_ms(
    machine: Machine, terms: LoanTerms | Tier, ready_s: float | None = None
) -> float:
    """Return the same as median GPU-milliseconds: 19 of 20 runs of so long a job end in time.

    This is what people are told a clip costs.
    """
    return budget_ms(machine, terms, ready_s) / machine.p95(1.0)
