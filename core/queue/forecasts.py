"""When jobs should be ready, and where one account stands, at one moment.

Read in one transaction. Further forecasts are made from a :class:`Standing` without reading
again: between two changes of the queue, only the time that running jobs have had moves on.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.accounts.limit_ledger import LimitLedger
from core.domain.fairness import JobLoad, WorkAhead, forecast
from core.domain.jobs import Forecast, Job
from core.domain.nodes import DEFAULT_POOL
from core.domain.people import Payer, Requester
from core.domain.quota import QuotaView
from core.queue.transitions import QueueRules
from core.runtime.clock import Clock, now_ms
from core.storage import accounts, fair_order, job_queries
from core.storage import jobs as rows
from core.storage.database import Database
from core.storage.job_queries import QueueCounts
from core.storage.records import StoredJob


@dataclass(frozen=True, slots=True)
class RunningLoad:
    """The load of a running job, and when it got the device (epoch ms, None: it has not)."""

    at_ms: int | None
    load: JobLoad
    share_key: str  # whose share of the devices it uses
    pool: str = DEFAULT_POOL

    def rest(self, now: int) -> JobLoad:
        """Return what is left of it at ``now``."""
        spent = 0 if self.at_ms is None else max(0, now - self.at_ms)
        return JobLoad(max(0, self.load.left_ms - spent), self.load.spread_ms)


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """What decides when some jobs are ready."""

    running: Mapping[str, RunningLoad]  # everybody's, by job
    waiting: Mapping[str, tuple[JobLoad, WorkAhead]]  # some jobs, each with what goes before it
    share_key: str  # of those that wait: they follow each other
    slots: Callable[[str], int]  # devices of a pool
    pools: Mapping[str, str]  # of those that wait, by job

    def joined(self, other: "QueueLoad") -> "QueueLoad":
        """Return it with the jobs that wait in ``other`` as well."""
        waiting, pools = {**self.waiting, **other.waiting}, {**self.pools, **other.pools}
        return replace(self, waiting=waiting, pools=pools)

    def forecast(self, job_id: str, now: int) -> Forecast | None:
        """Forecast when one of the jobs is ready; None for any other."""
        if started := self.running.get(job_id):
            rest = started.rest(now)
            left, late = rest.left_ms / 1000, rest.spread_ms / 1000
            return Forecast(0, left, left + late)
        if job_id not in self.waiting:
            return None
        (own, ahead), pool = self.waiting[job_id], self.pools[job_id]
        running = [one for one in self.running.values() if one.pool == pool]
        loads = [started.rest(now) for started in running]
        return forecast(own, ahead, loads, self.slots(pool), self._own_ms(ahead, pool, now))

    def _own_ms(self, ahead: WorkAhead, pool: str, now: int) -> int:
        """Sum up what runs and waits of the same account before a job that has ``ahead``."""
        own = self.share_key
        mine = [one for one in self.running.values() if (one.share_key, one.pool) == (own, pool)]
        before = [
            load.left_ms
            for job_id, (load, one) in self.waiting.items()
            if one.count < ahead.count and self.pools[job_id] == pool
        ]
        return sum(one.rest(now).left_ms for one in mine) + sum(before)


@dataclass(frozen=True, slots=True)
class Standing:
    """One account, and its part of the queue."""

    account: Requester
    jobs: tuple[Job, ...]  # live ones: running first, then in the order they run
    counts: QueueCounts
    quota: QuotaView
    queue: QueueLoad


class Forecasts:
    """Forecasts of jobs and the standing of accounts; nothing here changes a row."""

    def __init__(
        self,
        database: Database,
        rules: QueueRules,
        clips_folder: Path,
        clock: Clock = now_ms,
        slots: Callable[[str], int] | None = None,
    ) -> None:
        """Take the database, the limits, and where the clips lie that rows name.

        ``slots`` tells how many devices a pool has; None: as many as the rules say.
        """
        self._slots: Callable[[str], int] = slots or (lambda _: rules.slots)
        self._database = database
        self._rules = rules
        self._clips_folder = clips_folder
        self._clock = clock

    async def forecast(self, job_id: str) -> Forecast | None:
        """Forecast the position of a job and when it is ready; None once it is terminal.

        Raises:
            JobUnknown: no such job.
        """
        async with self._database.snapshot() as connection:
            row = await rows.require(connection, job_id)
            if row.finished_at_ms is not None:
                return None
            running = running_loads(await rows.running(connection))
            pools = {row.id: row.pool}
            if self._slots(row.pool) == 1:
                own = JobLoad(row.estimate_ms, row.spread_ms)
                waiting = {row.id: (own, await fair_order.ahead_of(connection, row))}
            else:  # its account's other jobs come before it, however many devices are free
                waiting, pools = await fair_order.ahead_of_all(connection, row.user_key)
        load = QueueLoad(running, waiting, row.share_key, self._slots, pools)
        return load.forecast(job_id, self._clock())

    def of_standing(self, standing: Standing) -> dict[str, Forecast | None]:
        """Forecast every job of ``standing``, by id, without reading again."""
        now = self._clock()
        return {job.id: standing.queue.forecast(job.id, now) for job in standing.jobs}

    async def standing(
        self, person: Requester, payer: Payer | None = None, place: str = ""
    ) -> Standing:
        """Read where the account of ``person`` stands, all of it at one moment.

        ``payer`` is who pays for ``person``'s own account, ``place`` where they ask from.
        """
        async with self._database.snapshot() as connection:
            account = Requester.from_key(await accounts.account_of(connection, person.key))
            running = await rows.running(connection)
            mine = [row for row in running if row.user_key == account.key]
            ahead, pools = await fair_order.ahead_of_all(connection, account.key)
            now = self._clock()
            mine += await job_queries.waiting_of(connection, account.key)
            own = payer if account == person else None
            pays = own or Payer.of(account)
            limits = LimitLedger(connection, self._rules.quota, now)
            return Standing(
                account=account,
                jobs=tuple(row.job(self._clips_folder) for row in mine),
                counts=await job_queries.count_live(connection),
                quota=await limits.view(replace(pays, place=place)),
                queue=QueueLoad(running_loads(running), ahead, pays.key, self._slots, pools),
            )


def running_loads(running: Iterable[StoredJob]) -> dict[str, RunningLoad]:
    """Return what running jobs still take, by job."""
    return {
        row.id: RunningLoad(
            row.started_at_ms, JobLoad(row.estimate_ms, row.spread_ms), row.share_key, row.pool
        )
        for row in running
    }
