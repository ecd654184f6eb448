"""Faults at every N-th write and lock of a running service: a program and its webhook see none."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from errno import EAGAIN, EIO, ENOSPC, EROFS
from itertools import product
from pathlib import Path

import pytest
import pytest_asyncio

from core.settings import DATABASE_NAME
from tests.torture.board import LOCKS
from tests.torture.conftest import COUNTS, Some
from tests.torture.served import Served, receiving

pytestmark = [
    pytest.mark.xdist_group("torture"),
    pytest.mark.timeout(3000),
    pytest.mark.asyncio(loop_scope="module"),
]
WRITES = 120  # about as many as a job of the service makes; and 80 locks
CAUSES = {EIO: "storage_faulty", ENOSPC: "storage_full", EROFS: "storage_read_only"}
FAILURES = [  # first write, how many, and each error in turn
    (after, times, list(CAUSES)[number % len(CAUSES)])
    for number, (after, times) in enumerate(product(range(0, WRITES, 3), (1, 3, 5, 12)))
]
HELD = [*product(range(0, 80, 4), (1, 5)), *product(range(2, 80, 13), (200,))]  # lock, how many
# checks that fail where rows cannot be read or written, or come late on a busy machine
OF_ROWS = {"database", "queue", "deliveries", "loop"}
UNTIL_DISARMED = 10**9


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(
    tmp_path_factory: pytest.TempPathFactory, preload: Path, pytestconfig: pytest.Config
) -> AsyncGenerator[Served]:
    """One service for all trials; what became of all jobs is looked at when it has stopped."""
    counts = pytestconfig.stash[COUNTS]
    async with receiving() as receiver:
        service = Served(tmp_path_factory.mktemp("served"), preload, receiver, counts)
        try:
            await service.begin()
            yield service
            assert await service.stop() == 0
            await service.assert_whole()
        finally:
            await service.end()
    counts["jobs"] += len(service.jobs)


@pytest_asyncio.fixture(loop_scope="module")
async def served(service: Served) -> Served:
    """The service, of which nothing is known to be wrong."""
    service.board.disarm()
    service.refusals.clear()
    await service.ready()
    return service


async def test_writes_that_fail_in_a_running_service_cost_nobody_anything(
    served: Served, some: Some
) -> None:
    async with served.watched() as seen:
        for number, (after, times, error) in enumerate(some(FAILURES, 25)):
            served.board.arm(after, times, error)
            job_id = await served.accepted(f"{after}-{times}-{error}")
            if number % 3 == 2:
                await served.cancelled(job_id)
            await served.receiver.told(job_id)
            served.board.disarm()
        await served.ready()

    assert seen.dead == 0, "its loop went round all the time"
    assert set(seen.troubles) <= OF_ROWS
    assert set(served.refusals) <= {(503, "storage_unavailable", why) for why in CAUSES.values()}


async def test_locks_that_somebody_else_holds_cost_nobody_anything(
    served: Served, some: Some
) -> None:
    async with served.watched() as seen:
        for after, times in some(HELD, 17):
            served.board.arm(after, times, EAGAIN, LOCKS)
            await served.receiver.told(await served.accepted(f"lock {after}-{times}"))
            served.board.disarm()
        await served.ready()

    assert seen.dead == 0
    assert set(seen.troubles) <= OF_ROWS
    assert set(served.refusals) <= {(503, "storage_unavailable", "database_locked")}


async def test_a_death_at_any_write_of_a_running_service_loses_nothing(
    served: Served, some: Some
) -> None:
    """The second death is at the same write of what the next life does first."""
    for number, after in enumerate(some(range(0, WRITES, 3), 20)):
        served.board.kill_at(after, 2)
        job_id = await served.accepted(f"death {after}")
        if number % 3 == 2:
            await served.cancelled(job_id)
        await served.receiver.told(job_id)
        served.counts["deaths"] += served.board.disarm()
        await served.ready()


@pytest.mark.parametrize("error", [pytest.param(error, id=CAUSES[error]) for error in CAUSES])
async def test_a_disk_that_stays_bad_is_told_by_its_cause_until_it_is_well(
    served: Served, error: int
) -> None:
    cause, before = CAUSES[error], len(served.log)
    served.board.arm(0, UNTIL_DISARMED, error)

    refused = await served.ask(cause)
    live, ready = await served.probe("livez"), await served.probe("readyz")
    served.board.disarm()

    assert refused
    assert (refused.status_code, refused.json()["data"]) == (503, {"reason": cause})
    assert live
    assert live.status_code == 200
    assert ready
    assert ready.status_code == 503
    told = ready.json()
    assert told["troubles"] == ["database"]
    assert told["checks"][0] == {"name": "database", "ok": False, "facts": {"trouble": cause}}
    await served.ready()  # nobody wrote since, and it finds out by itself
    await served.receiver.told(await served.accepted(cause))
    assert served.log[before:].count(f"cause={cause}") == 2, "its beginning and its end"


async def test_a_foreign_lock_is_told_while_it_lasts(served: Served) -> None:
    with closing(sqlite3.connect(served.data / DATABASE_NAME, timeout=60)) as other:
        other.execute("BEGIN IMMEDIATE")
        live, ready = await served.probe("livez"), await served.probe("readyz")
        refused = await served.ask("held")  # after BUSY_MS
        other.rollback()

    assert live
    assert live.status_code == 200
    assert ready
    assert ready.status_code == 503
    assert "database" in ready.json()["troubles"]
    assert refused
    assert (refused.status_code, refused.json()["data"]) == (503, {"reason": "database_locked"})
    await served.ready()
    await served.receiver.told(await served.accepted("held"))
