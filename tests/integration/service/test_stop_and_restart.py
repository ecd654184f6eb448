import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.domain.jobs import JobState, ReplyTo
from core.domain.people import Requester
from core.errors import DeliveryRetry, IntakeClosed
from core.errors.setup import DataDirectoryBusy
from core.settings import Settings
from core.storage.invariants import check
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, t2v
from core.testing.jobs import submit_request
from tests.support.jobs import until_ended

HERE = ReplyTo("test", {"channel": "1"})


async def test_a_stop_lets_the_running_job_finish(
    settings: Settings, executor: QuickExecutor, delivery: RecordingDelivery, ann: Requester
) -> None:
    executor.gate.clear()
    async with open_core(settings, executor) as core, running(core) as stop:
        core.router.register(delivery)
        ticket = await submit_request(core, t2v(), ann, HERE, "one")
        await executor.started.wait()
        stop.set()
        asyncio.get_running_loop().call_later(0.1, executor.gate.set)
        await delivery.until(1)

        assert (await core.jobs.get(ticket.job_id)).state is JobState.SUCCEEDED
        with pytest.raises(IntakeClosed):
            await submit_request(core, t2v(), ann, HERE, "two")


async def test_after_the_grace_the_running_job_goes_back_in_line_and_runs_at_the_next_start(
    settings_with: Callable[..., Settings], delivery: RecordingDelivery, ann: Requester
) -> None:
    settings = settings_with(shutdown_grace_s=0.05)
    stuck = QuickExecutor()
    stuck.gate.clear()
    async with open_core(settings, stuck) as core:
        core.router.register(delivery)
        async with running(core):
            ticket = await submit_request(core, t2v(), ann, HERE, "one")
            await stuck.started.wait()
        job = await core.jobs.get(ticket.job_id)
        assert job.state.waiting
        assert job.attempt == 1

    async with open_core(settings, QuickExecutor()) as core, running(core):
        core.router.register(delivery)
        await delivery.until(1)
        job = await core.jobs.get(ticket.job_id)

    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    assert [message.kind for message in delivery.of(job.id)] == ["completed"]


async def test_an_owed_clip_is_delivered_once_after_a_restart(
    settings: Settings, delivery: RecordingDelivery, ann: Requester
) -> None:
    async with open_core(settings, QuickExecutor()) as core, running(core):
        ticket = await submit_request(core, t2v(), ann, HERE, "one")
        await until_ended(core, ticket.job_id)

    for _ in range(2):
        async with open_core(settings, QuickExecutor()) as core:
            core.router.register(delivery)
            async with running(core):
                await delivery.until(1)

    assert [message.attempts for message in delivery.of(ticket.job_id)] == [1]


async def test_a_delivery_cut_off_by_a_crash_is_repeated_as_ambiguous(
    settings: Settings, tmp_path: Path, ann: Requester
) -> None:
    """The message was stored, but nobody wrote that down."""
    book = tmp_path / "book"
    first = RecordingDelivery(book=book)
    first.faults.append(DeliveryRetry("connection lost", after_s=0.0, sent=True))
    async with open_core(settings, QuickExecutor()) as core:
        core.router.register(first)
        async with running(core):
            ticket = await submit_request(core, t2v(), ann, HERE, "one")
            await first.until(1)

    second = RecordingDelivery(book=book)
    async with open_core(settings, QuickExecutor()) as core:
        core.router.register(second)
        async with running(core) as stop:
            stop.set()

    assert len(second.of(ticket.job_id)) == 1
    assert len(book.read_text().splitlines()) == 1


async def test_a_second_process_on_the_same_folder_is_refused(settings: Settings) -> None:
    async with open_core(settings, QuickExecutor()):
        with pytest.raises(DataDirectoryBusy):
            async with open_core(settings, QuickExecutor()):
                pass


async def test_what_a_dead_process_left_in_the_work_folder_is_removed(settings: Settings) -> None:
    async with open_core(settings, QuickExecutor()):
        left = settings.work_folder / f"{'a' * 32}.{'b' * 8}" / "frames"
        left.mkdir(parents=True)

    async with open_core(settings, QuickExecutor()):
        assert list(settings.work_folder.iterdir()) == []


async def test_the_database_holds_together_after_a_stop_with_jobs_in_every_state(
    settings_with: Callable[..., Settings], delivery: RecordingDelivery, ann: Requester
) -> None:
    settings = settings_with(shutdown_grace_s=0.05, max_queued=10)
    executor = QuickExecutor()
    executor.faults.append(RuntimeError("defect"))
    async with open_core(settings, executor) as core:
        core.router.register(delivery)
        async with running(core):
            for number in range(3):
                await submit_request(core, t2v(), ann, HERE, f"done-{number}")
            await delivery.until(3)
            executor.gate.clear()
            executor.started.clear()
            tickets = [
                await submit_request(core, t2v(), ann, HERE, f"left-{number}")
                for number in range(3)
            ]
            await executor.started.wait()
            await core.cancellation.cancel(tickets[-1].job_id, ann)
        async with core.database.transaction() as connection:
            assert await check(connection) == []
