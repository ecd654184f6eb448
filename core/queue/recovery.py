"""Putting the queue in order: after a start, and whenever jobs waited or were leased too long."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.accounts.limit_ledger import LimitLedger
from core.accounts.limits import HOUR_MS
from core.domain.jobs import Back, Failure, JobState
from core.queue.intake import read_intake, write_intake
from core.queue.time_guard import TimeGuard
from core.queue.transitions import ENDING, End, QueueRules, end, put_back
from core.runtime.clock import Clock, now_ms
from core.storage import invariants, outbox
from core.storage import jobs as rows
from core.storage.database import Connection, Database
from core.storage.invariants import Violation

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


class Recovery:
    """Takes jobs back from workers that are gone, and gives up what waited too long."""

    def __init__(
        self,
        database: Database,
        rules: QueueRules,
        clips_folder: Path,
        clock: Clock = now_ms,
        guard: TimeGuard | None = None,
        owned: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Take the database, the limits, and where the clips lie that rows name.

        ``guard`` says whether ages may be believed; ``owned`` whether an attempt at a job lives in
        this process. Both are left out where nothing else runs.
        """
        self._database = database
        self._rules = rules
        self._clips_folder = clips_folder
        self._clock = clock
        self._guard = guard
        self._owned = owned

    async def recover(self) -> RecoveryReport:
        """Put the rows in order after a start, before anything is claimed or delivered.

        No worker lives yet, so every running job lost its own: it is queued again, or fails
        after too many losses; where the service ended on purpose that is none. Deliveries that
        were cut off are due again, as ambiguous. A drain has ended with the process that was
        drained; a pause goes on.
        """
        async with self._database.transaction() as connection:
            now = self._clock()
            limit = str(self._rules.fair.max_running)
            await rows.write_setting(connection, MAX_RUNNING, limit)
            if await read_intake(connection) == "draining":
                await write_intake(connection, "open")
            await invariants.repair_counters(connection)
            redeliveries = await outbox.resume(connection, now)
            running = await rows.running(connection)
            ending = await rows.read_setting(connection, ENDING) == "1"
            await rows.write_setting(connection, ENDING, "0")
            requeued = 0
            for row in running:
                why = Back.STOPPED if ending else Back.DIED
                requeued += await put_back(
                    connection, self._rules, self._clips_folder, row, now, why
                )
        expired = await self.expire()
        async with self._database.transaction() as connection:
            found = await invariants.check_newest(connection, CHECKED_AT_START)
            if found:  # sums may be wrong where nothing else is
                await invariants.repair(connection)
                found = await invariants.check(connection)
        lost = len(running) - requeued
        return RecoveryReport(requeued, lost, len(expired), redeliveries, tuple(found))

    async def expire(self) -> list[str]:
        """Give up what waited too long, and take jobs from workers whose lease ended.

        Returns:
            The jobs that are terminal now.
        """
        async with self._database.transaction() as connection:
            now = self._clock()
            ended = await self._expire_leases(connection, now)
            if self._guard is None or self._guard.may_expire:
                ended += await self._expire_waiting(connection, now)
            await LimitLedger(connection, self._rules.quota, now).forget()
        return ended

    async def _expire_leases(self, connection: Connection, now: int) -> list[str]:
        """Queue jobs again whose lease ended; return those that failed after their last attempt.

        Nobody else uses the data directory, so a job whose attempt lives here has an owner.
        """
        ended: list[str] = []
        late = [one for one in await rows.running(connection) if (one.lease_until_ms or 0) < now]
        for row in [one for one in late if not self._owned(one.id)]:
            again = await put_back(connection, self._rules, self._clips_folder, row, now)
            ended += [] if again else [row.id]
        return ended

    async def _expire_waiting(self, connection: Connection, now: int) -> list[str]:
        """End the jobs that waited longer than a job may wait, and return them."""
        limit_ms = self._rules.wait_limit_ms
        how = End(JobState.EXPIRED, failure=Failure("expired", {"limit_hours": limit_ms / HOUR_MS}))
        late = await rows.waiting_since(connection, now - limit_ms)
        for row in late:
            await end(connection, self._rules, self._clips_folder, row, how, now)
        return [row.id for row in late]
