"""What a look at the state costs while fifty people with two jobs each look every second.

Both ways in one run, in turns: each page reading its own rows after every write, as before, and all
pages sharing what was read (:mod:`core.queue.standing_watch`). Somebody else writes four times a
second meanwhile. The server has a process of its own; seconds are the crowd's, CPU the server's, so
that a busy machine blurs the first and not the second.

Run: ``PYTHONPATH=. python bench/studio_status.py [--sessions 50] [--looks 8] [--rounds 3]``, or
with ``--json``. Target: p95 below 0.3 s.
"""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import event

from bench.studio_server import run, server_of
from core.app.core import Core
from core.domain.people import Requester
from core.queue import standing_watch
from core.settings import load_settings
from core.testing.doubles import QuickExecutor
from webui.testing.server import served

TARGET_S = 0.3
WRITES_EVERY_S = 0.25
SMALL = {"prompt": "a kite", "preset": "fast", "seconds": 1, "width": 256, "height": 256}
WAYS = {"each its own": -1, "shared": standing_watch.MOST_WAITING}  # jobs that are read for all


@dataclass
class Figures:
    """Of one way: seconds of looks, CPU seconds of the server, statements."""

    looks: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    statements: int = 0


async def serve(folder: Path) -> None:
    """Serve; each line of standard input is a way, answered with CPU seconds and statements."""
    settings = load_settings(
        data_dir=folder,
        executor="draft",
        studio_port=0,
        max_queued=20,
        quota_minutes=10_000,
        min_free_megabytes=0,
    )
    executor = QuickExecutor()
    executor.gate.clear()  # nothing ends while it is measured
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    async with served(settings, executor) as studio:
        event.listen(studio.core.database.engine.sync_engine, "before_cursor_execute", count)
        print(studio.url, flush=True)
        writing = asyncio.create_task(_write(studio.core))
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            standing_watch.MOST_WAITING = WAYS[line]
            print(json.dumps([time.process_time(), statements]), flush=True)
        writing.cancel()
        executor.gate.set()


async def _write(core: Core) -> None:
    operator = core.local_operator(Requester("cli", "bench"))
    while True:
        await operator.note("bench", "nothing")
        await asyncio.sleep(WRITES_EVERY_S)


async def look(client: httpx.AsyncClient, number: int, sessions: int, looks: int) -> list[float]:
    """Look every second, beginning with the others spread over the first."""
    await asyncio.sleep(number / sessions)
    found: list[float] = []
    for _ in range(looks):
        began = time.perf_counter()
        answer = await client.get("/studio/state")
        found.append(time.perf_counter() - began)
        assert len(answer.json()["mine"]) == 2
        await asyncio.sleep(max(0.0, 1 - found[-1]))
    return found


async def measure(sessions: int, looks: int, rounds: int) -> dict[str, Any]:
    found = {way: Figures() for way in WAYS}
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(server_of(__file__))

        async def tell(way: str) -> tuple[float, int]:
            cpu_s, statements = json.loads(await server.tell(way))
            return cpu_s, statements

        headers = {"X-Clapper": "1"}
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=server.url, timeout=60, headers=headers)
            )
            for _ in range(sessions)
        ]
        for number, client in enumerate(clients):
            await client.get("/studio/state")
            for turn in range(2):
                body = {"values": SMALL, "key": f"{number:016x}{turn:016x}"}
                await client.post("/studio/forms/t2v/generate", json=body)
        for _ in range(rounds):
            for way, figures in found.items():
                before = await tell(way)
                waves = [look(c, n, sessions, looks) for n, c in enumerate(clients)]
                for seconds in await asyncio.gather(*waves):
                    figures.looks += seconds
                after = await tell(way)
                figures.cpu_s += after[0] - before[0]
                figures.statements += after[1] - before[1]
    return {way: summed_up(figures) for way, figures in found.items()}


def summed_up(figures: Figures) -> dict[str, float]:
    looks = sorted(figures.looks)
    return {
        "looks": len(looks),
        "p50_ms": 1000 * looks[len(looks) // 2],
        "p95_ms": 1000 * looks[int(len(looks) * 0.95)],
        "worst_ms": 1000 * looks[-1],
        "cpu_ms_per_look": 1000 * figures.cpu_s / len(looks),
        "statements_per_look": figures.statements / len(looks),
    }


def shown(found: dict[str, Any]) -> list[str]:
    return [
        "  ".join([f"{way:14}", *(f"{name} {value:.1f}" for name, value in numbers.items())])
        for way, numbers in found.items()
    ]


def met(found: dict[str, Any]) -> bool:
    return bool(found["shared"]["p95_ms"] < TARGET_S * 1000)


if __name__ == "__main__":
    sys.exit(run(serve, measure, shown, met, sessions=50, looks=8, rounds=3))
