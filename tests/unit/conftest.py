"""A queue on a real database in tmp_path, with a clock that the test moves."""

import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from core.accounts.quotas import Quotas
from core.domain.jobs import Job, JobState, ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.queue.forecasts import Forecasts
from core.queue.intake import IntakeSwitch
from core.queue.job_queue import AcceptedJob, JobQueue, NewJob, QueueRules
from core.queue.recovery import Recovery
from core.storage.database import Database, open_database
from core.storage.invariants import Violation, check
from core.storage.job_queries import JobQueries
from core.storage.outbox import Outbox
from core.testing.doubles import ManualClock, t2v


@dataclass
class Room:
    """Everything a test of the queue needs."""

    database: Database
    folder: Path
    clock: ManualClock
    rules: QueueRules

    @property
    def queue(self) -> JobQueue:
        return JobQueue(self.database, self.rules, self.folder / "clips", self.clock)

    @property
    def jobs(self) -> JobQueries:
        return JobQueries(self.database, self.folder / "clips")

    @property
    def recovery(self) -> Recovery:
        return Recovery(self.database, self.rules, self.folder / "clips", self.clock)

    @property
    def forecasts(self) -> Forecasts:
        return Forecasts(self.database, self.rules, self.folder / "clips", self.clock)

    @property
    def quotas(self) -> Quotas:
        return Quotas(self.database, self.rules.quota, self.clock)

    @property
    def intake(self) -> IntakeSwitch:
        return IntakeSwitch(self.database)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.database, self.folder / "clips", self.clock)

    def limit(self, **changes: object) -> None:
        self.rules = replace(self.rules, **changes)

    def new(self, user: str = "anna", estimate_ms: int = 1000, key: str | None = None) -> NewJob:
        job_id = uuid4().hex
        requester = Requester("discord", user)
        reply_to = ReplyTo("discord", {"channel": "1"})
        return NewJob(job_id, requester, t2v(), reply_to, estimate_ms, key or job_id)

    async def submit(self, user: str = "anna", estimate_ms: int = 1000) -> Job:
        submitted: AcceptedJob = await self.queue.submit(self.new(user, estimate_ms))
        return submitted.job

    async def start(self) -> Job:
        job = await self.queue.claim()
        assert job is not None
        assert job.state is JobState.RUNNING
        return job

    async def finish(self, job: Job, actual_ms: int | None = None) -> Job:
        actual = job.estimate_ms if actual_ms is None else actual_ms
        assert await self.queue.settle(job.id, job.token or "", self.clip(job.id), actual)
        return await self.jobs.get(job.id)

    def clip(self, name: str) -> Clip:
        clips = self.folder / "clips"
        return Clip(
            path=clips / f"{name}.mp4",
            poster=clips / f"{name}.png",
            sha256="5" * 64,
            size_bytes=10,
            width=64,
            height=64,
            frames=9,
            fps=24.0,
            has_sound=True,
        )

    async def violations(self) -> list[Violation]:
        async with self.database.transaction() as connection:
            return await check(connection)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def room(
    tmp_path: Path, clock: ManualClock, new_database: Callable[[Path], str]
) -> AsyncIterator[Room]:
    async with open_database(new_database(tmp_path), tmp_path, clock) as database:
        room = Room(database, tmp_path, clock, QueueRules())
        await room.recovery.recover()
        yield room
        assert await room.violations() == []


@pytest.fixture
def quick_folder() -> Callable[[], tempfile.TemporaryDirectory[str]]:
    """Make folders in memory where there is room for that: property tests make many databases."""
    memory = Path("/dev/shm")
    return partial(tempfile.TemporaryDirectory, dir=memory if memory.is_dir() else None)


@pytest.fixture
def make_room() -> Callable[[Database, Path, ManualClock, QueueRules], Room]:
    """For tests that open the database themselves."""
    return Room
