"""How long a request takes, computed from the request alone.

Belongs here: the cost of a run in FLOP and bytes, devices as numbers, the fit to recorded runs, and
the largest setting that a budget allows. Never here: a graph, a file, a device or a database.
"""

from core.duration.budget import check_budget, gpu_ms, largest_fitting, p95_ms, setting_to_type
from core.duration.estimates import (
    DEFAULT_MACHINE,
    Estimate,
    Residency,
    StageEstimate,
    estimate,
    estimate_plan,
    load_seconds,
)
from core.duration.hardware import BY_KEY, HARDWARE, UNKNOWN, Hardware, hardware_for
from core.duration.machine import DRAFT, Machine, Rates, saves_memory
from core.duration.worker_start import COLD, WorkerState, ready_seconds
from core.duration.workload import Part, PartCost, SamplingPlan, part_costs
from core.duration.zerogpu import GpuSize, LeaseRequest, LoanTerms, Tier, lease, lease_for

__all__ = [
    "BY_KEY",
    "COLD",
    "DEFAULT_MACHINE",
    "DRAFT",
    "HARDWARE",
    "UNKNOWN",
    "Estimate",
    "GpuSize",
    "Hardware",
    "LeaseRequest",
    "LoanTerms",
    "Machine",
    "Part",
    "PartCost",
    "Rates",
    "Residency",
    "SamplingPlan",
    "StageEstimate",
    "Tier",
    "WorkerState",
    "check_budget",
    "estimate",
    "estimate_plan",
    "gpu_ms",
    "hardware_for",
    "largest_fitting",
    "lease",
    "lease_for",
    "load_seconds",
    "p95_ms",
    "part_costs",
    "ready_seconds",
    "saves_memory",
    "setting_to_type",
]
