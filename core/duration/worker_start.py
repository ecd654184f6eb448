"""Estimate the seconds of a borrowed GPU in which nothing is made yet: a worker's start.

A worker is a forked process. A new one opens CUDA, starts what ComfyUI could not start before the
fork, and reads the model files; a kept one has all that behind it.
"""

from dataclasses import dataclass

from core.duration.estimates import Residency, load_seconds
from core.duration.machine import Machine

# from the loan to ComfyUI's first node, its modules imported before the fork: 0.4 s on an H200, and
# room for a busy host
FORKED_S = 4.0
IMPORT_S = 16.0  # with ComfyUI's imports in the worker: 7 to 16 s
READ_SPREAD = 1.25  # of the time that files take: a disk is shared


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What is known of the worker that will run a job; the defaults are the worst."""

    warm: bool = False  # it ran a job before, and is there still
    imported: bool = False  # ComfyUI's modules were imported before the fork
    cached: float = 0.0  # share (0…1) of the model files that the host's memory holds
    disk: float | None = None  # bytes a second, as measured; None: as the hardware profile says


COLD = WorkerState()


def ready_seconds(machine: Machine, worker: WorkerState = COLD) -> float:
    """Estimate the seconds from the loan until the first step, with a margin for slow reading.

    Args:
        machine: whose model files are read.
        worker: what is known of the process that will read them.
    """
    from_memory = load_seconds(machine, Residency.RAM)
    if worker.warm:
        return from_memory
    from_disk = load_seconds(machine, Residency.DISK)
    if worker.disk:
        from_disk = max(from_memory, from_disk * machine.hardware.disk_bandwidth / worker.disk)
    read = worker.cached * from_memory + (1 - worker.cached) * from_disk
    return (FORKED_S if worker.imported else IMPORT_S) + read * READ_SPREAD
