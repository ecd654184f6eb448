"""How fast the queue is, and how that grows with the number of waiting jobs.

Run: ``.venv/bin/python bench/queue.py [--jobs N] [--folder DIR]``

Method: a real database file (WAL, ``synchronous=FULL``) in ``--folder``, one process, one task, so
a latency is one call as its caller sees it. Per size of the queue the waiting jobs are inserted by
ordinary submits of many accounts (five each); then N jobs are submitted, looked up in the queue,
claimed and settled, one after the other, while the queue keeps its length. Percentiles are of
those N. Numbers of different machines compare only through their fsync time, which is printed.

The way of a whole job is taken apart from that: worker, encoder, outbox and router of the service
work through such a queue with an executor that needs no time, 64×64, 9 frames; N // 3 deliveries.
"""

import argparse
import asyncio
import itertools
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import structlog

from core.app.bootstrap import open_core
from core.domain.jobs import Job, ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.queue.forecasts import Forecasts
from core.queue.job_queue import JobQueue, NewJob, QueueRules
from core.queue.recovery import Recovery
from core.settings import load_settings
from core.storage.database import open_database
from core.storage.invariants import check
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, t2v

SIZES = (1, 100, 10_000)
WARM_UP = 20  # jobs
T = TypeVar("T")


@dataclass
class Clocked:
    """Latencies by operation, in milliseconds."""

    times: dict[str, list[float]] = field(default_factory=dict)

    async def __call__(self, name: str, call: Awaitable[T]) -> T:
        """Await ``call`` and note how long it took."""
        begin = time.perf_counter()
        value = await call
        self.times.setdefault(name, []).append((time.perf_counter() - begin) * 1000)
        return value

    def percentile(self, name: str, percent: int) -> float:
        """Return a percentile of an operation."""
        return statistics.quantiles(self.times[name], n=100, method="inclusive")[percent - 1]


def new_job(number: int, account: int) -> NewJob:
    name = f"{number:032x}"
    requester = Requester("bench", str(account))
    return NewJob(name, requester, t2v(), ReplyTo("bench", {"to": "1"}), 10_000, name)


def clip_in(folder: Path) -> Clip:
    clips = folder / "clips"
    return Clip(clips / "a.mp4", clips / "a.png", "5" * 64, 1, 64, 64, 9, 24.0, has_sound=True)


async def live(
    queue: JobQueue, forecasts: Forecasts, folder: Path, number: int, clocked: Clocked
) -> None:
    """Take one job from submit to settlement, noting each call."""
    submitted = await clocked("submit", queue.submit(new_job(number, 1_000_000 + number)))
    await clocked("forecast", forecasts.forecast(submitted.job.id))
    job = await clocked("claim", queue.claim())
    assert job is not None
    token = job.token or ""
    await clocked("beat", queue.beat(job.id, token))
    await clocked("settle", queue.settle(job.id, token, clip_in(folder), 9_000))


async def measure(folder: Path, waiting: int, jobs: int) -> tuple[Clocked, float, int]:
    """Return latencies, CPU milliseconds of a whole life, and how many rows contradict."""
    clocked = Clocked()
    url = f"sqlite+aiosqlite:///{folder / 'clapper.sqlite'}"
    async with open_database(url, folder) as database:
        queue = JobQueue(database, QueueRules(), folder / "clips")
        forecasts = Forecasts(database, QueueRules(), folder / "clips")
        await Recovery(database, QueueRules(), folder / "clips").recover()
        for number in range(waiting):
            await queue.submit(new_job(number, number // 5))
        for number in range(waiting, waiting + WARM_UP):
            await live(queue, forecasts, folder, number, Clocked())
        begin = time.process_time()
        for number in range(waiting + WARM_UP, waiting + WARM_UP + jobs):
            await live(queue, forecasts, folder, number, clocked)
        cpu_ms = (time.process_time() - begin) * 1000 / jobs
        async with database.transaction() as connection:
            found = await check(connection)
    return clocked, cpu_ms, len(found)


async def whole(folder: Path, waiting: int, jobs: int) -> list[float]:
    """Return the milliseconds from one delivery to the next, while ``waiting`` jobs are in line."""
    settings = load_settings(
        data_dir=folder, executor="draft", quota_minutes=10_000, min_free_megabytes=0
    )
    shown: list[float] = []

    class Clock(RecordingDelivery):
        async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
            shown.append(time.perf_counter())
            return await super().completed(job, clip, attempt)

    delivery = Clock("bench")
    async with open_core(settings, QuickExecutor(), announce=lambda _: None) as core:
        core.router.register(delivery)
        for number in range(waiting + jobs):
            await core.queue.submit(new_job(number, number // 5))
        async with running(core):
            await delivery.until(jobs)
    return [(after - before) * 1000 for before, after in itertools.pairwise(shown)]


def fsync_ms(folder: Path, count: int = 200) -> list[float]:
    times: list[float] = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(count):
            file.write(b"x" * 4096)
            file.flush()
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begin) * 1000)
    return times


def header(folder: Path, jobs: int) -> None:
    sync = sorted(fsync_ms(folder))
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.processor()
    )  # fmt: skip
    print(f"machine   {os.cpu_count()} × {cpu}, load {os.getloadavg()[0]:.1f}, {platform.system()}")
    print(f"versions  Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    print(f"disk      {folder}: fdatasync p50 {sync[100]:.2f} ms, p99 {sync[197]:.2f} ms")
    print(f"method    {jobs} × submit, forecast, claim, beat, settle in sequence; one process\n")


async def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        header(Path(name), options.jobs)
    results: dict[int, Clocked] = {}
    for waiting in SIZES:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            results[waiting], cpu_ms, broken = await measure(Path(name), waiting, options.jobs)
        rate = 1000 / statistics.mean(results[waiting].times["submit"])
        print(
            f"{waiting:>6} waiting: {rate:.0f} submits/s, {cpu_ms:.1f} ms CPU for a whole life,"
            f" {broken} rows that contradict"
        )
    heads = "".join(f"{f'{size} waiting':>24}" for size in SIZES)
    print(f"\n{'ms':10}{heads}   growth of p50")
    for name in ("submit", "forecast", "claim", "beat", "settle"):
        cells = "".join(
            f"  p50 {clocked.percentile(name, 50):6.2f} p99 {clocked.percentile(name, 99):6.2f}"
            for clocked in results.values()
        )
        first, last = (results[size].percentile(name, 50) for size in (SIZES[0], SIZES[-1]))
        print(f"{name:10}{cells}   ×{last / first:.2f}")
    print("\nfrom one delivered clip to the next, no device time")
    for waiting in SIZES:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            gaps = await whole(Path(name), waiting, options.jobs // 3)
        p99 = statistics.quantiles(gaps, n=100, method="inclusive")[98]
        print(f"{waiting:>6} waiting: p50 {statistics.median(gaps):6.1f} ms, p99 {p99:6.1f} ms")


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure")
    asyncio.run(main(parser.parse_args()))
