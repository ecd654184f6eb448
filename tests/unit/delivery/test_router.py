"""Deliveries that are refused, delayed, doubled or stuck, on real rows."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from core.app.core import Core
from core.delivery.router import DeliveryRouter, RouterRules
from core.domain.jobs import Job, ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.domain.progress import Progress, Stage, Working
from core.errors import DeliveryImpossible, DeliveryRetry
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, running, t2v
from core.testing.jobs import submit_request
from tests.support.jobs import clip_in, until_ended

RULES = RouterRules(first_wait_s=0.02, longest_wait_s=0.05, poll_s=0.02, progress_every_s=0.02)
Finished = Callable[..., Awaitable[str]]


@asynccontextmanager
async def routing(router: DeliveryRouter) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(router.run(stop))
    try:
        async with asyncio.timeout(120):
            yield
    finally:
        stop.set()
        await task


@pytest.fixture
def router(core: Core) -> DeliveryRouter:
    return DeliveryRouter(
        core.outbox, core.hub, core.jobs.get, core.artefacts, RULES, core.jobs.drafts_of
    )


@pytest.fixture
def finished(core: Core) -> Finished:
    """Make a succeeded job whose clip is owed to ``platform``."""

    async def finished(platform: str = "test", key: str = "one") -> str:
        requester = Requester(platform, key)
        async with running(core):
            ticket = await submit_request(core, t2v(), requester, ReplyTo(platform), key)
            await until_ended(core, ticket.job_id)
        return ticket.job_id

    return finished


class Watching(RecordingDelivery):
    """Remembers what it was told of each attempt."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.attempts: list[DeliveryAttempt] = []
        self.tries = asyncio.Semaphore(0)

    async def tried(self, count: int) -> None:
        for _ in range(count):
            await self.tries.acquire()

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        self.attempts.append(attempt)
        self.tries.release()
        return await super().completed(job, clip, attempt)


async def test_a_refused_delivery_is_tried_again_with_the_same_nonce(
    router: DeliveryRouter, finished: Finished
) -> None:
    job_id = await finished()
    delivery = Watching()
    delivery.faults.extend([DeliveryRetry("busy"), DeliveryRetry("busy")])
    router.register(delivery)

    async with routing(router):
        await delivery.until(1)

    assert [attempt.number for attempt in delivery.attempts] == [1, 2, 3]
    assert len({attempt.nonce for attempt in delivery.attempts}) == 1
    assert not any(attempt.ambiguous for attempt in delivery.attempts)
    assert len(delivery.of(job_id)) == 1


async def test_the_platforms_own_waiting_time_is_respected(
    router: DeliveryRouter, finished: Finished
) -> None:
    await finished()
    delivery = RecordingDelivery()
    delivery.faults.append(DeliveryRetry("rate limit", after_s=0.09))
    router.register(delivery)
    loop = asyncio.get_running_loop()
    began = loop.time()

    async with routing(router):
        await delivery.until(1)

    assert loop.time() - began >= 0.09


async def test_a_message_that_may_have_been_stored_is_announced_as_ambiguous_and_shown_once(
    router: DeliveryRouter, finished: Finished
) -> None:
    job_id = await finished()
    delivery = Watching()
    delivery.faults.append(DeliveryRetry("connection lost", sent=True))
    router.register(delivery)

    async with routing(router):
        await delivery.tried(2)

    assert [attempt.ambiguous for attempt in delivery.attempts] == [False, True]
    assert [message.attempts for message in delivery.of(job_id)] == [2]


@pytest.mark.parametrize("fault", [DeliveryImpossible("gone"), None])
async def test_what_can_never_arrive_is_laid_aside_and_not_tried_again(
    core: Core, finished: Finished, fault: DeliveryImpossible | None
) -> None:
    await finished()
    delivery = Watching()
    delivery.faults.extend([fault] if fault else [DeliveryRetry("busy")] * 3)
    router = DeliveryRouter(
        core.outbox,
        core.hub,
        core.jobs.get,
        core.artefacts,
        RouterRules(3, 0.01, 0.01, poll_s=0.02),
        core.jobs.drafts_of,
    )
    router.register(delivery)

    async with routing(router):
        await eventually(lambda: nothing_owed(core))

    assert len(delivery.attempts) == (1 if fault else 3)
    assert delivery.shown == {}


