"""Order jobs by virtual finish time: start-time fair queueing on estimated GPU-milliseconds.

An account's next job starts, in virtual time, where its last one ended, or now if that is past:
``S = max(V, F)``; once started, ``F = S + estimate / weight`` and ``V = S``. The smallest end
``S + estimate / weight`` goes first, so the shorter of two that could start alike goes first. An
account that comes with nothing waiting or running is fresh: its first job counts a twentieth of
its estimate there, so that however long it is, it goes before what others have waiting behind
their running jobs. Many jobs of one account wait behind each other and not before anybody else's,
and a job that was cancelled while it waited costs its account nothing. After a run the measured
time replaces the estimate.

Waiting is worth a little: every :data:`AGEING` milliseconds that an account waits for its turn
count like one of GPU time, so newcomers cannot keep anybody waiting for ever. These choices are
measured by ``bench/fairness.py``.

The rows of :mod:`core.storage.fair_order` do this arithmetic in SQL;
:class:`core.testing.fair_queue.FairQueue` does it in memory, for tests and simulations. Source:
Goyal, Vin, Cheng, "Start-time fair queueing", 1996.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from core.domain.jobs import Forecast

AGEING = 20  # ms of waiting that weigh as much as one ms of GPU time
FRESH = 20  # ms of a fresh account's job that weigh as much as one ms of another's
ORDINARY = 100  # weight of an ordinary account; 200 gets twice the share


@dataclass(frozen=True, slots=True)
class FairRules:
    """How many jobs of one account run at a time.

    An account at its limit waits while anybody below theirs waits. Where nobody else waits, a free
    device is not left idle: the limit is relaxed, unless ``relax`` is False.
    """

    max_running: int = 1
    relax: bool = True


def cost_of(estimate_ms: int, weight: int) -> int:
    """Return how far an estimate moves an account of ``weight`` in virtual time."""
    return estimate_ms * ORDINARY // weight


def rank_of(tag: int, cost: int, since_ms: int, *, fresh: bool = False) -> int:
    """Compute the rank of a job in the queue: its virtual end, and what its account waited.

    Args:
        tag: where it starts in virtual time.
        cost: how far it moves its account, see :func:`cost_of`.
        since_ms: epoch; when its account's wait for a turn began.
        fresh: its account had nothing else waiting or running when it came.
    """
    return tag + (cost // FRESH if fresh else cost) + since_ms // AGEING


@dataclass(frozen=True, slots=True)
class WorkAhead:
    """What runs before a job: how many waiting jobs, their milliseconds and squared spreads."""

    count: int
    sum_ms: int
    spread_squares: float


@dataclass(frozen=True, slots=True)
class JobLoad:
    """The rest of one run: expected milliseconds, and how much longer it takes at p95."""

    left_ms: int
    spread_ms: int


def forecast(
    own: JobLoad, ahead: WorkAhead, running: Sequence[JobLoad], slots: int, own_ms: float = 0.0
) -> Forecast:
    """Forecast when a waiting job will be ready.

    Args:
        own: the job itself.
        ahead: what goes before it in the fair order.
        running: what is on the devices.
        slots: devices; with several, the waiting work is taken as evenly spread over them.
        own_ms: what its account has running and waiting before it; its jobs follow each other.

    Returns:
        Seconds from now; the p95 takes the errors of the estimates as independent.
    """
    wait_ms = max(own_ms, _wait_ms(ahead, [load.left_ms for load in running], slots))
    squares = ahead.spread_squares + sum(load.spread_ms**2 for load in running)
    ready_ms = wait_ms + own.left_ms
    late_ms = sqrt(squares / slots**2 + own.spread_ms**2)
    return Forecast(ahead.count + 1, ready_ms / 1000, (ready_ms + late_ms) / 1000)


def _wait_ms(ahead: WorkAhead, left_ms: Sequence[int], slots: int) -> float:
    """Return when a device is free for who has ``ahead`` before them."""
    if ahead.count + len(left_ms) < slots:
        return 0.0
    if ahead.count == 0:  # the first that becomes free
        return min(_free_after(left_ms, slots))
    return (sum(left_ms) + ahead.sum_ms) / slots


def _free_after(work_ms: Sequence[int], slots: int) -> list[int]:
    """Return when each of ``slots`` devices is free again that begin ``work_ms`` in turn."""
    free = [0] * slots
    for work in work_ms:
        heapq.heapreplace(free, free[0] + work)
    return free
