"""One user floods the queue, ten others send short jobs: how long do the others wait?

    python bench/fairness.py [--seeds 20] [--json]

Replays the same arrivals for first come first served, round robin by count, fair queueing with tags
given as late as possible, and ours (core.domain.fairness), on one and on four GPUs.
"""

import argparse
import heapq
import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from core.domain.fairness import FairRules
from core.testing.fair_queue import FairQueue, QueueEntry

FLOODED = 60  # jobs of the one user, all at the start
OTHERS = 10  # users
EACH = 5  # jobs of each other user, at any time in the first half hour
SPAN_S = 1800.0
ESTIMATE_SIGMA = 0.25  # of log(estimate ÷ truth)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job as it reaches the queue."""

    at_s: float
    user: str
    truth_s: float
    estimate_s: float


class QueueOrder(Protocol):
    """An order of waiting jobs."""

    def add(self, number: int, job: Arrival) -> None:
        """Queue a job."""
        ...

    def take(self, now_s: float) -> int | None:
        """Take the number of the job that runs next; None where none waits."""
        ...

    def settle(self, number: int, job: Arrival) -> None:
        """Learn what a job really took."""
        ...


class FirstCome:
    """In the order of arrival."""

    def __init__(self) -> None:
        self.waiting: list[int] = []

    def add(self, number: int, job: Arrival) -> None:
        """Put it at the end."""
        del job
        self.waiting.append(number)

    def take(self, now_s: float) -> int | None:
        """Take the first."""
        del now_s
        return self.waiting.pop(0) if self.waiting else None

    def settle(self, number: int, job: Arrival) -> None:
        """Learn nothing."""


class RoundRobin:
    """One job of each user in turn."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[tuple[int, Arrival]]] = {}
        self.turns: dict[str, int] = {}

    def add(self, number: int, job: Arrival) -> None:
        """Put it at the end of its user's own queue."""
        self.waiting.setdefault(job.user, []).append((number, job))

    def take(self, now_s: float) -> int | None:
        """Take the first of the user whose turn is longest ago."""
        del now_s
        users = [user for user, jobs in self.waiting.items() if jobs]
        if not users:
            return None
        user = min(users, key=lambda name: (self.turns.get(name, -1), self.waiting[name][0][0]))
        self.turns[user] = max(self.turns.values(), default=0) + 1
        return self.waiting[user].pop(0)[0]

    def settle(self, number: int, job: Arrival) -> None:
        """Learn nothing."""


class FairTags:
    """Fair queueing with late tags and the truth fed back.

    ``toward_finish`` 0 orders by start tag, 1 by finish tag.
    """

    def __init__(self, toward_finish: float) -> None:
        self.toward_finish = toward_finish
        self.waiting: dict[str, list[tuple[int, Arrival]]] = {}
        self.virtual = 0.0
        self.finished: dict[str, float] = {}  # virtual time up to which a user is served

    def add(self, number: int, job: Arrival) -> None:
        """Put it at the end of its user's own queue; its tag comes when it is taken."""
        self.waiting.setdefault(job.user, []).append((number, job))

    def take(self, now_s: float) -> int | None:
        """Take the first of the user with the smallest tag."""
        del now_s
        users = [user for user, jobs in self.waiting.items() if jobs]
        if not users:
            return None
        user = min(users, key=self._rank)
        number, job = self.waiting[user].pop(0)
        self.virtual = self._start(user)
        self.finished[user] = self.virtual + job.estimate_s
        return number

    def settle(self, number: int, job: Arrival) -> None:
        """Move the user's tag by what the estimate was wrong."""
        del number
        self.finished[job.user] += job.truth_s - job.estimate_s

    def _start(self, user: str) -> float:
        return max(self.virtual, self.finished.get(user, 0.0))

    def _rank(self, user: str) -> tuple[float, int]:
        number, job = self.waiting[user][0]
        return self._start(user) + self.toward_finish * job.estimate_s, number


