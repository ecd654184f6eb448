import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import JobState, ReplyTo, Ticket
from core.domain.people import Requester
from core.domain.progress import Downloading, Stage, Working
from core.errors import AlreadyFinished, JobUnknown, NotYours
from core.settings import Settings
from core.testing.doubles import (
    ManualClock,
    QuickExecutor,
    RecordingDelivery,
    eventually,
    running,
    t2v,
)
from core.testing.jobs import submit_request
from tests.support.jobs import caller

Submit = Callable[..., Awaitable[Ticket]]
Check = Callable[[], Awaitable[None]]


async def test_a_waiting_job_is_cancelled_refunded_and_told(
    core: Core, delivery: RecordingDelivery, submit: Submit, ann: Requester, sound_ledger: Check
) -> None:
    core.router.register(delivery)
    ticket = await submit()

    job = await core.cancellation.cancel(ticket.job_id, ann)
    async with running(core):
        await delivery.until(1)

    assert job.state is JobState.CANCELLED
    assert [message.kind for message in delivery.of(job.id)] == ["cancelled"]
    assert (await core.quotas.quota(ann)).reserved_ms == 0
    assert (await core.quotas.quota(ann)).used_ms == 0
    await sound_ledger()


async def test_a_running_job_stops_at_once_and_frees_the_device(
    core: Core,
    executor: QuickExecutor,
    delivery: RecordingDelivery,
    submit: Submit,
    ann: Requester,
    sound_ledger: Check,
) -> None:
    core.router.register(delivery)
    executor.gate.clear()

    async with running(core), asyncio.timeout(120):
        first = await submit("first")
        await executor.started.wait()
        await core.cancellation.cancel(first.job_id, ann)
        executor.started.clear()
        second = await submit("second")
        await executor.started.wait()
        executor.gate.set()
        await delivery.until(2)

    assert [message.kind for message in delivery.of(first.job_id)] == ["cancelled"]
    assert [message.kind for message in delivery.of(second.job_id)] == ["completed"]
    await sound_ledger()


async def test_a_cancel_while_the_clip_is_encoded_leaves_no_file(
    core: Core,
    executor: QuickExecutor,
    delivery: RecordingDelivery,
    submit: Submit,
    ann: Requester,
    sound_ledger: Check,
    encoder: Any,
) -> None:
    core.router.register(delivery)
    encoder.gate.clear()

    async with running(core), asyncio.timeout(120):
        ticket = await submit()
        await encoder.started.wait()
        await core.cancellation.cancel(ticket.job_id, ann)
        encoder.gate.set()
        await delivery.until(1)

    assert [message.kind for message in delivery.of(ticket.job_id)] == ["cancelled"]
    assert list(core.settings.clips_folder.glob("[!.]*")) == []
    await sound_ledger()


async def test_a_second_cancel_is_told_that_nothing_is_left_to_stop(
    core: Core, submit: Submit, ann: Requester
) -> None:
    ticket = await submit()
    await core.cancellation.cancel(ticket.job_id, ann)

    with pytest.raises(AlreadyFinished):
        await core.cancellation.cancel(ticket.job_id, ann)


async def test_a_finished_job_cannot_be_cancelled(
    core: Core, delivery: RecordingDelivery, submit: Submit, ann: Requester
) -> None:
    core.router.register(delivery)
    async with running(core):
        ticket = await submit()
        await delivery.until(1)

    with pytest.raises(AlreadyFinished):
        await core.cancellation.cancel(ticket.job_id, ann)
    assert (await core.jobs.get(ticket.job_id)).state is JobState.SUCCEEDED


async def test_nobody_cancels_or_reads_somebody_elses_job(
    core: Core, submit: Submit, ben: Requester
) -> None:
    ticket = await submit()

    with pytest.raises(NotYours):
        await core.cancellation.cancel(ticket.job_id, ben)
    with pytest.raises(NotYours):
        await core.users.job(caller(ben), ticket.job_id)
    with pytest.raises(NotYours):
        await core.users.clips.get(caller(ben), ticket.job_id)
    assert (await core.jobs.get(ticket.job_id)).state.waiting


async def test_an_operator_may_cancel_any_job(core: Core, submit: Submit, ben: Requester) -> None:
    ticket = await submit()

    job = await core.local_operator(ben).cancel(ticket.job_id)

    assert job.state is JobState.CANCELLED
    assert job.failure is not None
    assert job.failure.data["by"] == "operator"


async def test_an_unknown_job_is_unknown(core: Core, ann: Requester) -> None:
    with pytest.raises(JobUnknown):
        await core.cancellation.cancel("0" * 32, ann)


async def test_cancel_and_settle_at_the_same_moment_give_one_terminal_state(
    core: Core, delivery: RecordingDelivery, submit: Submit, ann: Requester, sound_ledger: Check
) -> None:
    core.router.register(delivery)
    begun: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
    core.hub.listen(lambda job_id, _: begun[job_id].set())

    async with running(core):
        tickets = [await submit(f"key-{number}") for number in range(4)]
        for ticket in tickets:
            await begun[ticket.job_id].wait()
            await asyncio.gather(
                core.cancellation.cancel(ticket.job_id, ann), return_exceptions=True
            )
        await delivery.until(4)

    for ticket in tickets:
        assert len(delivery.of(ticket.job_id)) == 1
    await sound_ledger()


class FetchingExecutor(QuickExecutor):
    """Fetches and loads models for a while, and then stands on the device."""

    def __init__(self, fetching: Callable[[], None]) -> None:
        super().__init__()
        self._fetching = fetching

    async def execute(self, order, on_progress, cancel):
        on_progress(Downloading("a.safetensors", 1, 10))
        self._fetching()
        on_progress(Working(Stage.LOAD, 0, 1, 0.1))
        self._fetching()
        return await super().execute(order, on_progress, cancel)


async def test_the_owner_of_a_cancelled_job_pays_for_no_download_and_no_loading(
    settings: Settings, delivery: RecordingDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, passed = ManualClock(), [0.0]
    monkeypatch.setattr("core.worker.attempt.time", SimpleNamespace(monotonic=lambda: passed[0]))

    def ten_minutes() -> None:
        passed[0] += 600
        clock.forward(600)

    executor = FetchingExecutor(ten_minutes)
    executor.gate.clear()
    ann = Requester("test", "ann")
    sampling = replace(t2v().sampling, width=1280, height=704, frames=481)
    long = replace(t2v(), sampling=sampling)
    async with open_core(settings, executor, clock=clock) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            ticket = await submit_request(core, long, ann, ReplyTo("test"), "one")
            await executor.started.wait()
            await eventually(lambda: has_begun(core, ticket.job_id))
            passed[0] += 1
            clock.forward(1)
            job = await core.cancellation.cancel(ticket.job_id, ann)

    assert job.estimate_ms > 1000
    assert job.charged_ms == 1000


async def has_begun(core: Core, job_id: str) -> bool:
    return (await core.jobs.get(job_id)).started_at_ms is not None
