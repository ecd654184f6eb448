"""How fast four workers at one PostgreSQL are, with a long line before them.

    PYTHONPATH=. python bench/cluster.py [--waiting N] [--seconds S] [--workers N] [--driver NAME]
        [--book]            and what the server was asked, flat out
        [--statements]      instead: the statements of each move, on SQLite and on PostgreSQL

Method: a server of its own (apt's or the wheel's, fsync on, over its socket), N jobs of N / 5
accounts, the first 500 submitted as people's are and the others copied from them, then two runs of
S seconds each with new worker processes, which are the service itself but for devices that only
wait and clips that are encoded once.
*Paced*: renders of 1.5 s, in two steps; every eighth job is cancelled while it runs. *Flat out*:
renders that take no time. All moments are of the machine's one monotonic clock: a claim as the
worker sees it, an idle gap from the end of a render to the begin of the next on that device,
progress from the executor to the front's hub, a cancel from the front's call to the executor.
"""

import argparse
import asyncio
import os
import platform
import signal
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import psutil

from bench.job_statements import count_both
from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.domain.progress import Progress, Working
from core.errors import ClapperError
from core.queue.job_queue import NewJob
from core.runtime.tasks import outcome_of
from core.settings import load_settings
from core.testing.cluster_nodes import ENGINE, ROWS
from core.testing.doubles import QuickExecutor, t2v
from tests.cluster.machines import SETTINGS, Nursery
from tests.support.postgres import PostgresServer, serve

RENDER_S, STEPS = 1.5, 2
EACH = 5  # waiting jobs of an account
SUBMITTED = 500  # of the waiting jobs; the rest are copies of these, under other names
CANCELLED = 8  # one in so many
DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}


# a copy of an account has a name of its own, a copy of a job an id; numbers come by themselves
OWN, ID = "{} || %(copy)s", "%(id)s || substr({}, 5)"
COPIED = {
    "flow": {"user_key": OWN.format("user_key")},
    "account": {"account_key": OWN.format("account_key")},
    "job": {
        **{name: OWN.format(name) for name in ("user_key", "share_key", "idem_key")},
        "id": ID.format("id"),
    },
    "ledger": {"account_key": OWN.format("account_key"), "job_id": ID.format("job_id")},
}
ORIGINAL = {
    "flow": "position('-' in user_key) = 0",
    "account": "position('-' in account_key) = 0",
    "job": "left(id, 4) = '0000'",
    "ledger": "left(job_id, 4) = '0000'",
}
COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_name = %(table)s AND column_name NOT IN ('seq', 'token')
        AND (table_name <> 'ledger' OR column_name <> 'id')
"""
BOOK = """
    SELECT calls, total_exec_time, regexp_replace(query, '\\s+', ' ', 'g') FROM pg_stat_statements
    WHERE calls > 20 ORDER BY total_exec_time DESC LIMIT 30
