"""Compare what drives workers at one PostgreSQL: bare rows and their messages, or procrastinate.

    .venv/bin/python bench/engine.py [--workers N] [--waiting N] [--seconds S] [--rounds N]

Method: a server of its own (fsync on, over its socket) with N jobs in line, and N worker processes,
which are the service itself but for devices that only wait and clips that are written once. Each
round has four runs of S seconds, with new processes: *paced*, with renders of 0.5 s, and *flat
out*, with renders that take no time, by either driver in turn. Then *woken*: nothing waits, and one
job after the other is submitted. A claim is timed as the worker sees it; an idle gap is from
the end of a render to the beginning of the next one on that device, while somebody waits.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import quantiles
from typing import Any, TypeAlias

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import Job, ReplyTo
from core.domain.media import RawClip
from core.domain.people import Requester
from core.domain.progress import ProgressSink
from core.interfaces.executor import Order
from core.queue.job_queue import NewJob
from core.runtime.cancellation import CancelToken
from core.settings import Settings, load_settings
from core.testing.copied_clips import copied_clips
from core.testing.doubles import QuickExecutor, t2v
from core.worker.driver import LocalDriver
from tests.support import postgres

ROWS, ENGINE = "rows", "procrastinate"
PACED_S = 0.5
WOKEN = 60  # jobs
EACH = 5  # jobs of an account
DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}


class WaitingExecutor(QuickExecutor):
    """A device that only takes time, and notes the moments."""

    def __init__(self, render_s: float) -> None:
        super().__init__()
        self.render_s = render_s
        self.notes: list[tuple[str, float]] = []
        self.begun_s: dict[str, float] = {}  # by job

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Take the time of a render."""
        self.begun_s[order.job_id] = time.monotonic()
        self.notes.append(("begin", self.begun_s[order.job_id]))
        await asyncio.sleep(self.render_s)
        made = await super().execute(order, on_progress, cancel)
        self.notes.append(("end", time.monotonic()))
        return made


def timing(core: Core, notes: list[tuple[str, float]]) -> None:
    """Note how long claims take that find a job."""
    claim = core.queue.claim

    async def timed(*preference: Any, ahead: bool = False) -> Job | None:
        began = time.monotonic()
        job = await claim(*preference, ahead=ahead)
        if job is not None:
            notes.append(("claim", (time.monotonic() - began) * 1000))
        return job

    core.queue.claim = timed  # pyright: ignore[reportAttributeAccessIssue]


def settings_of(folder: Path, address: str) -> Settings:
    return load_settings(
        data_dir=folder, database_url=address, executor="draft", quota_minutes=10**6,
        max_queued=10**5, min_free_megabytes=0, shutdown_grace_s=2,
    )  # fmt: skip


async def live(folder: str, address: str, driver: str, render_s: str) -> None:
    """Be a worker: open, wait for a line, work until the input ends, print what was noted."""
    executor, stop = WaitingExecutor(float(render_s)), asyncio.Event()
    async with open_core(settings_of(Path(folder), address), executor) as core:
        core.worker.finish = copied_clips(core.worker.finish)
        timing(core, executor.notes)
        local = replace(core, driver=LocalDriver(core.ends.dispatcher))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        work = asyncio.create_task((local if driver == ROWS else core).run(stop))
        await asyncio.to_thread(sys.stdin.readline)
        stop.set()
        await work
    print(json.dumps({"notes": executor.notes, "begun_s": executor.begun_s}), flush=True)


Noted: TypeAlias = dict[str, Any]


@dataclass
class Figures:
    """What the runs of one driver noted."""

    claims_ms: list[float] = field(default_factory=list)
    gaps_ms: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    woken_ms: list[float] = field(default_factory=list)

    def add(self, workers: list[Noted], *, paced: bool) -> None:
        """Add what the workers of one run noted."""
        ends_s: list[float] = []
        for noted in workers:
            ended: float | None = None
            for what, value in noted["notes"]:
                if what == "claim" and paced:
                    self.claims_ms.append(value)
                elif what == "begin" and ended is not None and paced:
                    self.gaps_ms.append((value - ended) * 1000)
                elif what == "end":
                    ended = value
                    ends_s.append(value)
        if not paced:
            ends_s.sort()
            self.rates.append((len(ends_s) - 1) / (ends_s[-1] - ends_s[0]))


async def start(
    place: Path, address: str, driver: str, render_s: float, count: int
) -> list[asyncio.subprocess.Process]:
    """Start workers, and give them when all have opened."""
    workers: list[asyncio.subprocess.Process] = []
    for number in range(count):
        folder = place / f"{driver}-{time.monotonic_ns():x}-{number}"
        workers.append(
            await asyncio.create_subprocess_exec(
                sys.executable, __file__, "--live", folder, address, driver, str(render_s),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                limit=1 << 26,
            )
        )  # fmt: skip
    for worker in workers:  # a start takes running jobs back: none may run yet
        assert worker.stdout
        while (line := await worker.stdout.readline()) != b"ready\n":
            assert line, "a worker ended at once"
    return workers