async def test_a_defect_in_a_delivery_stays_its_own_and_is_tried_again(
    router: DeliveryRouter, finished: Finished
) -> None:
    job_id = await finished()
    delivery = Watching()
    delivery.faults.append(KeyError("defect"))
    router.register(delivery)

    async with routing(router):
        await delivery.until(1)

    assert [attempt.ambiguous for attempt in delivery.attempts] == [False, True]
    assert len(delivery.of(job_id)) == 1


async def test_a_stuck_platform_does_not_hold_up_another(
    router: DeliveryRouter, finished: Finished
) -> None:
    for number in range(6):
        await finished("stuck", f"key-{number}")
    job_id = await finished("quick", "last")
    stuck, quick = RecordingDelivery("stuck"), RecordingDelivery("quick")
    stuck.gate.clear()
    router.register(stuck)
    router.register(quick)

    async with routing(router):
        await quick.until(1)
        assert stuck.shown == {}
        stuck.gate.set()
        await stuck.until(6)

    assert len(quick.of(job_id)) == 1


async def test_a_delivery_that_hangs_is_cut_off_and_repeated(
    core: Core, finished: Finished
) -> None:
    job_id = await finished()
    rules = RouterRules(first_wait_s=0.01, timeout_s=0.05, poll_s=0.02)
    router = DeliveryRouter(
        core.outbox, core.hub, core.jobs.get, core.artefacts, rules, core.jobs.drafts_of
    )
    delivery = Watching()
    delivery.gate.clear()
    router.register(delivery)

    async with routing(router):
        await delivery.tried(2)
        delivery.gate.set()
        await delivery.until(1)

    assert delivery.attempts[1].ambiguous
    assert len(delivery.of(job_id)) == 1


async def test_a_platform_that_is_not_there_yet_is_owed_not_dead(
    router: DeliveryRouter, finished: Finished
) -> None:
    job_id = await finished("late", "one")
    delivery = RecordingDelivery("late")

    async with routing(router):
        await asyncio.sleep(0.05)
        router.register(delivery)
        await delivery.until(1)

    assert len(delivery.of(job_id)) == 1


async def test_progress_is_thinned_and_a_stuck_progress_delays_no_result(
    core: Core, executor: QuickExecutor
) -> None:
    class Slow(RecordingDelivery):
        async def progress(self, job: Job, event: Progress) -> None:
            await super().progress(job, event)
            await asyncio.Event().wait()

    delivery = Slow()
    core.router.register(delivery)
    executor.gate.clear()

    async with running(core), asyncio.timeout(120):
        ticket = await submit_request(core, t2v(), Requester("test", "a"), ReplyTo("test"), "one")
        await executor.started.wait()
        for step in range(100):
            core.hub.publish(ticket.job_id, Working(Stage.STAGE1, step, 100, step / 100))
            await asyncio.sleep(0)
        executor.gate.set()
        await delivery.until(1)

    assert len(delivery.events) <= 2


async def test_nothing_is_shown_after_the_result(core: Core) -> None:
    delivery = RecordingDelivery()
    core.router.register(delivery)

    async with running(core):
        ticket = await submit_request(core, t2v(), Requester("test", "a"), ReplyTo("test"), "one")
        await delivery.until(1)
        shown = len(delivery.events)
        core.hub.publish(ticket.job_id, Working(Stage.ENCODE, 1, 1, 1.0))
        await asyncio.sleep(0.2)

    assert len(delivery.events) == shown


async def test_a_clip_that_was_deleted_meanwhile_is_laid_aside(
    core: Core, router: DeliveryRouter, finished: Finished
) -> None:
    job_id = await finished()
    (await clip_in(core, job_id)).path.unlink()
    delivery = RecordingDelivery()
    router.register(delivery)

    async with routing(router):
        await eventually(lambda: nothing_owed(core))

    assert delivery.shown == {}


async def test_of_two_routers_at_the_same_rows_one_delivers(
    core: Core, router: DeliveryRouter, finished: Finished
) -> None:
    other = DeliveryRouter(
        core.outbox, core.hub, core.jobs.get, core.artefacts, RULES, core.jobs.drafts_of
    )
    jobs = [await finished(key=f"key-{number}") for number in range(4)]
    delivery = RecordingDelivery()
    router.register(delivery)
    other.register(delivery)

    async with routing(router), routing(other):
        await delivery.until(len(jobs))
        await eventually(lambda: nothing_owed(core))

    assert [message.attempts for job in jobs for message in delivery.of(job)] == [1] * len(jobs)


