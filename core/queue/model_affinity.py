"""Of the jobs that are equally due, the one whose models are loaded already runs next.

Fairness goes first: nobody is overtaken by a job that is due much later, more than a few times, or
for longer than a minute. What was overtaken is remembered in memory; a restart forgets it, and
begins to count again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.domain.requests import Request
from core.interfaces.executor import Executor, WarmExecutor


@dataclass(frozen=True, slots=True)
class AffinityRules:
    """How far the fair order may be bent."""

    look_ahead: int = 32  # jobs
    slack_ms: int = 30_000  # fair ends that lie this close, in GPU time, count as equal
    wait_ms: int = 60_000  # since a job was first overtaken
    skips: int = 3  # how often a job may be overtaken


@dataclass(frozen=True, slots=True)
class Candidate:
    """A waiting job and its place in the queue, see :func:`core.domain.fairness.rank_of`."""

    id: str
    rank: int


@dataclass(frozen=True, slots=True)
class _OvertakeCount:
    since_ms: int
    times: int


class Affinity:
    """Chooses the next job, and remembers which jobs were overtaken."""

    def __init__(self, rules: AffinityRules) -> None:
        """Take the rules; nobody was overtaken yet."""
        self.rules = rules
        self._overtaken: dict[str, _OvertakeCount] = {}

    def choose(self, due: Sequence[Candidate], fits: Callable[[int], bool], now: int) -> int:
        """Choose which job of ``due`` runs next, and note whom it overtakes.

        Args:
            due: who may run, in fair order; at least one, at most ``look_ahead``.
            fits: whether the models of a job are loaded; asked from the front until one fits.
            now: epoch milliseconds.
        """
        index = self._first_that(fits, due, now)
        known = self._overtaken
        self._overtaken = {job.id: known[job.id] for job in due[index + 1 :] if job.id in known}
        for job in due[:index]:
            before = known.get(job.id, _OvertakeCount(now, 0))
            self._overtaken[job.id] = _OvertakeCount(before.since_ms, before.times + 1)
        return index

    def _first_that(self, fits: Callable[[int], bool], due: Sequence[Candidate], now: int) -> int:
        for index, job in enumerate(due):
            if job.rank > due[0].rank + self.rules.slack_ms:
                break
            if fits(index):
                return index
            if self._has_waited(job, now):
                break
        return 0

    def _has_waited(self, job: Candidate, now: int) -> bool:
        before = self._overtaken.get(job.id)
        if before is None:
            return False
        late = now - before.since_ms >= self.rules.wait_ms
        return late or before.times >= self.rules.skips


def preference(executor: Executor) -> Callable[[Request], bool] | None:
    """Make the question whether ``executor`` has a request's models loaded; None if it has none."""
    if not isinstance(executor, WarmExecutor) or executor.resident is None:
        return None
    loaded = executor.resident

    def fits(request: Request) -> bool:
        try:
            return executor.model_set(request) == loaded
        except Exception:  # noqa: BLE001  # the job tells when it runs; here it would stop every claim
            return False

    return fits
