"""How much 500 GPUs and 50 fronts ask of one PostgreSQL, with the day pressed together.

    .venv/bin/python bench/cluster_sim.py [--rates 2,5,10,20,40] [--seconds S] [--workers N]

Method: a real server, and in this one process N coroutines as workers and some as fronts, which
call the product's own queue through several databases, each with its pool of connections. Fronts
submit at a rate; each job wakes one worker, as a token of the engine does, and workers claim ahead,
begin, beat and settle as for clips of 8 s, but the 8 s pass in as little time as keeps all of them
busy, so that statements a second are those of the rate. A day of 300 000 jobs is 3.5 jobs/s, its
peak 14. A turn's wait is from asking for a transaction to having the lock; a message's lag from its
sending to its arrival. This process is Python on the same cores as the server: what it uses of one
is printed beside the figures, and near 1.0 they are of it rather than of the server.
"""

import argparse
import asyncio
import itertools
import os
import platform
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from uuid import uuid4

import psutil
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.errors import ClapperError
from core.queue.job_queue import JobQueue, NewJob, QueueRules
from core.storage.addresses import postgres_address
from core.storage.database import Database
from core.storage.notifications import Notifications
from core.testing.doubles import t2v
from tests.support.postgres import PostgresServer, serve

CLIP_S = 8.0
BEAT_S = 5.0
PEAK, A_DAY = 14.0, 300_000
LIMIT_MS = 100.0
TOPIC = "clapper_bench"
DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
SIZES = "SELECT pg_database_size('clapper'), (SELECT sum(n_dead_tup) FROM pg_stat_user_tables)"


@dataclass
class Figures:
    """What happened at one rate."""

    waits_ms: list[float] = field(default_factory=list)
    lags_ms: list[float] = field(default_factory=list)
    settled: int = 0
    failed: int = 0  # transactions that the server refused or cut off


class TimedDatabase(Database):
    """Notes how long each turn is waited for."""

    figures = Figures()  # of the rate that runs now; one for all

    @asynccontextmanager
    async def transaction(self, *, turn: bool = True) -> AsyncGenerator[AsyncConnection]:
        """Give a connection inside a transaction, as :class:`Database` does."""
        asked_s = time.perf_counter()
        async with super().transaction(turn=turn) as connection:
            if turn:
                TimedDatabase.figures.waits_ms.append((time.perf_counter() - asked_s) * 1000)
            yield connection


