"""The newest progress is shown, never beside a result; a broken platform costs others nothing."""

import asyncio
from types import SimpleNamespace

import pytest

from core.delivery.progress_pump import ProgressPump
from core.domain.progress import Waiting


class Platform:
    """Remembers what it shows; breaks at the job ``bad``."""

    def __init__(self):
        self.shown = []
        self.news = asyncio.Event()

    async def progress(self, job, event):
        if job.id == "bad":
            raise KeyError("defect")
        self.shown.append((job.id, event.position))
        self.news.set()

    async def until(self, *shown):
        async with asyncio.timeout(120):
            while self.shown != list(shown):
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def platform():
    return Platform()


@pytest.fixture
def pump(platform):
    async def load(job_id):
        state = SimpleNamespace(terminal=job_id == "over")
        at = SimpleNamespace(platform="test")
        return SimpleNamespace(id=job_id, state=state, reply_to=at, group=None)

    return ProgressPump(load, {"test": platform}.get, every_s=0, timeout_s=5)


async def test_only_the_newest_event_of_each_job_is_shown(pump, platform):
    async with asyncio.TaskGroup() as tasks:
        pump.start(tasks)
        for position in (3, 2, 1):
            pump.offer("a", Waiting(position, 1.0))
        pump.offer("b", Waiting(9, 1.0))
        await platform.until(("a", 1), ("b", 9))


async def test_nothing_is_shown_beside_a_result_and_what_came_before_it_is_forgotten(
    pump, platform
):
    async with asyncio.TaskGroup() as tasks:
        pump.start(tasks)
        pump.offer("a", Waiting(3, 1.0))
        async with pump.muted("a"):
            pump.offer("a", Waiting(2, 1.0))
            pump.offer("b", Waiting(9, 1.0))
            await platform.until(("b", 9))
        pump.offer("a", Waiting(1, 1.0))
        await platform.until(("b", 9), ("a", 1))


async def test_a_defect_or_an_ended_job_stops_no_other(pump, platform):
    async with asyncio.TaskGroup() as tasks:
        pump.start(tasks)
        for job_id in ("bad", "over", "a"):
            pump.offer(job_id, Waiting(1, 1.0))
        await platform.until(("a", 1))


async def test_nothing_is_taken_before_the_start_and_after_the_stop(pump, platform):
    pump.offer("a", Waiting(3, 1.0))
    async with asyncio.TaskGroup() as tasks:
        pump.start(tasks)
        pump.offer("a", Waiting(2, 1.0))
        pump.stop()
        pump.offer("a", Waiting(1, 1.0))
        await platform.until(("a", 2))
