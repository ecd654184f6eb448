"""A cluster on this machine: a server, a bucket, nodes as processes, and lines between them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import psutil

from core.testing.shared_chat import SharedChat
from tests.support.database_line import DatabaseLine, database_line
from tests.support.postgres import PostgresServer
from tests.support.s3_server import BUCKET, KEY_ID, SECRET, S3Server

LEASE_S, HEARTBEAT_S = 2.0, 0.4
PREFIX = "cluster"
SETTINGS = {
    "EXECUTOR": "draft",
    "QUOTA_MINUTES": "1000000",
    "MAX_QUEUED": "100000",
    "MAX_ATTEMPTS": "1000",
    "MIN_FREE_MEGABYTES": "0",
    "LEASE_S": str(LEASE_S),
    "HEARTBEAT_S": str(HEARTBEAT_S),
    "LEADER_S": "2",
    "NOTICE_S": "2",
    "SHUTDOWN_GRACE_S": "2",
    "ALERTS": "false",
    "SUPERVISE": "false",
    "LOG_LEVEL": "info",
}


@dataclass
class Node:
    """A machine with one node, which is started anew when it ended."""

    name: str
    role: str
    line: DatabaseLine
    settings: dict[str, str]
    pid: int = 0

    @property
    def ended(self) -> bool:
        """Tell whether it ended and nobody asked it to."""
        return self.pid > 0 and psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE

    async def until_stopped(self) -> None:
        """Wait until it stands still, as it was asked to."""
        process = psutil.Process(self.pid)
        while process.status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


class Nursery:
    """The program that every node is a fork of."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "core.testing.cluster_nodes", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            text=True,
        )

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def ask(self, **order: object) -> int:
        """Give an order, wait for the answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def ready(self) -> None:
        """Wait until everything is imported."""
        assert self._process.stdout
        assert int(self._process.stdout.readline()) == self._process.pid

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@dataclass
class Cluster:
    """What runs, and what was done to it."""

    folder: Path
    server: PostgresServer
    bucket: S3Server
    nursery: Nursery
    jobs: int
    render_s: float
    copied: bool = False
    nodes: list[Node] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    @property
    def front(self) -> Node:
        return self.nodes[0]

    @property
    def workers(self) -> list[Node]:
        return self.nodes[1:]

    @property
    def book(self) -> SharedChat:
        return SharedChat(self.folder / "book")

    @property
    def told(self) -> int:
        """How many messages people were shown."""
        book = self.folder / "book"
        return book.read_bytes().count(b"\n") if book.exists() else 0

    def start(self, node: Node) -> None:
        """Start a node; its folder stays that of its machine."""
        how = {"render_s": self.render_s, "copied": self.copied}
        node.pid = self.nursery.ask(role=node.role, name=node.name, settings=node.settings, **how)

    def end(self, node: Node, how: signal.Signals) -> int:
        """Send a node a signal that ends it; return its status."""
        node.signal(how)
        if how is not signal.SIGKILL:
            node.signal(signal.SIGCONT)
        status = self.nursery.ask(wait=node.pid)
        node.pid = 0
        return status

    def kill(self, node: Node) -> None:
        self.end(node, signal.SIGKILL)
        self.start(node)

    async def until_told(self, count: int, within_s: float = 120) -> None:
        """Wait until people were shown so many messages.

        Raises:
            TimeoutError: it took longer, or a node ended; the message has the ends of the logs.
        """
        ends = time.monotonic() + within_s
        while self.told < count:  # of a file that other processes write
            gone = [node.name for node in self.nodes if node.ended]
            if gone or time.monotonic() > ends:
                how = f"{self.told} of {count} told; {gone} ended by themselves"
                raise TimeoutError(f"{how}\n{self.last_words()}")
            await asyncio.sleep(0.05)

    def last_words(self) -> str:
        """Return the ends of what the nodes logged."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text()[-1500:]}" for log in logs)

    def stop(self) -> None:
        """End all nodes as an operator does."""
        for node in self.nodes:
            if node.pid:
                self.end(node, signal.SIGTERM)


@asynccontextmanager
async def cluster(
    folder: Path,
    server: PostgresServer,
    bucket: S3Server,
    *,
    workers: int,
    jobs: int,
    render_s: float = 0.2,
    copied: bool = False,
    more: Mapping[str, str] = MappingProxyType({}),
) -> AsyncGenerator[Cluster]:
    """Run one front and ``workers``, to which ``jobs`` are submitted, until the block ends.

    ``copied``: each worker encodes one clip for all, where many jobs matter more than their
    frames. ``more``: settings that differ from those of tests.
    """
    (folder / "plan.json").write_text(json.dumps({"jobs": jobs, "users": 20}))
    nursery = Nursery(folder)
    try:
        async with AsyncExitStack() as lines:
            made = Cluster(folder, server, bucket, nursery, jobs, render_s, copied)
            for name in ("front", *(f"worker-{number}" for number in range(workers))):
                line = await lines.enter_async_context(database_line(server.socket))
                role = name.partition("-")[0]
                settings = _settings(folder, name, line, bucket) | dict(more)
                made.nodes.append(Node(name, role, line, settings))
            nursery.ready()
            for node in made.nodes:
                made.start(node)
            try:
                yield made
            finally:
                await asyncio.to_thread(made.stop)
    finally:
        nursery.close()


def _settings(folder: Path, name: str, line: DatabaseLine, bucket: S3Server) -> dict[str, str]:
    key = {"S3_ACCESS_KEY_ID": KEY_ID, "S3_SECRET_ACCESS_KEY": SECRET}
    return (
        SETTINGS
        | (key if name == "front" else {})
        | {
            "NODE": name,
            "WORKER": "false" if name == "front" else "true",
            "DATA_DIR": str(folder / name),
            "DATABASE_URL": line.url(),
            "ARTEFACTS": f"s3://{BUCKET}/{PREFIX}",
            "S3_ENDPOINT": bucket.endpoint,
        }
    )