"""


@dataclass
class Moments:
    """What a run noted: by job and step, seconds."""

    claims_ms: list[float] = field(default_factory=list)
    gaps_ms: list[float] = field(default_factory=list)
    ends_s: list[float] = field(default_factory=list)
    sent_s: dict[tuple[str, int], float] = field(default_factory=dict)
    stopped_s: dict[str, float] = field(default_factory=dict)

    def read(self, path: Path) -> None:
        """Add what one worker noted; of each the first second is warm-up and left out."""
        ended_s: float | None = None
        for line in path.read_text().splitlines():
            what, job, step, at = line.split()
            at_s = float(at)
            if what == "claim":
                self.claims_ms.append(int(step) / 1000)
            elif what == "progress":
                self.sent_s.setdefault((job, int(step)), at_s)
            elif what == "begin" and ended_s is not None:
                self.gaps_ms.append((at_s - ended_s) * 1000)
            if what in ("end", "cancelled"):
                ended_s = at_s
                self.ends_s.append(at_s)
            if what == "cancelled":
                self.stopped_s[job] = at_s

    @property
    def jobs_a_second(self) -> float:
        """Return the rate between the first tenth of the jobs and the last."""
        ends = sorted(self.ends_s)[len(self.ends_s) // 10 :]
        return (len(ends) - 1) / (ends[-1] - ends[0])


@dataclass
class Front:
    """A front in this process: hears of progress, and cancels."""

    core: Core
    cancels: bool
    heard_s: dict[tuple[str, int], float] = field(default_factory=dict)
    pressed_s: dict[str, float] = field(default_factory=dict)
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def hear(self, job: str, event: Progress) -> None:
        """Note when progress arrives, and cancel some of the jobs that run."""
        if not isinstance(event, Working) or (job, event.step) in self.heard_s:
            return
        self.heard_s[job, event.step] = time.monotonic()
        if self.cancels and event.step == 1 and int(job, 16) % CANCELLED == 0:
            self.tasks.add(asyncio.create_task(self.cancel(job)))

    async def cancel(self, job: str) -> None:
        """Press the button of ``job``, unless it is over."""
        owner = (await self.core.jobs.get(job)).requester
        self.pressed_s[job] = time.monotonic()
        cancelled = await outcome_of(self.core.cancellation.cancel(job, owner))
        if isinstance(cancelled.error, ClapperError):  # it was over by then
            del self.pressed_s[job]


def percentiles(values: Iterable[float]) -> tuple[float, float]:
    known = list(values)
    cuts = quantiles(known, n=100, method="inclusive") if len(known) > 1 else [0.0] * 99
    return cuts[49], cuts[98]


async def fill(core: Core, server: PostgresServer, waiting: int) -> float:
    """Put the jobs in line that wait; return how many were submitted a second."""
    submitted, began = min(waiting, SUBMITTED), time.perf_counter()
    for number in range(submitted):
        name = f"{number:032x}"
        who = Requester("bench", str(number // EACH))
        await core.queue.submit(NewJob(name, who, t2v(), ReplyTo("bench"), 10_000, name))
    rate = submitted / (time.perf_counter() - began)
    with server.connect() as connection:
        for copy in range(1, waiting // SUBMITTED):
            for table, keys in COPIED.items():
                names = [row[0] for row in connection.execute(COLUMNS, {"table": table})]
                values = [keys.get(name, name) for name in names]
                connection.execute(
                    f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)}"
                    f" FROM {table} WHERE {ORIGINAL[table]}",
                    {"copy": f"-{copy}", "id": f"{copy:04x}"},
                )
        connection.execute("ANALYZE")
    return rate


@dataclass(frozen=True)
class Bench:
    """Where and with what the runs are made."""

    folder: Path
    nursery: Nursery
    settings: dict[str, str]
    workers: int
    seconds: float
    driver: str

    def start(self, name: str, render_s: float, steps: int) -> int:
        """Start a worker; return its process."""
        settings = self.settings | {"DATA_DIR": str(self.folder / name)}
        plan = {"name": name, "settings": settings, "render_s": render_s, "steps": steps}
        return self.nursery.ask(role="worker", measured=True, driver=self.driver, **plan)


async def run(bench: Bench, front: Front, label: str, render_s: float, steps: int) -> Moments:
    """Let workers work; return what they noted."""
    stop = asyncio.Event()
    bus = asyncio.create_task(front.core.bus.run(front.core.ends, stop))
    names = [f"{label}-{number}" for number in range(bench.workers)]
    pids = [bench.start(name, render_s, steps) for name in names]
    figures = [bench.folder / f"{name}.figures" for name in names]
    for path in figures:
        while not (path.exists() and path.read_text()):  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.2)
    await asyncio.sleep(bench.seconds)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    for pid in pids:
        await asyncio.to_thread(bench.nursery.ask, wait=pid)
    stop.set()
    await asyncio.gather(bus, *front.tasks)
    moments = Moments()
    for path in figures:
        moments.read(path)
    return moments


@dataclass(frozen=True)
class Spent:
    """Processor time, seconds: of workers, of the server, of this process with its front."""

    workers: float
    server: float
    front: float

    @classmethod
    def until_now(cls, nursery: Nursery, server: PostgresServer) -> "Spent":
        """Return what was spent so far."""
        own = psutil.Process().cpu_times()
        return cls(_ended_s(nursery.pid), _ended_s(server.pid), own.user + own.system)

    def since(self, before: "Spent") -> "Spent":
        """Return what was spent after ``before``."""
        return Spent(
            self.workers - before.workers, self.server - before.server, self.front - before.front
        )

    def told(self, jobs: int) -> str:
        """Return a line of text."""
        parts = (f"{name} {value * 1000 / jobs:.1f}" for name, value in vars(self).items())
        return f"processor, flat out, ms a job: {', '.join(parts)}; starts and ends included"


def _ended_s(pid: int) -> float:
    """Return the time of a process, its children that live, and those that it waited for."""
    parent = psutil.Process(pid)
    times = parent.cpu_times()
    spent = times.user + times.system + times.children_user + times.children_system
    for child in parent.children():
        own = child.cpu_times()
        spent += own.user + own.system
    return spent


def forget_statements(server: PostgresServer) -> None:
    """Let the server count its statements anew."""
    with server.connect() as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        connection.execute("SELECT pg_stat_statements_reset()")


def print_statements(server: PostgresServer, jobs: int) -> None:
    """Print what the server was asked while ``jobs`` jobs were made, whoever asked."""
    with server.connect() as connection:
        book = connection.execute(BOOK).fetchall()
    print(f"\n{'a job':>7}{'ms each':>9}{'ms a job':>10}   statement")
    for calls, spent_ms, query in book:
        print(
            f"{calls / jobs:>7.2f}{spent_ms / calls:>9.3f}{spent_ms / jobs:>10.3f}   {query[:90]}"
        )


def print_table(paced: Moments, front: Front, flat: Moments) -> None:
    sent_s = paced.sent_s
    arrived = [(at - sent_s[key]) * 1000 for key, at in front.heard_s.items() if key in sent_s]
    cancels = [
        (paced.stopped_s[job] - at) * 1000
        for job, at in front.pressed_s.items()
        if job in paced.stopped_s
    ]
    print(f"\n{'':28}{'count':>7}{'p50':>9}{'p99':>9}   target")
    rows = {
        "claim, paced, ms": (paced.claims_ms, "p50 ≤ 10, p99 ≤ 100"),
        "idle gap, paced, ms": (paced.gaps_ms, "p99 ≤ 150"),
        "progress, ms": (arrived, "p99 ≤ 100"),
        "cancel, ms": (cancels, "p99 ≤ 300"),
        "claim, flat out, ms": (flat.claims_ms, ""),
        "idle gap, flat out, ms": (flat.gaps_ms, ""),
    }
    for name, (values, target) in rows.items():
        p50, p99 = percentiles(values)
        print(f"{name:28}{len(values):>7}{p50:>9.1f}{p99:>9.1f}   {target}")
    print(f"{'jobs/s, flat out':28}{len(flat.ends_s):>7}{flat.jobs_a_second:>9.1f}{'':>9}   ≥ 50")


async def measure(options: argparse.Namespace, server: PostgresServer, folder: Path) -> None:
    settings = SETTINGS | {"DATABASE_URL": server.url(), "LEASE_S": "30", "HEARTBEAT_S": "5"}
    settings |= {"ARTEFACTS_SHARED": "true"}  # nobody fetches the clips
    nursery = Nursery(folder)
    own = {name.lower(): value for name, value in settings.items()}
    try:
        nursery.ready()
        opened = open_core(
            load_settings(**own, data_dir=folder / "front"), QuickExecutor(), announce=print
        )
        async with opened as core:
            front = Front(core, cancels=True)
            core.hub.listen(front.hear)
            print(
                f"filled    {await fill(core, server, options.waiting):.0f} submits/s, one process"
            )
            workers, seconds = options.workers, options.seconds
            bench = Bench(folder, nursery, settings, workers, seconds, options.driver)
            paced = await run(bench, front, "paced", RENDER_S, STEPS)
            spent = Spent.until_now(nursery, server)
            if options.book:
                forget_statements(server)
            flat = await run(bench, Front(core, cancels=False), "flat", 0.0, 1)
            spent = Spent.until_now(nursery, server).since(spent)
        print_table(paced, front, flat)
        print(spent.told(len(flat.ends_s)))
        if options.book:
            print_statements(server, len(flat.ends_s))
    finally:
        nursery.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--driver", choices=(ENGINE, ROWS), default=ENGINE)
    parser.add_argument("--statements", action="store_true", help="count them in a job's life")
    parser.add_argument("--jobs", type=int, default=100, help="lives of each kind to count in")
    parser.add_argument("--book", action="store_true", help="what the server was asked, flat out")
    options = parser.parse_args()
    more = {"shared_preload_libraries": "pg_stat_statements"} if options.book else {}
    with (
        tempfile.TemporaryDirectory() as name,
        serve(max_connections="200", **DURABLE, **more) as server,
    ):
        with server.connect() as connection:
            version = connection.info.parameter_status("server_version")
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"machine   {os.cpu_count()} cores, load {load}, {platform.system()}")
        print(f"versions  Python {platform.python_version()}, PostgreSQL {version}")
        if options.statements:
            asyncio.run(count_both(options.waiting, options.jobs, server))
            return
        how = f"{options.workers} workers, {options.waiting} waiting, {options.seconds:g} s a run"
        print(f"method    {how}, driven by {options.driver}")
        asyncio.run(measure(options, server, Path(name)))
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"load      {load} at the end")


if __name__ == "__main__":
    main()
