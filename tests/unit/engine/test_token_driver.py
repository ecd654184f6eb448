"""A worker driven by tokens of the engine: each job once, whatever becomes of its token."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.app.core import Core
from core.domain.jobs import JobState
from core.domain.people import Requester
from core.engine.token_driver import TokenDriver
from core.storage import job_moves
from core.storage.work_tokens import WorkTokens, queue_of
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, running
from tests.support.postgres import PostgresServer
from tests.unit.engine.conftest import TOKENS, NewLife, submit

pytestmark = pytest.mark.postgres

FREE_TOKENS = f"{TOKENS} AND status = 'todo'"


async def test_on_a_server_the_engine_drives_the_worker(
    core: Core, delivery: RecordingDelivery, count: Callable[[str], int]
) -> None:
    assert isinstance(core.driver, TokenDriver)
    core.router.register(delivery)
    before = await submit(core, "ann")
    assert count(FREE_TOKENS) == 1

    async with running(core), asyncio.timeout(30):
        while_it_runs = await submit(core, "ben")
        await delivery.until(2)

    for job in (before, while_it_runs):
        assert (await core.jobs.get(job)).state is JobState.SUCCEEDED
    assert count(TOKENS) == 0


async def test_a_submit_that_is_rolled_back_leaves_no_token(
    core: Core, count: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    add = job_moves.add

    async def fail(*arguments: Any) -> None:
        await add(*arguments)
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(job_moves, "add", fail)  # the last thing in its transaction
        with pytest.raises(ZeroDivisionError):
            await submit(core, "ann")
        assert count(TOKENS) == 0

    await submit(core, "ann")
    assert count(TOKENS) == 1


async def test_each_return_to_the_line_adds_a_token(
    core: Core, count: Callable[[str], int]
) -> None:
    await submit(core, "ann")
    job = await core.queue.claim()
    assert job is not None
    assert count(TOKENS) == 1

    assert await core.queue.requeue(job.id, job.token or "")

    assert count(TOKENS) == 2


async def test_whoever_a_limit_of_running_jobs_held_back_is_looked_for_when_one_ends(
    core: Core, count: Callable[[str], int], postgres_server: PostgresServer
) -> None:
    first, second = await submit(core, "ann"), await submit(core, "ann", 1)
    assert await core.queue.claim() is not None
    with postgres_server.connect() as connection:  # both found nothing that may run
        connection.execute("DELETE FROM procrastinate_jobs")

    await core.queue.cancel(first, Requester("test", "ann"))

    assert count(FREE_TOKENS) == 1
    assert (await core.jobs.get(second)).state is JobState.HELD


async def test_tokens_that_went_missing_are_added_and_no_more(
    core: Core, count: Callable[[str], int], postgres_server: PostgresServer
) -> None:
    for user in ("ann", "ben", "cem"):
        await submit(core, user)
    with postgres_server.connect() as connection:
        connection.execute("DELETE FROM procrastinate_jobs WHERE id % 2 = 0")
    before, tokens = count(FREE_TOKENS), WorkTokens(core.database)

    assert await tokens.top_up() == 3 - before
    assert await tokens.top_up() == 0
    assert count(FREE_TOKENS) == 3


async def test_a_token_that_waits_for_the_device_leaves_one_for_who_has_a_free_one(
    core: Core, executor: QuickExecutor, count: Callable[[str], int]
) -> None:
    executor.gate.clear()
    async with running(core), asyncio.timeout(30):
        for user in ("ann", "ben"):  # the tokens of both are taken; only one job is
            await submit(core, user)
        await executor.started.wait()

        async def left_one() -> bool:
            return count(FREE_TOKENS) == 1

        await eventually(left_one)
        executor.gate.set()


async def test_a_stop_requeues_uncounted_and_the_next_service_goes_on(
    core: Core, executor: QuickExecutor, delivery: RecordingDelivery, count: Callable[[str], int]
) -> None:
    core.router.register(delivery)
    core.worker.rules = replace(core.worker.rules, grace_s=0.05)
    executor.gate.clear()
    async with running(core), asyncio.timeout(30):
        jobs = [await submit(core, user) for user in ("ann", "ben", "cem")]
        await executor.started.wait()

    found = [await core.jobs.get(job) for job in jobs]
    assert [job.state.waiting for job in found] == [True, True, True]
    assert [job.losses for job in found] == [0, 0, 0]
    assert count(FREE_TOKENS) >= 1


async def test_a_killed_worker_leaves_no_job_behind_with_its_tokens(
    core: Core, life: NewLife, delivery: RecordingDelivery, count: Callable[[str], int]
) -> None:
    core.router.register(delivery)
    async with asyncio.timeout(60), life("hold") as process:
        jobs = [await submit(core, user) for user in ("ann", "ben", "cem")]
        assert process.stdout is not None
        while not (line := await process.stdout.readline()).startswith(b"order "):
            assert line
        held = line.decode().split()[1]
        await eventually(lambda: asyncio.sleep(0, count(f"{TOKENS} AND status = 'doing'") == 3))
        process.kill()
        await process.wait()
        assert held in jobs

        async with running(core):
            await delivery.until(2)  # the third is his who died, until its lease ends
    states = {(await core.jobs.get(job)).state for job in jobs if job != held}
    assert states == {JobState.SUCCEEDED}


@pytest.mark.parametrize("pool", ["default", "p" * 40, "p" * 41, "größer" * 10])
def test_a_pool_of_any_name_has_a_queue_that_both_sides_call_alike(
    postgres_server: PostgresServer, pool: str
) -> None:
    postgres_server.empty()
    with postgres_server.connect() as connection:
        connection.execute("SELECT clapper_defer(%s, 1)", [pool])
        found = connection.execute("SELECT queue_name FROM procrastinate_jobs").fetchall()

    assert found == [(queue_of(pool),)]


async def test_an_idle_worker_finds_a_job_that_has_no_token(
    core: Core, delivery: RecordingDelivery, postgres_server: PostgresServer
) -> None:
    core.router.register(delivery)
    core.worker.rules = replace(core.worker.rules, poll_s=0.1)
    await submit(core, "ann")
    with postgres_server.connect() as connection:
        connection.execute("ALTER TABLE job DISABLE TRIGGER USER")
        connection.execute("DELETE FROM procrastinate_jobs")
    try:
        async with running(core), asyncio.timeout(30):
            await delivery.until(1)
    finally:
        with postgres_server.connect() as connection:
            connection.execute("ALTER TABLE job ENABLE TRIGGER USER")


async def test_pools_that_appear_later_and_vanish_are_followed(
    core: Core, count: Callable[[str], int], postgres_server: PostgresServer
) -> None:
    pools, driver = ["default"], core.driver
    assert isinstance(driver, TokenDriver)
    core.worker.rules = replace(core.worker.rules, poll_s=0.1)
    driver._pools = lambda: tuple(pools)

    def put_token(queue: str) -> None:
        with postgres_server.connect() as connection:
            connection.execute(
                "INSERT INTO procrastinate_jobs (task_name, queue_name) VALUES (%s, %s)",
                ("clapper:attempt", queue),
            )

    async def taken() -> bool:
        return count(TOKENS) == 0

    put_token("attic")
    async with running(core), asyncio.timeout(60):
        put_token("default")

        async def own_taken() -> bool:
            return count(f"{TOKENS} AND queue_name = 'default'") == 0

        await eventually(own_taken)
        assert count(TOKENS) == 1  # nobody here knows the other pool
        pools.append("attic")
        await eventually(taken)

        pools.remove("attic")
        put_token("attic")
        await eventually(own_taken)
        pools.remove("default")
        put_token("default")
        pools.append("cellar")
        put_token("cellar")

        async def last_taken() -> bool:
            return count(f"{TOKENS} AND queue_name = 'cellar'") == 0

        await eventually(last_taken)
        assert count(f"{TOKENS} AND queue_name = 'default'") == 1