@dataclass
class Load:
    """One rate: fronts that submit, workers that make what there is."""

    queues: list[JobQueue]
    clips: Path
    notifications: Notifications
    rate: float  # jobs a second
    fronts: int
    workers: int
    figures: Figures
    some: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def front(self, place: int) -> None:
        """Submit at this front's share of the rate."""
        await asyncio.sleep(place / self.rate)
        while True:
            began = time.monotonic()
            name, number = uuid4().hex, next(self.numbers)
            who = Requester("bench", str(number // 3))
            new = NewJob(name, who, t2v(), ReplyTo("bench"), round(CLIP_S * 1000), name)
            try:
                await self.queues[place % len(self.queues)].submit(new)
                await self.notifications.send([(TOPIC, str(time.monotonic()))])
            except ClapperError:
                self.figures.failed += 1
            else:
                self.some.release()
            left_s = self.fronts / self.rate - (time.monotonic() - began)
            await asyncio.sleep(max(0.0, left_s))

    async def worker(self, place: int) -> None:
        """Claim, beat and settle, over and over."""
        queue = self.queues[place % len(self.queues)]
        pressed = (self.workers / self.rate) / CLIP_S  # seconds here for one there
        while True:
            await self.some.acquire()
            try:
                job = await queue.claim(ahead=True)
                if job is None:
                    continue
                await self.work(queue, job.id, job.token or "", min(1.0, pressed))
                self.figures.settled += 1
            except ClapperError:
                self.figures.failed += 1

    async def work(self, queue: JobQueue, job_id: str, token: str, pressed: float) -> None:
        """Live through one clip."""
        await queue.begin(job_id, token)
        await asyncio.sleep(BEAT_S * pressed)
        await queue.beat(job_id, token)
        await asyncio.sleep((CLIP_S - BEAT_S) * pressed)
        path = self.clips / f"{job_id}.mp4"
        clip = Clip(path, path.with_suffix(".png"), "5" * 64, 1, 64, 64, 9, 24.0, has_sound=True)
        await queue.settle(job_id, token, clip, round(CLIP_S * 1000))

    async def run(self, seconds: float) -> None:
        """Go on for ``seconds``, whatever is under way then."""
        tasks = [asyncio.create_task(self.front(place)) for place in range(self.fronts)]
        tasks += [asyncio.create_task(self.worker(place)) for place in range(self.workers)]
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


def p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else float("nan")


async def at_rate(load: Load, server: PostgresServer, seconds: float) -> str:
    """Run one rate; return its row of the table."""
    size, dead = sizes(server)
    own, began = psutil.Process().cpu_times(), time.perf_counter()
    await load.run(seconds)
    now, after = psutil.Process().cpu_times(), sizes(server)
    took_s, figures = time.perf_counter() - began, load.figures
    core = (now.user + now.system - own.user - own.system) / took_s
    done = figures.settled / took_s
    grown = (after[0] - size) / max(1, figures.settled) * done * 3600 / 1e6
    dead_an_hour = (after[1] - dead) / max(1, figures.settled) * done * 3600 / 1e6
    return (
        f"{load.rate:>7.1f}{done:>8.1f}{len(figures.waits_ms) / took_s:>9.0f}"
        f"{quantiles(figures.waits_ms, n=2)[0]:>9.1f}{p99(figures.waits_ms):>9.1f}"
        f"{p99(figures.lags_ms):>9.1f}{grown:>9.0f}{dead_an_hour:>9.1f}{core:>7.2f}{figures.failed:>7}"
    )


def sizes(server: PostgresServer) -> tuple[int, int]:
    """Return the bytes of the database and its dead rows."""
    with server.connect() as connection:
        row = connection.execute(SIZES).fetchone()
    assert row
    return int(row[0]), int(row[1] or 0)


async def measure(options: argparse.Namespace, server: PostgresServer, folder: Path) -> None:
    rules = QueueRules(max_queued=10**6, lease_ms=60_000)
    print(f"\n{'jobs/s':>7}{'done':>8}{'turns/s':>9}{'wait p50':>9}{'p99 ms':>9}{'lag p99':>9}"
          f"{'MB/h':>9}{'Mdead/h':>9}{'core':>7}{'failed':>7}")  # fmt: skip
    async with AsyncExitStack() as stack:
        databases = [TimedDatabase(server.url()) for _ in range(options.pools)]
        for database in databases:
            stack.push_async_callback(database.close)
        queues = [JobQueue(database, rules, folder / "clips") for database in databases]
        stop = asyncio.Event()
        sender, listener = (Notifications(postgres_address(server.url())) for _ in range(2))
        stack.push_async_callback(sender.close)
        hearing = asyncio.create_task(
            listener.receive(
                [TOPIC],
                lambda _, at: TimedDatabase.figures.lags_ms.append(
                    (time.monotonic() - float(at)) * 1000
                ),
                lambda: None,
                stop,
            )
        )
        left = None
        for rate in options.rates:
            TimedDatabase.figures = figures = Figures()
            load = Load(
                queues, folder / "clips", sender, rate, options.fronts, options.workers, figures
            )
            print(await at_rate(load, server, options.seconds), flush=True)
            if left is None and p99(figures.waits_ms) > LIMIT_MS:
                left = rate
        stop.set()
        await hearing
    where = f"at {left:g} jobs/s" if left is not None else "at none of these rates"
    print(f"\nthe p99 of a turn's wait leaves {LIMIT_MS:g} ms {where};"
          f" {A_DAY} jobs a day are {A_DAY / 86_400:.1f}/s, {PEAK:g}/s at the peak")  # fmt: skip


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--rates",
        type=lambda text: [float(one) for one in text.split(",")],
        default=[2, 3.5, 7, 14, 20, 30, 45, 60],
    )
    parser.add_argument("--seconds", type=float, default=30, help="at each rate")
    parser.add_argument("--workers", type=int, default=500)
    parser.add_argument("--fronts", type=int, default=50)
    parser.add_argument("--pools", type=int, default=20, help="processes to stand for")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serve(max_connections="200", **DURABLE) as server:
        server.make_tables()
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"machine   {os.cpu_count()} cores, load {load}, {platform.system()}")
        print(
            f"method    {options.workers} workers, {options.fronts} fronts, {options.pools} pools"
        )
        asyncio.run(measure(options, server, Path(name)))
        print(f"load      {' '.join(f'{one:.1f}' for one in os.getloadavg())} at the end")


if __name__ == "__main__":
    main()
