"""What each failure of a cluster costs, in seconds, at the service's own times.

    .venv/bin/python bench/cluster_failures.py

Method: one front and two workers as processes, renders of 3 s that only wait, a PostgreSQL and a
bucket on this machine. Each failure is made once while a job runs; the clock goes from it to the
moment that the last column names, read from the rows every 20 ms. Leases, beats and terms are the
defaults (30, 5 and 10 s).
"""

import asyncio
import os
import platform
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from core.storage.database import Database
from tests.cluster.machines import Cluster, Node, cluster
from tests.support import postgres, s3_server

LOOK_S = 0.02
RENDER_S = 3.0
MINE = """
    SELECT job.id, job.token FROM job JOIN node ON node.id = job.node_id
    WHERE job.token IS NOT NULL AND job.started_at_ms IS NOT NULL AND node.name = %s LIMIT 1
"""
AGAIN = "SELECT 1 FROM job WHERE id = %s AND token IS NOT NULL AND token <> %s"
SETTLED = "SELECT count(*) FROM job_event WHERE what = 'succeeded'"
MORE = f"SELECT 1 FROM ({SETTLED}) AS settled (jobs) WHERE jobs > %s"
DEFAULTS = {"LEASE_S": "30", "HEARTBEAT_S": "5", "LEADER_S": "10"}


@dataclass(frozen=True)
class Rows:
    """Looks at the rows, past all nodes."""

    cluster: Cluster

    def one(self, query: str, *values: object) -> Any:
        """Return the first row; None where there is none."""
        with self.cluster.server.connect() as connection:
            return connection.execute(query, values).fetchone()

    async def until(self, query: str, *values: object) -> Any:
        """Wait until ``query`` finds a row, and return it."""
        while (row := self.one(query, *values)) is None:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(LOOK_S)
        return row


Failure = Callable[[Cluster, Rows], Awaitable[float]]


async def until_made_elsewhere(rows: Rows, node: Node, fail: Callable[[], object]) -> float:
    """Let ``node`` fail while it has a job; return the seconds until another one has that."""
    job, token = await rows.until(MINE, node.name)
    await asyncio.to_thread(fail)
    began = time.monotonic()
    await rows.until(AGAIN, job, token)
    return time.monotonic() - began


async def worker_killed(made: Cluster, rows: Rows) -> float:
    node = made.workers[0]
    took = await until_made_elsewhere(rows, node, lambda: made.end(node, signal.SIGKILL))
    made.start(node)
    return took


async def worker_stopped(made: Cluster, rows: Rows) -> float:
    node = made.workers[0]
    took = await until_made_elsewhere(rows, node, lambda: node.signal(signal.SIGTERM))
    await asyncio.to_thread(made.nursery.ask, wait=node.pid)
    made.start(node)
    return took


async def worker_frozen(made: Cluster, rows: Rows) -> float:
    node = made.workers[1]
    took = await until_made_elsewhere(rows, node, lambda: node.signal(signal.SIGSTOP))
    node.signal(signal.SIGCONT)
    return took


async def worker_cut_off(made: Cluster, rows: Rows) -> float:
    node = made.workers[1]
    took = await until_made_elsewhere(rows, node, node.line.die)
    node.line.cut()
    return took


async def front_killed(made: Cluster, rows: Rows) -> float:
    del rows
    told = made.told
    await asyncio.to_thread(made.kill, made.front)
    began = time.monotonic()
    await made.until_told(told + 1)
    return time.monotonic() - began


async def server_killed(made: Cluster, rows: Rows) -> float:
    await asyncio.to_thread(made.server.kill)
    await asyncio.to_thread(made.server.start_again)
    began, settled = time.monotonic(), rows.one(SETTLED)[0]
    await rows.until(MORE, settled)
    return time.monotonic() - began


async def turn_held(made: Cluster, rows: Rows) -> float:
    del rows
    node, database = made.workers[0], Database(made.server.url())
    node.signal(signal.SIGUSR1)
    await node.until_stopped()
    began = time.monotonic()
    async with database.transaction():
        took = time.monotonic() - began
    node.signal(signal.SIGCONT)
    await database.close()
    return took


FAILURES: tuple[tuple[str, Failure, str], ...] = (
    ("a worker is killed", worker_killed, "its job runs elsewhere"),
    ("a worker is told to stop", worker_stopped, "its job runs elsewhere"),
    ("a worker stands still", worker_frozen, "its job runs elsewhere"),
    ("a worker's line goes dead", worker_cut_off, "its job runs elsewhere"),
    ("the front is killed, and started", front_killed, "the next clip is posted"),
    ("PostgreSQL is killed, and started", server_killed, "the next clip is settled"),
    ("a node stands still in its turn", turn_held, "another node has its turn"),
)


async def measure(
    folder: Path, server: postgres.PostgresServer, bucket: s3_server.S3Server
) -> None:
    async with cluster(
        folder, server, bucket, workers=2, jobs=400, render_s=RENDER_S, more=DEFAULTS
    ) as made:
        rows = Rows(made)
        await made.until_told(2)
        print(f"\n{'failure':36}{'s':>7}   until")
        for name, fail, until in FAILURES:
            took = await asyncio.wait_for(fail(made, rows), 120)
            print(f"{name:36}{took:>7.1f}   {until}", flush=True)
            await made.until_told(made.told + 2)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    program = s3_server.rclone()
    assert program, s3_server.INSTALL
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"machine   {os.cpu_count()} cores, load {load}, {platform.system()}")
    with (
        tempfile.TemporaryDirectory() as name,
        postgres.serve(max_connections="200") as server,
        s3_server.serving(program, Path(name) / "s3") as bucket,
    ):
        server.make_tables()
        asyncio.run(measure(Path(name), server, bucket))


if __name__ == "__main__":
    main()
