"""Of the jobs that are equally due, the one whose models are loaded already runs next.

Fairness goes first: nobody is overtaken by a job that is due much later, more than a few times, or
for longer than a minute. Who was overtaken how often is in the rows, so that it holds for all
workers together.
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

    rank: int
    overtaken: int = 0  # how often
    since_ms: int | None = None  # when first

    def has_waited(self, rules: AffinityRules, now: int) -> bool:
        """Tell whether nobody may overtake it any more."""
        if self.since_ms is None:
            return False
        return now - self.since_ms >= rules.wait_ms or self.overtaken >= rules.skips


def choose(
    rules: AffinityRules, due: Sequence[Candidate], fits: Callable[[int], bool], now: int
) -> int:
    """Choose which job of ``due`` runs next; it overtakes those before it.

    Args:
        rules: how far the fair order may be bent.
        due: who may run, in fair order; at least one, at most ``look_ahead``.
        fits: whether the models of a job are loaded; asked from the front until one fits.
        now: epoch milliseconds.
    """
    for index, job in enumerate(due):
        if job.rank > due[0].rank + rules.slack_ms:
            break
        if fits(index):
            return index
        if job.has_waited(rules, now):
            break
    return 0


def preference(executor: Executor) -> Callable[[Request], bool] | None:
    """Make the question whether ``executor`` has a request's models loaded; None if it has none."""
    if not isinstance(executor, WarmExecutor) or executor.resident is None:
        return None
    loaded = executor.resident
    return lambda request: executor.model_set(request) == loaded
