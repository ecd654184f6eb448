"""What attempts on rented machines took: told once after each, and never more than they had."""

import asyncio
from dataclasses import dataclass

from core.domain.jobs import Job
from core.domain.progress import Stage
from core.gate.keys import same
from core.gate.wire import RanCall, RentedMachine

MOST = 1000  # attempts that are remembered


@dataclass(frozen=True, slots=True)
class GateRun:
    """What an attempt took, as its machine says and the front allows."""

    job: Job
    machine: RentedMachine
    gpu_ms: int
    stages: dict[Stage, float]  # seconds
    peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class _EndedAttempt:
    node: str
    key: str
    job: Job
    spent_s: float


class GateRuns:
    """Remembers which attempts ended with a clip, and how long each had its job."""

    def __init__(self) -> None:
        self._machines: dict[str, RentedMachine] = {}  # by node, as it said last
        self._began_s: dict[str, float] = {}  # by job
        self._ended: dict[str, _EndedAttempt] = {}  # by job, the newest

    def claims(self, node: str, machine: RentedMachine) -> None:
        """Note what a node says of itself."""
        self._machines[node] = machine

    def begins(self, job_id: str) -> None:
        """Note that an attempt has the job now."""
        self._began_s[job_id] = _now_s()
        _limit(self._began_s)

    def ends(self, node: str, job: Job, key: str) -> None:
        """Note that an attempt ended with a clip."""
        spent_s = _now_s() - self._began_s.pop(job.id, _now_s())
        self._ended[job.id] = _EndedAttempt(node, key, job, spent_s)
        _limit(self._ended)

    def told(self, node: str, call: RanCall) -> GateRun | None:
        """Return the run that a node tells; None where it is none of its own, or cannot be true."""
        ended, machine = self._ended.get(call.job), self._machines.get(node)
        if ended is None or machine is None or ended.node != node or not same(ended.key, call.key):
            return None
        del self._ended[call.job]
        known = {stage.value for stage in Stage}
        stages = {Stage(name): took for name, took in call.stages.items() if name in known}
        if max(sum(stages.values()), call.gpu_ms / 1000) > ended.spent_s:
            return None
        return GateRun(ended.job, machine, call.gpu_ms, stages, call.peak_bytes)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _limit(known: dict[str, float] | dict[str, _EndedAttempt]) -> None:
    while len(known) > MOST:
        del known[next(iter(known))]
