"""Several workers of the engine at the same rows: each job is settled once."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.settings import Settings
from core.testing.copied_clips import copied_clips
from core.testing.doubles import QuickExecutor, eventually, running
from tests.unit.engine.conftest import TOKENS, NewLife, submit

pytestmark = pytest.mark.postgres

JOBS = 100
SETTLED = "job_event WHERE what = 'succeeded'"
WITHIN_S = 20


@pytest.fixture
async def jobs(core: Core) -> list[str]:
    core.worker.finish = copied_clips(core.worker.finish)
    return [await submit(core, f"user-{number}") for number in range(JOBS)]


def until_settled(count: Callable[[str], int]) -> Callable[[], object]:
    async def all_are() -> bool:
        await asyncio.sleep(0.1)
        return count("job WHERE finished_at_ms IS NOT NULL") == JOBS

    return all_are


async def see_each_settled_once(core: Core, jobs: list[str], count: Callable[[str], int]) -> None:
    assert count(SETTLED) == JOBS
    assert {(await core.jobs.get(job)).attempt for job in jobs} == {1}
    assert count(f"{TOKENS} AND status = 'todo'") == 0


async def test_two_workers_in_one_process_settle_each_job_once(
    core: Core,
    executor: QuickExecutor,
    jobs: list[str],
    settings_with: Callable[..., Settings],
    tmp_path: Path,
    count: Callable[[str], int],
) -> None:
    second = QuickExecutor()
    async with open_core(
        settings_with(data_dir=tmp_path / "other", artefacts_shared=True), second
    ) as other:
        other.worker.finish = copied_clips(other.worker.finish)
        async with running(core), running(other):
            await eventually(until_settled(count), WITHIN_S)

    await see_each_settled_once(core, jobs, count)
    orders = [order.job_id for order in (*executor.orders, *second.orders)]
    assert sorted(orders) == sorted(jobs)
    assert executor.orders
    assert second.orders


async def test_two_processes_settle_each_job_once(
    core: Core,
    executor: QuickExecutor,
    jobs: list[str],
    life: NewLife,
    count: Callable[[str], int],
) -> None:
    async with life("go") as process, running(core):
        await eventually(until_settled(count), WITHIN_S)
        process.terminate()
        told = (await process.communicate())[0].decode().splitlines()
        theirs = [line.removeprefix("order ") for line in told if line.startswith("order ")]

    await see_each_settled_once(core, jobs, count)
    assert sorted([*theirs, *(order.job_id for order in executor.orders)]) == sorted(jobs)