async def say(workers: list[asyncio.subprocess.Process]) -> None:
    for worker in workers:
        assert worker.stdin
        worker.stdin.write(b"\n")
        await worker.stdin.drain()


async def end(workers: list[asyncio.subprocess.Process]) -> list[Noted]:
    await say(workers)
    outputs = [await worker.communicate() for worker in workers]
    return [json.loads(output.splitlines()[-1]) for output, _ in outputs]


async def fill(core: Core, name: str, count: int) -> None:
    for number in range(count):
        job, who = f"{name}-{number}", Requester("bench", f"{name}-{number // EACH}")
        await core.queue.submit(NewJob(job, who, t2v(), ReplyTo("bench"), 10_000, job))


def empty(server: postgres.PostgresServer, driver: str) -> None:
    """Remove all rows; bare rows have no tokens."""
    server.empty()
    with server.connect() as connection:
        switch = "DISABLE" if driver == ROWS else "ENABLE"
        connection.execute(f"ALTER TABLE job {switch} TRIGGER USER")


async def one_run(
    options: argparse.Namespace, server: postgres.PostgresServer, place: Path, driver: str,
    render_s: float, waiting: int,
) -> list[Noted]:  # fmt: skip
    empty(server, driver)
    folder = place / f"front-{time.monotonic_ns():x}"
    async with open_core(settings_of(folder, server.url()), QuickExecutor()) as front:
        await fill(front, "w", waiting)
        workers = await start(place, server.url(), driver, render_s, options.workers)
        await say(workers)
        await asyncio.sleep(options.seconds)
        return await end(workers)


async def wake_ups(
    options: argparse.Namespace, server: postgres.PostgresServer, place: Path, driver: str
) -> list[float]:
    """Return how long a job waits that comes while all workers are idle, milliseconds."""
    empty(server, driver)
    folder, sent_s = place / f"front-{time.monotonic_ns():x}", dict[str, float]()
    async with open_core(settings_of(folder, server.url()), QuickExecutor()) as front:
        workers = await start(place, server.url(), driver, 0, options.workers)
        await say(workers)
        stop = asyncio.Event()
        bus = asyncio.create_task(front.bus.run(front.ends, stop))
        await asyncio.sleep(3)
        for number in range(WOKEN):
            sent_s[f"k{number}-0"] = time.monotonic()
            await fill(front, f"k{number}", 1)
            front.ends.dispatcher.wake()
            await asyncio.sleep(0.25)
        await asyncio.sleep(3)
        noted = await end(workers)
        stop.set()
        await bus
    begun_s = {job: at for worker in noted for job, at in worker["begun_s"].items()}
    return [(at - sent_s[job]) * 1000 for job, at in begun_s.items()]


def percentiles(values: list[float]) -> tuple[float, float]:
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]


def print_table(figures: dict[str, Figures]) -> None:
    print(f"\n{'':26}{ROWS:>20}{ENGINE:>20}{'':>6}ratio")
    for name, of in (
        ("claim, paced, ms", lambda one: one.claims_ms),
        ("idle gap, paced, ms", lambda one: one.gaps_ms),
        ("submit to device, ms", lambda one: one.woken_ms),
    ):
        pairs = [percentiles(of(figures[driver])) for driver in (ROWS, ENGINE)]
        for place, label in enumerate(("p50", "p99")):
            one, other = pairs[0][place], pairs[1][place]
            print(f"{name + ' ' + label:26}{one:>20.1f}{other:>20.1f}{other / one:>11.2f}")
    rates = [max(figures[driver].rates) for driver in (ROWS, ENGINE)]
    means = [sum(figures[driver].rates) / len(figures[driver].rates) for driver in (ROWS, ENGINE)]
    for label, (one, other) in (("jobs/s, best", rates), ("jobs/s, mean", means)):
        print(f"{label:26}{one:>20.1f}{other:>20.1f}{one / other:>11.2f}")


async def measure(options: argparse.Namespace, server: postgres.PostgresServer) -> None:
    figures: dict[str, Figures] = defaultdict(Figures)
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        for number in range(options.rounds):
            order = (ROWS, ENGINE) if number % 2 == 0 else (ENGINE, ROWS)
            for driver in order:
                for render_s in (PACED_S, 0.0):
                    noted = await one_run(
                        options, server, Path(folder), driver, render_s, options.waiting
                    )
                    figures[driver].add(noted, paced=render_s > 0)
                figures[driver].woken_ms += await wake_ups(options, server, Path(folder), driver)
            print(f"round {number + 1} of {options.rounds}, load {os.getloadavg()[0]:.1f}")
    print_table(figures)


def main() -> None:
    if sys.argv[1:2] == ["--live"]:
        asyncio.run(live(*sys.argv[2:]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--waiting", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    postgres._QUICK |= DURABLE  # noqa: SLF001  # as in service
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with postgres.serve() as server:
        server.make_tables()
        asyncio.run(measure(options, server))


if __name__ == "__main__":
    main()
