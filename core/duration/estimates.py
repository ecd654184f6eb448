"""Estimate a request: the seconds of every part, what the requester pays, what a lease needs."""

from dataclasses import dataclass
from enum import StrEnum

from core.domain.progress import Stage
from core.domain.requests import Request
from core.duration.machine import Machine
from core.duration.sampling_plan import plan_of
from core.duration.workload import WEIGHTS, Part, SamplingPlan, part_costs


class Residency(StrEnum):
    """Where the model files are when a job starts."""

    DEVICE = "device"  # nothing to load
    RAM = "ram"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """One part of a run."""

    part: Part
    seconds: float  # median
    flops: float
    bytes: float

    @property
    def stage(self) -> Stage:
        """Return the stage of the progress bar that it belongs to."""
        return self.part.stage


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a request takes on a machine whose models are loaded."""

    gpu_ms: int  # median; what is reserved of the quota
    p95_ms: int  # of the same GPU work
    stages: tuple[StageEstimate, ...]  # in the order of a run
    total_ms: int  # median with loading and encoding
    known: bool = True  # False: no profile fits the device, so a slow one was assumed

    def seconds(self, part: Part) -> float:
        """Return the median seconds of ``part``; 0 where the run has no such part."""
        return sum(item.seconds for item in self.stages if item.part is part)

    def shares(self) -> dict[Stage, float]:
        """Return which part of the whole each stage of the progress bar takes; they sum to 1."""
        total = sum(item.seconds for item in self.stages) or 1.0
        shares: dict[Stage, float] = {}
        for item in self.stages:
            shares[item.stage] = shares.get(item.stage, 0.0) + item.seconds / total
        return shares


DEFAULT_MACHINE = Machine()  # unknown device, fp8 files: slow on purpose


def estimate(
    request: Request,
    machine: Machine = DEFAULT_MACHINE,
    residency: Residency = Residency.DEVICE,
) -> Estimate:
    """Estimate what ``request`` takes. Pure: the same arguments give the same answer.

    Args:
        request: already snapped.
        machine: the device, its files and what its runs taught.
        residency: where the model files are at the start.
    """
    plan = plan_of(request, machine.profile)
    return estimate_plan(plan, machine, residency)


def estimate_plan(
    plan: SamplingPlan, machine: Machine, residency: Residency = Residency.DEVICE
) -> Estimate:
    """Estimate what ``plan`` takes; the machine chooses its tiles unless the plan has some."""
    load = load_seconds(machine, residency)
    stages = [StageEstimate(Part.LOAD, load, 0.0, WEIGHTS[machine.profile].total if load else 0.0)]
    stages += [
        StageEstimate(work.part, machine.seconds(work), work.flops, work.bytes + work.host_bytes)
        for work in part_costs(machine.with_tiling(plan))
    ]
    gpu = sum(item.seconds for item in stages if item.part.on_gpu)
    return Estimate(
        gpu_ms=max(1, round(gpu * 1000)),
        p95_ms=max(1, round(machine.p95(gpu) * 1000)),
        stages=tuple(stages),
        total_ms=max(1, round(sum(item.seconds for item in stages) * 1000)),
        known=machine.hardware.known or machine.runs > 0,
    )


def load_seconds(machine: Machine, residency: Residency) -> float:
    """Estimate the seconds until the models are on the device."""
    if residency is Residency.DEVICE:
        return 0.0
    hardware = machine.hardware
    rate = hardware.host_bandwidth
    if residency is Residency.DISK:
        rate = min(rate, hardware.disk_bandwidth)
    kept = WEIGHTS[machine.profile].total - machine.streamed
    return kept / rate
