"""The fair order in memory: the arithmetic of the rows, for tests and benchmarks."""

from dataclasses import dataclass, field

from core.domain.fairness import ORDINARY, FairRules, cost_of, rank_of


@dataclass(slots=True)
class QueueEntry:
    """One job in a :class:`FairQueue`."""

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
    waiting: list[QueueEntry] = field(default_factory=list[QueueEntry])


class FairQueue:
    """The fair queue in memory, without a database."""

    def __init__(self, rules: FairRules) -> None:
        self._rules = rules
        self._flows: dict[str, _Flow] = {}
        self._vtime = 0
        self._count = 0

    def add(
        self, name: str, account: str, estimate_ms: int, now_ms: int, weight: int = ORDINARY
    ) -> None:
        """Put a job behind the others of its account."""
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
        flow.waiting.append(QueueEntry(name, account, estimate_ms, cost, tag, rank, self._count))

    def order(self) -> list[QueueEntry]:
        """Return everything that waits, the next one first."""
        waiting = [entry for flow in self._flows.values() for entry in flow.waiting]
        return sorted(waiting, key=lambda entry: (entry.rank, entry.order))

    def start(self, now_ms: int) -> QueueEntry | None:
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

    def end(self, entry: QueueEntry, actual_ms: int) -> None:
        """Note that a started job is over, and what it really took."""
        flow = self._flows[entry.account]
        flow.active -= 1
        self._shift(flow, cost_of(actual_ms, flow.weight) - entry.cost, 0)
        flow.finish += cost_of(actual_ms, flow.weight) - entry.cost

    def cancel(self, name: str) -> None:
        """Remove a waiting job, as if it had never been there."""
        for flow in self._flows.values():
            for entry in flow.waiting:
                if entry.name == name:
                    flow.waiting.remove(entry)
                    self._shift(flow, -entry.cost, entry.order)
                    self._promote_next(flow, entry)
                    return

    def _promote_next(self, flow: _Flow, gone: QueueEntry) -> None:
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
