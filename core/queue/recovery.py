"""Putting the queue in order: after a start, and whenever jobs waited or were leased too long."""

from dataclasses import dataclass
from pathlib import Path

from core.accounts.limit_ledger import LimitLedger
from core.domain.jobs import Failure, JobState
from core.domain.time_units import HOUR_MS
from core.queue.abandoned import AbandonedByProcess, AbandonedJob, AbandonedJobs
from core.queue.intake import read_intake, write_intake
from core.queue.time_guard import TimeGuard
from core.queue.transitions import End, QueueRules, end, put_back
from core.runtime.clock import Clock, now_ms
from core.storage import invariants
from core.storage import jobs as rows
from core.storage.database import Connection, Database
from core.storage.feed_outbox import resume_all
from core.storage.invariants import Violation

EXPIRED_AT_ONCE = 100  # jobs in one transaction: everybody else waits for its end
CHECKED_AT_START = 500  # rows of each table; all others are checked beside the work
MAX_RUNNING = "max_running"  # kept for the invariants


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a start found and did; ``violations`` are what the repair could not put right."""

    requeued: int
    lost: int
    expired: int
    redeliveries: int
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was taken from workers that are gone; ``ended`` failed after their last attempt."""

    taken: int = 0
    ended: tuple[str, ...] = ()


class Recovery:
    """Takes jobs back from workers that are gone, and gives up what waited too long."""

    def __init__(
        self,
        database: Database,
        rules: QueueRules,
        clips_folder: Path,
        clock: Clock = now_ms,
        guard: TimeGuard | None = None,
        abandoned: AbandonedJobs | None = None,
    ) -> None:
        """Take the database, the limits, and where the clips lie that rows name.

        ``guard`` says whether ages may be believed; ``abandoned`` which jobs have no worker. Both
        are left out where nothing else runs.
        """
        self._database = database
        self._rules = rules
        self._clips_folder = clips_folder
        self._clock = clock
        self._guard = guard
        self._abandoned = abandoned or AbandonedByProcess()

    async def recover(self) -> RecoveryReport:
        """Put the rows in order after a start, before anything is claimed or delivered.

        A running job without a worker is queued again, or fails after too many losses; where its
        process ended on purpose that is none. Deliveries that were cut off are due again, as
        ambiguous. A drain has ended with the process that was drained, where it was the only one;
        a pause goes on.
        """
        async with self._database.transaction() as connection:
            now = self._clock()
            limit = str(self._rules.fair.max_running)
            await rows.write_setting(connection, MAX_RUNNING, limit)
            if self._abandoned.is_first() and await read_intake(connection) == "draining":
                await write_intake(connection, "open")
            await invariants.repair_numbers(connection)
            await invariants.repair_counters(connection)
            redeliveries = await resume_all(connection, now)
            left = await self._abandoned.at_start(connection, now)
            requeued = len(left) - len(await self._take_back(connection, left, now))
        expired = await self.expire()
        async with self._database.transaction() as connection:
            found = await invariants.check_newest(connection, CHECKED_AT_START)
            if found:  # sums may be wrong where nothing else is
                await invariants.repair(connection)
                found = await invariants.check(connection)
        lost = len(left) - requeued
        return RecoveryReport(requeued, lost, len(expired), redeliveries, tuple(found))

    async def expire(self) -> list[str]:
        """Give up what waited too long, and take jobs from workers whose lease ended.

        Returns:
            The jobs that are terminal now.
        """
        async with self._database.transaction() as connection:
            now = self._clock()
            late = await self._abandoned.lapsed(connection, now)
            ended = await self._take_back(connection, late, now)
            await LimitLedger(connection, self._rules.quota, now).forget()
        more = self._guard is None or self._guard.may_expire
        while more:
            async with self._database.transaction() as connection:
                expired = await self._expire_waiting(connection, now)
            ended += expired
            more = len(expired) == EXPIRED_AT_ONCE
        return ended

    async def sweep(self) -> Sweep:
        """Take jobs from workers whose lease ended, and nothing else; cheap where there are none.

        Returns:
            How many were taken, and which of them are terminal now.
        """
        async with self._database.snapshot() as connection:
            if not await rows.has_lapsed(connection, self._clock()):
                return Sweep()
        async with self._database.transaction() as connection:
            now = self._clock()
            late = await self._abandoned.lapsed(connection, now)
            return Sweep(len(late), tuple(await self._take_back(connection, late, now)))

    async def _take_back(
        self, connection: Connection, left: list[AbandonedJob], now: int
    ) -> list[str]:
        """Queue jobs again; return those that failed after their last attempt."""
        rules, folder = self._rules, self._clips_folder
        return [
            one.row.id
            for one in left
            if not await put_back(connection, rules, folder, one.row, now, one.why)
        ]

    async def _expire_waiting(self, connection: Connection, now: int) -> list[str]:
        """End jobs that waited longer than a job may wait, some at a time, and return them."""
        limit_ms = self._rules.wait_limit_ms
        how = End(JobState.EXPIRED, failure=Failure("expired", {"limit_hours": limit_ms / HOUR_MS}))
        late = await rows.waiting_since(connection, now - limit_ms, EXPIRED_AT_ONCE)
        for row in late:
            await end(connection, self._rules, self._clips_folder, row, how, now)
        return [row.id for row in late]