class Ours:
    """The product's queue, with its default rules."""

    def __init__(self) -> None:
        self.queue = FairQueue(FairRules())
        self.started: dict[int, QueueEntry] = {}

    def add(self, number: int, job: Arrival) -> None:
        """Queue it with its estimate."""
        estimate_ms = round(job.estimate_s * 1000)
        self.queue.add(str(number), job.user, estimate_ms, round(job.at_s * 1000))

    def take(self, now_s: float) -> int | None:
        """Take the job whose turn it is."""
        entry = self.queue.start(round(now_s * 1000))
        if entry is None:
            return None
        self.started[int(entry.name)] = entry
        return int(entry.name)

    def settle(self, number: int, job: Arrival) -> None:
        """Feed the truth back."""
        self.queue.end(self.started.pop(number), round(job.truth_s * 1000))


RULES: dict[str, Callable[[], QueueOrder]] = {
    "first come": FirstCome,
    "round robin": RoundRobin,
    "start tags": lambda: FairTags(0.0),
    "finish tags": lambda: FairTags(1.0),
    "ours": Ours,
}


def flood(seed: int) -> list[Arrival]:
    """Return the arrivals, in their order."""
    rng = random.Random(seed)
    plain = [(0.0, "flood", rng.uniform(150, 300)) for _ in range(FLOODED)]
    plain += [
        (rng.uniform(0, SPAN_S), f"other-{user}", rng.uniform(20, 90))
        for user in range(OTHERS)
        for _ in range(EACH)
    ]
    return [
        Arrival(at, user, truth, truth * math.exp(rng.gauss(0, ESTIMATE_SIGMA)))
        for at, user, truth in sorted(plain)
    ]


def replay(queue: QueueOrder, jobs: list[Arrival], gpus: int) -> dict[str, list[float]]:
    """Return the seconds that each job waited, by whether its user floods."""
    free = [0.0] * gpus
    running: list[tuple[float, int]] = []
    waits: dict[str, list[float]] = {"flood": [], "others": []}
    arrived, left = 0, len(jobs)
    while left:
        now = heapq.heappop(free)
        while running and running[0][0] <= now:
            number = heapq.heappop(running)[1]
            queue.settle(number, jobs[number])
        while arrived < len(jobs) and jobs[arrived].at_s <= now:
            queue.add(arrived, jobs[arrived])
            arrived += 1
        number = queue.take(now)
        if number is None:  # idle until somebody comes
            heapq.heappush(free, jobs[arrived].at_s)
            continue
        job = jobs[number]
        group = "flood" if job.user == "flood" else "others"
        waits[group].append(now - job.at_s)
        heapq.heappush(free, now + job.truth_s)
        heapq.heappush(running, (now + job.truth_s, number))
        left -= 1
    return waits


def measure(seeds: int) -> list[dict[str, float | int | str]]:
    """Return one row for each rule and number of GPUs."""
    rows: list[dict[str, float | int | str]] = []
    for gpus in (1, 4):
        by_rule: dict[str, list[float]] = {}
        flooders: dict[str, list[float]] = {}
        for rule, make in RULES.items():
            for seed in range(seeds):
                waits = replay(make(), flood(seed), gpus)
                by_rule.setdefault(rule, []).extend(waits["others"])
                flooders.setdefault(rule, []).extend(waits["flood"])
        turn = median(by_rule["round robin"])
        for rule, waits in by_rule.items():
            waits.sort()
            rows.append(
                {
                    "gpus": gpus,
                    "rule": rule,
                    "median_s": round(median(waits), 1),
                    "p95_s": round(waits[int(0.95 * len(waits))], 1),
                    "flood_median_s": round(median(flooders[rule]), 1),
                    "better_than_round_robin": round(turn / median(waits), 2),
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = measure(given.seeds)
    if given.json:
        print(json.dumps(rows))
        return
    print(f"{'GPUs':>4}  {'rule':<15} {'median':>8} {'p95':>8} {'flood':>8}  × round robin")
    for row in rows:
        print(
            f"{row['gpus']:>4}  {row['rule']:<15} {row['median_s']:>8} {row['p95_s']:>8}"
            f" {row['flood_median_s']:>8}  {row['better_than_round_robin']}"
        )


if __name__ == "__main__":
    main()