async def test_what_a_stopped_node_delivers_late_is_refused_and_shown_once(
    core: Core, router: DeliveryRouter, finished: Finished
) -> None:
    job_id = await finished()
    stopped, other = Watching(), Watching()
    stopped.gate.clear()
    router.register(stopped)
    second = DeliveryRouter(
        core.outbox, core.hub, core.jobs.get, core.artefacts, RULES, core.jobs.drafts_of
    )

    async with routing(router):
        await stopped.tried(1)
        async with core.database.transaction() as connection:
            await connection.execute(text("UPDATE outbox SET lease_until_ms = 1"))
        second.register(other)
        async with routing(second):
            await other.until(1)
            await eventually(lambda: nothing_owed(core))
        with capture_logs() as logs:
            stopped.gate.set()
            await eventually(lambda: said(logs, "late_result_refused"))

    assert [attempt.ambiguous for attempt in other.attempts] == [True]  # it looks before it posts
    assert len(other.of(job_id)) == 1


async def test_a_delivery_stops_where_its_lease_is_lost_while_it_hangs(
    core: Core, router: DeliveryRouter, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.delivery.router.LEASE_MS", 60)  # it is extended every 20 ms
    await finished()
    hanging = Watching()
    hanging.gate.clear()
    router.register(hanging)

    with capture_logs() as logs:
        async with routing(router):
            await hanging.tried(1)
            async with core.database.transaction() as connection:
                await connection.execute(text("UPDATE outbox SET token = 'of another node'"))
            await eventually(lambda: said(logs, "late_result_refused"))

    assert hanging.shown == {}, "it went on beside who has it now"


async def test_what_a_slow_database_is_just_beginning_is_not_begun_again(
    core: Core, router: DeliveryRouter, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await finished()
    begun, looked, answers = 0, asyncio.Semaphore(0), asyncio.Event()
    begin, due = core.outbox.begin, core.outbox.due

    async def slow(key: str) -> Any:
        nonlocal begun
        begun += 1
        await answers.wait()
        return await begin(key)

    async def seen(*args: Any) -> Any:
        looked.release()
        return await due(*args)

    monkeypatch.setattr(core.outbox, "begin", slow)
    monkeypatch.setattr(core.outbox, "due", seen)
    delivery = RecordingDelivery()
    router.register(delivery)

    async with routing(router):
        for _ in range(3):
            await looked.acquire()
        answers.set()
        await delivery.until(1)

    assert begun == 1
    assert len(delivery.of(job_id)) == 1


async def said(logs: list[Any], event: str) -> bool:
    return any(entry["event"] == event for entry in logs)


def test_waits_double_up_to_the_longest() -> None:
    rules = RouterRules(first_wait_s=2, longest_wait_s=60)

    assert [rules.wait_s(attempt, None) for attempt in (1, 2, 3, 10, 500)] == [2, 4, 8, 60, 60]
    assert rules.wait_s(1, DeliveryRetry("busy", after_s=90)) == 90


async def nothing_owed(core: Core) -> bool:
    """Return whether every row is sent or dead."""
    async with core.database.transaction() as connection:
        count = await connection.scalar(
            text("SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')")
        )
    return count == 0


@pytest.mark.parametrize("after_s", [float("inf"), 30 * 86_400.0, 1e300])
def test_a_pause_of_days_or_without_end_is_looked_at_after_the_longest_wait(after_s) -> None:
    rules = RouterRules(first_wait_s=2, longest_wait_s=60)

    assert rules.wait_s(1, DeliveryRetry("busy", after_s=after_s)) == 60


@pytest.mark.parametrize("after_s", [float("nan"), -5.0, float("-inf")])
def test_a_pause_that_is_none_leaves_it_to_the_backoff(after_s) -> None:
    rules = RouterRules(first_wait_s=2, longest_wait_s=60)

    assert rules.wait_s(2, DeliveryRetry("busy", after_s=after_s)) == 4
