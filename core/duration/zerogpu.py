"""Compute what to ask ZeroGPU for: seconds as it wants them declared, and as it counts them.

A declared duration is multiplied by the size's factor before it is granted, and what was granted is
taken from the visitor's day, doubled for a whole card. All figures as of November 2026.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from core.duration.estimates import Estimate, Residency, load_seconds
from core.duration.machine import Machine


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
class LeaseRequest:
    """What one call declares to ZeroGPU."""

    declared_s: int  # the value of ``duration``
    counted_s: float  # what the visitor's day loses while it runs to the end
    limit_s: int  # the largest declaration that the day allows
    fits: bool


def lease(
    answer: Estimate, machine: Machine, tier: Tier = Tier.PRO, left_s: float | None = None
) -> LeaseRequest:
    """Choose what to declare for a job of ``answer``.

    Covers 19 of 20 runs and the way of the models from memory to the device, without the encoding,
    which runs after the device was given back.

    Args:
        answer: of this machine.
        machine: its hardware says which size is lent.
        tier: the visitor's.
        left_s: seconds of the visitor's day that are left; the whole day where None.
    """
    loan = LOANS.get(machine.hardware.zerogpu, GpuSize())
    wanted = _wanted_s(answer, machine)
    day = DAY_S[tier] if left_s is None else min(left_s, DAY_S[tier])
    limit = math.floor(day / (loan.factor * loan.counted))
    declared = max(1, min(wanted, limit))
    return LeaseRequest(declared, declared * loan.factor * loan.counted, limit, wanted <= limit)


def _wanted_s(answer: Estimate, machine: Machine) -> int:
    loan = LOANS.get(machine.hardware.zerogpu, GpuSize())
    needed = answer.p95_ms / 1000 + load_seconds(machine, Residency.RAM)
    return max(1, math.ceil(needed / loan.factor))


def counted_ms(answer: Estimate, machine: Machine) -> int:
    """Return what a visitor's day must hold for a job of ``answer``, lender's milliseconds.

    The lender asks for all of what is granted, and afterwards counts what was used.
    """
    loan = LOANS.get(machine.hardware.zerogpu, GpuSize())
    return round(_wanted_s(answer, machine) * loan.factor * loan.counted * 1000)


def budget_ms(machine: Machine, tier: Tier, left_s: float | None = None) -> float:
    """Return the GPU-milliseconds (95th percentile) that a visitor's day allows one job.

    For :func:`core.duration.budget.check_budget` with ``cost=p95_ms``.
    """
    loan = LOANS.get(machine.hardware.zerogpu, GpuSize())
    day = DAY_S[tier] if left_s is None else min(left_s, DAY_S[tier])
    granted = math.floor(day / (loan.factor * loan.counted)) * loan.factor
    return max(0.0, (granted - load_seconds(machine, Residency.RAM)) * 1000)


def median_budget_ms(machine: Machine, tier: Tier) -> float:
    """Return the same as median GPU-milliseconds: 19 of 20 runs of so long a job end in time.

    This is what people are told a clip costs.
    """
    return budget_ms(machine, tier) / machine.p95(1.0)
