"""The queue between jobs: forecasts, allowances, intake, what a start and every hour must do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from core.accounts import quotas
from core.accounts.quotas import HOUR_MS
from core.domain.fairness import Load
from core.domain.jobs import Failure, Forecast, Job, JobState, QuotaView, ReplyTo
from core.domain.people import Payer, Requester
from core.errors import AlreadyFinished, JobUnknown, NotYours
from core.queue.forecasts import Line, Standing, Started
from core.queue.intake import (
    Intake,
    read_intake,
    write_intake,
)
from core.queue.transitions import End, QueueRules, end, put_back
from core.runtime.clock import Clock
from core.storage import accounts, fair_order, invariants, outbox
from core.storage import jobs as rows
from core.storage.database import Database
from core.storage.invariants import Violation
from core.storage.job_queries import JobBook

MAX_RUNNING = "max_running"  # kept for the invariants


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a start found and did; ``violations`` are what the repair could not put right."""

    requeued: int
    lost: int
    expired: int
    redeliveries: int
    violations: tuple[Violation, ...]


class Upkeep(JobBook):
    """Recovery, forecasts and what is kept beside :class:`core.queue.job_queue.JobQueue`."""

    def __init__(
        self, database: Database, rules: QueueRules, clips_folder: Path, clock: Clock
    ) -> None:
        super().__init__(database, clips_folder)
        self._rules = rules
        self._clock = clock

    async def recover(self) -> Recovery:
        """Put the rows in order after a start, before anything is claimed or delivered.

        No worker lives yet, so every running job lost its own: it goes back in line, or fails
        after its last attempt. Deliveries that were cut off are due again, as ambiguous. A drain
        has ended with the process that was drained; a pause goes on.
        """
        async with self._database.transaction() as connection:
            now = self._clock()
            limit = str(self._rules.fair.max_running)
            await rows.write_setting(connection, MAX_RUNNING, limit)
            if await read_intake(connection) == "draining":
                await write_intake(connection, "open")
            await invariants.repair(connection)
            redeliveries = await outbox.resume(connection, now)
            running = await rows.running(connection)
            requeued = 0
            for row in running:
                requeued += await put_back(connection, self._rules, self._clips_folder, row, now)
        expired = await self.expire()
        async with self._database.transaction() as connection:
            found = await invariants.check(connection)
        lost = len(running) - requeued
        return Recovery(requeued, lost, len(expired), redeliveries, tuple(found))

    async def expire(self) -> list[str]:
        """Give up what waited too long, and take jobs from workers whose lease ended.

        Returns:
            The jobs that are terminal now.
        """
        ended: list[str] = []
        async with self._database.transaction() as connection:
            now = self._clock()
            lapsed = [row for row in await rows.running(connection) if row.lease_until_ms < now]
            for row in lapsed:
                again = await put_back(connection, self._rules, self._clips_folder, row, now)
                ended += [] if again else [row.id]
            limit_ms = self._rules.wait_limit_ms
            failure = Failure("expired", {"limit_hours": limit_ms / HOUR_MS})
            for row in await rows.waiting_since(connection, now - limit_ms):
                how = End(JobState.EXPIRED, failure=failure)
                await end(connection, self._rules, self._clips_folder, row, how, now)
                ended.append(row.id)
            await quotas.forget_networks(connection, self._rules.quota, now)
        return ended

    async def next_up(self) -> Job | None:
        """Return the job that would be claimed next; nothing changes."""
        fair = self._rules.fair
        async with self._database.transaction() as connection:
            line, _ = await fair_order.next_jobs(connection, fair.max_running, relax=fair.relax)
            return self._job(await rows.read(connection, line[0].id), line[0].id) if line else None

    async def forecast(self, job_id: str) -> Forecast | None:
        """Return where a job stands and when it should be ready; None once it is terminal.

        Raises:
            JobUnknown: no such job.
        """
        async with self._database.transaction() as connection:
            row = await rows.read(connection, job_id)
            if row is None:
                raise JobUnknown(job_id)
            if row.finished_at_ms is not None:
                return None
            running = _started(await rows.running(connection))
            own = Load(row.estimate_ms, row.spread_ms)
            ahead = await fair_order.ahead_of(connection, row)
        line = Line(running, {row.id: (own, ahead)}, self._rules.slots)
        return line.forecast(job_id, self._clock())

    async def standing(self, person: Requester, payer: Payer | None = None) -> Standing:
        """Return where the account of ``person`` stands, all of it at one moment."""
        async with self._database.transaction() as connection:
            account = Requester.from_key(await accounts.account_of(connection, person.key))
            running = await rows.running(connection)
            mine = self._jobs(row for row in running if row.user_key == account.key)
            waiting = await fair_order.ahead_of_all(connection, account.key)
            now = self._clock()
            return Standing(
                account=account,
                jobs=(*mine, *await self._waiting_of(connection, account)),
                counts=await self._counts(connection),
                quota=await quotas.view(
                    connection, self._rules.quota, payer or Payer.of(account), now
                ),
                line=Line(_started(running), waiting, self._rules.slots),
            )

    async def quota(self, requester: Requester, payer: Payer | None = None) -> QuotaView:
        """Return what ``requester`` may still spend from the account of ``payer``."""
        pays = payer or Payer.of(requester)
        async with self._database.transaction() as connection:
            return await quotas.view(connection, self._rules.quota, pays, self._clock())

    async def grant(self, requester: Requester, amount_ms: int) -> None:
        """Give ``requester`` more GPU-milliseconds in its window, or less where below 0.

        What is given to a guest is given to all of them: they have one account.
        """
        key = Payer.of(requester).key
        async with self._database.transaction() as connection:
            now = self._clock()
            await quotas.grant(connection, self._rules.quota, key, amount_ms, now)

    async def intake(self) -> Intake:
        """Return whether new jobs are accepted."""
        async with self._database.transaction() as connection:
            return await read_intake(connection)

    async def set_intake(self, state: Intake) -> None:
        """Accept new jobs or not; accepted ones go on. ``paused`` survives a restart."""
        async with self._database.transaction() as connection:
            await write_intake(connection, state)

    async def update_reply_to(self, job_id: str, reply_to: ReplyTo) -> None:
        """Replace where the result of a job goes.

        Raises:
            JobUnknown: no such job.
        """
        async with self._database.transaction() as connection:
            if not await rows.redirect(connection, job_id, reply_to):
                raise JobUnknown(job_id)

    async def erase(self, job_id: str, by: Requester, *, operator: bool = False) -> Job:
        """Delete a terminal job, with its delivery if that is still owed; files stay the caller's.

        Returns:
            What was deleted.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            AlreadyFinished: the other way round: it is not terminal, so cancel it first.
        """
        async with self._database.transaction() as connection:
            row = await rows.read(connection, job_id)
            gone = self._job(row, job_id)
            if gone.requester != by and not operator:
                raise NotYours(job_id)
            if not gone.state.terminal:
                raise AlreadyFinished(job_id, gone.state)
            await rows.remove(connection, [job_id])
        return gone

    async def prune(self, before_ms: int, limit: int = 500) -> list[Job]:
        """Delete jobs that ended before ``before_ms`` (epoch) and are told; files are the caller's.

        Returns:
            What was deleted, at most ``limit``; call again while it is full.
        """
        async with self._database.transaction() as connection:
            old = [self._job(row, row.id) for row in await rows.told(connection, before_ms, limit)]
            await rows.remove(connection, [job.id for job in old])
        return old


def _started(running: list[Row[Any]]) -> dict[str, Started]:
    return {
        row.id: Started(row.started_at_ms, Load(row.estimate_ms, row.spread_ms)) for row in running
    }
