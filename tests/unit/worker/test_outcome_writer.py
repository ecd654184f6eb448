"""What the writer of outcomes tells whom, and how long it goes on where nobody takes them."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from core.artefacts.folder import FolderArtefacts
from core.domain.jobs import Failure, Job, JobState, ReplyTo, RequeueReason
from core.domain.people import Requester
from core.errors.storage import StorageUnavailable
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.testing.doubles import t2v
from core.worker.attempt import JobAttempt, RunRecord
from core.worker.outcome_writer import OutcomeWriter, Record
from core.worker.transfers import ArtefactTransfers

if TYPE_CHECKING:
    from core.interfaces.work_queue import WorkQueue

JOB = Job(
    *("a" * 32, Requester("test", "ann"), t2v(), ReplyTo("test"), JobState.RUNNING, 1000, 1),
    token="b" * 32,
    created_at_ms=0,
)


class AwayQueue:
    """Rows that cannot be reached; counts how often they were tried."""

    def __init__(self) -> None:
        self.tries = 0
        self.tried = asyncio.Event()

    async def requeue(
        self, job_id: str, token: str, why: RequeueReason = RequeueReason.LOST
    ) -> bool:
        del job_id, token, why
        self.tries += 1
        self.tried.set()
        raise StorageUnavailable("away")


class AnsweringQueue:
    """Says whether the attempt still had its job."""

    def __init__(self, *, had: bool) -> None:
        self._had = had

    async def fail(self, *_: object) -> bool:
        return self._had


async def no_history(run: RunRecord) -> None:
    del run


def writer_of(
    queue: object, folder: Path, retry_s: float = 0.01, record: Record = no_history
) -> OutcomeWriter:
    transfers = ArtefactTransfers(FolderArtefacts(folder))
    line = cast("WorkQueue", queue)
    dispatcher, hub = LocalDispatcher(), ProgressHub()
    return OutcomeWriter(line, record, transfers, dispatcher, hub, lambda: None, retry_s)


async def test_a_stop_does_not_wait_until_an_outcome_would_be_tried_again(tmp_path: Path) -> None:
    """The waits grow to half a minute, longer than a service manager may give."""
    queue = AwayQueue()
    writer = writer_of(queue, tmp_path, retry_s=20)
    writing = asyncio.create_task(writer.requeue(JobAttempt(JOB, tmp_path, LocalDispatcher())))
    await queue.tried.wait()
    for _ in range(10):  # until it waits
        await asyncio.sleep(0)
    writer.end()

    async with asyncio.timeout(15):
        assert await writing is None
    assert queue.tries == 2


async def test_once_the_service_stops_an_outcome_is_tried_twice_and_left(tmp_path: Path) -> None:
    queue = AwayQueue()
    writer = writer_of(queue, tmp_path, retry_s=0.01)
    writer.end()

    assert await writer.requeue(JobAttempt(JOB, tmp_path, LocalDispatcher())) is None
    assert queue.tries == 2


@pytest.mark.parametrize("had", [True, False])
async def test_history_gets_what_an_attempt_made_of_its_own_job_alone(
    tmp_path: Path, *, had: bool
) -> None:
    """Another one has it where the token was lost, and what that makes is noted then."""
    noted: list[RunRecord] = []

    async def record(run: RunRecord) -> None:
        noted.append(run)

    writer = writer_of(AnsweringQueue(had=had), tmp_path, record=record)

    await writer.settle(JobAttempt(JOB, tmp_path, LocalDispatcher()), Failure("out_of_memory"))

    assert [run.job for run in noted] == [JOB] * had
