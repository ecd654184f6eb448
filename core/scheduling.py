"""Whose turn it is: start-time fair queueing on estimated GPU-milliseconds.

An account's next job starts, in virtual time, where its last one ended, or now if that is past:
``S = max(V, F)``; once started, ``F = S + estimate / weight`` and ``V = S``. The smallest end
``S + estimate / weight`` goes first, so of two that could start alike the shorter one does. An
account that comes with nothing waiting or running is fresh: its first job counts a twentieth of
its estimate there, so that however long it is, it goes before what others have waiting behind
their running jobs. A flood waits behind itself and
not in front of anybody, and a job that was cancelled while it waited has cost its account
nothing. After a run the estimate is replaced by the truth.

Waiting is worth a little: every :data:`AGEING` milliseconds that an account waits for its turn
count like one of GPU time, so newcomers cannot keep anybody waiting for ever. These choices are
measured by ``bench/fairness.py``.

The rows of :mod:`core.storage.flows` do this arithmetic in SQL; :class:`FairLine` does it in
memory, for tests and simulations. Source: Goyal, Vin, Cheng, "Start-time fair queueing", 1996.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import sqrt

from core.jobs import Forecast

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
    """Return the place in line of a job: its virtual end, and what its account waited.

    Args:
        tag: where it starts in virtual time.
        cost: how far it moves its account, see :func:`cost_of`.
        since_ms: epoch; when its account's wait for a turn began.
        fresh: its account had nothing else waiting or running when it came.
    """
    return tag + (cost // FRESH if fresh else cost) + since_ms // AGEING


@dataclass(frozen=True, slots=True)
class Ahead:
    """What runs before a job: how many waiting jobs, their milliseconds and squared spreads."""

    count: int
    sum_ms: int
    spread_squares: float


@dataclass(frozen=True, slots=True)
class Load:
    """The rest of one run: expected milliseconds, and how much longer it takes at p95."""

    left_ms: int
    spread_ms: int


def forecast(own: Load, ahead: Ahead, running: Sequence[Load], slots: int) -> Forecast:
    """Return when a waiting job should be ready.

    Args:
        own: the job itself.
        ahead: what goes before it in the fair order.
        running: what is on the devices.
        slots: devices; with several, the waiting work is taken as evenly spread over them.

    Returns:
        Seconds from now; the p95 takes the errors of the estimates as independent.
    """
    busy_ms = sum(load.left_ms for load in running)
    free_now = ahead.count == 0 and len(running) < slots
    wait_ms = 0.0 if free_now else (busy_ms + ahead.sum_ms) / slots
    squares = ahead.spread_squares + sum(load.spread_ms**2 for load in running)
    ready_ms = wait_ms + own.left_ms
    late_ms = sqrt(squares / slots**2 + own.spread_ms**2)
    return Forecast(ahead.count + 1, ready_ms / 1000, (ready_ms + late_ms) / 1000)


def replay(free_at_ms: Iterable[int], work_ms: Sequence[int]) -> list[int]:
    """Return when each job of a line ends.

    Args:
        free_at_ms: when each device becomes free; at least one.
        work_ms: the jobs in the order they start.

    Returns:
        One time per job, on the clock of ``free_at_ms``.
    """
    free = list(free_at_ms)
    heapq.heapify(free)
    ends: list[int] = []
    for work in work_ms:
        end = free[0] + work
        heapq.heapreplace(free, end)
        ends.append(end)
    return ends


@dataclass(slots=True)
class Entry:
    """One job in a :class:`FairLine`."""

    name: str
    account: str
    estimate_ms: int
    cost: int
    tag: int
    rank: int
    order: int


@dataclass(slots=True)
class _Flow:
    weight: int = ORDINARY
    finish: int = 0
    since_ms: int = 0
    active: int = 0
    waiting: list[Entry] = field(default_factory=list[Entry])


class FairLine:
    """The same line in memory, without a database."""

    def __init__(self, rules: FairRules) -> None:
        self._rules = rules
        self._flows: dict[str, _Flow] = {}
        self._vtime = 0
        self._count = 0

    def add(
        self, name: str, account: str, estimate_ms: int, now_ms: int, weight: int = ORDINARY
    ) -> None:
        """Put a job at the end of its account's part of the line."""
        flow = self._flows.setdefault(account, _Flow())
        flow.weight = weight
        fresh = not flow.waiting and flow.active == 0
        if flow.waiting:
            tag = flow.waiting[-1].tag + flow.waiting[-1].cost
        else:
            if not any(other.waiting or other.active for other in self._flows.values()):
                self._vtime = max(self._vtime, *(other.finish for other in self._flows.values()))
            flow.since_ms = now_ms
            tag = max(self._vtime, flow.finish)
        cost, self._count = cost_of(estimate_ms, weight), self._count + 1
        rank = rank_of(tag, cost, flow.since_ms, fresh=fresh)
        flow.waiting.append(Entry(name, account, estimate_ms, cost, tag, rank, self._count))

    def order(self) -> list[Entry]:
        """Return everything that waits, the next one first."""
        waiting = [entry for flow in self._flows.values() for entry in flow.waiting]
        return sorted(waiting, key=lambda entry: (entry.rank, entry.order))

    def start(self, now_ms: int) -> Entry | None:
        """Take the job whose turn it is."""
        order = self.order()
        below = (e for e in order if self._flows[e.account].active < self._rules.max_running)
        chosen = next(below, order[0] if order and self._rules.relax else None)
        if chosen is None:
            return None
        flow = self._flows[chosen.account]
        flow.waiting.remove(chosen)
        flow.active += 1
        flow.finish = chosen.tag + chosen.cost
        flow.since_ms = now_ms
        self._vtime = max(self._vtime, chosen.tag)
        for entry in flow.waiting:
            entry.rank = rank_of(entry.tag, entry.cost, now_ms)
        return chosen

    def end(self, entry: Entry, actual_ms: int) -> None:
        """Note that a started job is over, and what it really took."""
        flow = self._flows[entry.account]
        flow.active -= 1
        self._shift(flow, cost_of(actual_ms, flow.weight) - entry.cost, 0)
        flow.finish += cost_of(actual_ms, flow.weight) - entry.cost

    def cancel(self, name: str) -> None:
        """Take a waiting job out of the line, as if it had never been there."""
        for flow in self._flows.values():
            for entry in flow.waiting:
                if entry.name == name:
                    flow.waiting.remove(entry)
                    self._shift(flow, -entry.cost, entry.order)
                    self._hand_on(flow, entry)
                    return

    def _hand_on(self, flow: _Flow, gone: Entry) -> None:
        """Let the next job of a fresh account be its first one."""
        since = flow.since_ms
        if flow.waiting and gone.rank == rank_of(gone.tag, gone.cost, since, fresh=True):
            head = flow.waiting[0]
            if head.order > gone.order:
                head.rank = rank_of(head.tag, head.cost, since, fresh=True)

    def _shift(self, flow: _Flow, by: int, after: int) -> None:
        for entry in flow.waiting:
            if entry.order > after:
                entry.tag += by
                entry.rank += by
