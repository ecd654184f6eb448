"""Where accounts stand, for those who ask every second: what all share is read once.

Between two writes of anybody the rows are the same. After one, the live jobs of everybody are read
again, once and not in each account's name: who has the same live jobs in the same states as before
has the same rows, and only the place in line moves. The rest of an account, its quota above all, is
read again when its live jobs change, and every few seconds.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.domain.fairness import JobLoad, WorkAhead
from core.domain.people import Payer, Requester
from core.queue.forecasts import Forecasts, QueueLoad, RunningLoad, Standing, running_loads
from core.runtime.clock import Clock, now_ms
from core.storage import jobs as rows
from core.storage.database import Database
from core.storage.job_queries import QueueCounts
from core.storage.waiting_line import first_waiting

MOST_WAITING = 1000  # jobs; in a longer queue each account reads its own places
_AGE_MS = 10_000  # a grant, a join or the end of a window is seen after so long at the latest
_KEPT = 1000  # accounts
_EMPTY: tuple[tuple[object, ...], ...] = ()
Waiting = dict[str, tuple[JobLoad, WorkAhead]]


@dataclass(frozen=True, slots=True)
class LiveJobs:
    """Everybody's live jobs at one moment."""

    running: dict[str, RunningLoad]
    waiting: Waiting  # each with what goes before it
    pools: dict[str, str]
    marks: dict[str, tuple[tuple[object, ...], ...]]  # what tells a change, by account

    @property
    def counts(self) -> QueueCounts:
        """Return how many there are."""
        return QueueCounts(len(self.waiting), len(self.running))


@dataclass(frozen=True, slots=True)
class _Known:
    standing: Standing
    mark: tuple[tuple[object, ...], ...]
    read_ms: int


class StandingWatch:
    """Answers who looks again and again; nothing here changes a row."""

    def __init__(
        self,
        database: Database,
        forecasts: Forecasts,
        version: Callable[[], int],
        clock: Clock = now_ms,
    ) -> None:
        """Take the rows, what reads one account, and a number that changes with every write."""
        self._database = database
        self._forecasts = forecasts
        self._version = version
        self._clock = clock
        self._turn = asyncio.Lock()
        self._live: tuple[int, LiveJobs | None] | None = None
        self._kept: OrderedDict[tuple[object, ...], _Known] = OrderedDict()

    async def standing(
        self, person: Requester, payer: Payer | None = None, place: str = ""
    ) -> Standing:
        """Return where the account of ``person`` stands (:meth:`Forecasts.standing`)."""
        live = await self._live_jobs()
        if live is None:
            return await self._forecasts.standing(person, payer, place)
        key = (person, payer, place)
        known, now = self._kept.pop(key, None), self._clock()
        if known is not None:
            mark = live.marks.get(known.standing.account.key, _EMPTY)
            if known.mark != mark or not 0 <= now - known.read_ms < _AGE_MS:
                known = None
        if known is None:
            standing = await self._forecasts.standing(person, payer, place)
            # of before it was read: what came between is found by the next look
            mark = live.marks.get(standing.account.key, _EMPTY)
            known = _Known(standing, mark, now)
        self._kept[key] = known
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return _placed(known.standing, live)

    async def _live_jobs(self) -> LiveJobs | None:
        """Return everybody's live jobs as of the last write; None where there are too many."""
        async with self._turn:
            version = self._version()
            if self._live is None or self._live[0] != version:
                self._live = (version, await self._read())
            return self._live[1]

    async def _read(self) -> LiveJobs | None:
        async with self._database.snapshot() as connection:
            found = await first_waiting(connection, MOST_WAITING + 1)
            if len(found) > MOST_WAITING:
                return None
            running = await rows.running(connection)
        marks: dict[str, list[tuple[object, ...]]] = {}
        waiting: Waiting = {}
        sums: dict[str, WorkAhead] = {}
        for one in found:
            marks.setdefault(one.user_key, []).append(one.mark)
            before = sums.get(one.pool, WorkAhead(0, 0, 0.0))
            waiting[one.id] = (JobLoad(one.estimate_ms, one.spread_ms), before)
            sums[one.pool] = WorkAhead(
                before.count + 1,
                before.sum_ms + one.estimate_ms,
                before.spread_squares + one.spread_ms * one.spread_ms,
            )
        for row in running:
            mark = (row.id, row.state, row.token, row.started_at_ms)
            marks.setdefault(row.user_key, []).append(mark)
        whole = {account: tuple(marked) for account, marked in marks.items()}
        pools = {one.id: one.pool for one in found}
        return LiveJobs(running_loads(running), waiting, pools, whole)


def _placed(standing: Standing, live: LiveJobs) -> Standing:
    """Return ``standing`` with its place among ``live`` jobs."""
    own = [one.id for one in standing.jobs if one.id in live.waiting]
    queue = QueueLoad(
        running=live.running,
        waiting={job_id: live.waiting[job_id] for job_id in own},
        share_key=standing.queue.share_key,
        slots=standing.queue.slots,
        pools={job_id: live.pools[job_id] for job_id in own},
    )
    return replace(standing, counts=live.counts, queue=queue)
