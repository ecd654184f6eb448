"""What a status update costs while a crowd waits: fifty people with two jobs each.

The Studio runs in a process of its own, so that its time and the crowd's are told apart; the crowd
asks over plain HTTP, as the page's script and programs do. The seconds of the crowd contain its own
work on the same machine; the histogram of the server at ``/metrics`` does not.

Run: ``.venv/bin/python bench/studio_load.py [--sessions 50] [--jobs 2] [--json]``. Target: p95
below 1 s.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from sqlalchemy import event

from bench.studio_server import run, server_of
from core.settings import load_settings
from core.testing.doubles import QuickExecutor
from webui.testing.server import served

TARGET_S = 1.0
LOOK_EVERY_S = 1.0  # as the page does while a job is live


@dataclass
class Figures:
    """Seconds of the crowd's requests by kind, and what was found mixed up."""

    looks: list[float] = field(default_factory=list)
    submissions: list[float] = field(default_factory=list)
    mixed: int = 0


async def ask(client: httpx.AsyncClient, prompt: str) -> str:
    """Submit through the named endpoint, as a program would, and return the job's id."""
    data = [prompt, "fast", None, 1.0, None, "none", 256, 256, None, "", None]
    event_id = (await client.post("/gradio_api/call/t2v", json={"data": data})).json()["event_id"]
    answer = (await client.get(f"/gradio_api/call/t2v/{event_id}")).text
    lines = [line for line in answer.splitlines() if line.startswith("data: ")]
    return json.loads(lines[-1].removeprefix("data: "))[0]["job"]


async def session(url: str, number: int, jobs: int, figures: Figures) -> None:
    """Ask for ``jobs`` clips, then look every second until they are there."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await client.get("/studio/state")
        own: dict[str, str] = {}
        for index in range(jobs):
            began = time.perf_counter()
            own[await ask(client, f"clip {index} of {number}")] = f"clip {index} of {number}"
            figures.submissions.append(time.perf_counter() - began)
        live = True
        while live:
            began = time.perf_counter()
            state = (await client.get("/studio/state")).json()
            figures.looks.append(time.perf_counter() - began)
            live = bool(state["mine"])
            figures.mixed += sum(job["id"] not in own for job in state["mine"])
            await asyncio.sleep(LOOK_EVERY_S)
        items = (await client.get("/studio/history")).json()["items"]
        figures.mixed += {item["id"]: item["prompt"] for item in items} != own


async def crowd(url: str, sessions: int, jobs: int) -> Figures:
    figures = Figures()
    async with asyncio.TaskGroup() as tasks:
        for number in range(sessions):
            tasks.create_task(session(url, number, jobs, figures))
    return figures


async def serve(folder: Path) -> None:
    """Serve until standard input ends; write address and, at the end, counts of statements."""
    settings = load_settings(
        data_dir=folder,
        executor="draft",
        studio_port=0,
        max_queued=20,
        quota_minutes=10_000,
        min_free_megabytes=0,
    )
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    async with served(settings, QuickExecutor()) as studio:
        event.listen(studio.core.database.engine.sync_engine, "before_cursor_execute", count)
        print(studio.url, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(statements, flush=True)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def of_server(text: str) -> tuple[int, float]:
    """Return the count and the mean milliseconds of looks, as the server measured them."""
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    count = float(found["clapper_studio_state_seconds_count"])
    return int(count), 1000 * float(found["clapper_studio_state_seconds_sum"]) / max(count, 1)


async def measure(sessions: int, jobs: int) -> dict[str, float]:
    async with server_of(__file__) as server:
        used = psutil.Process(server.process.pid)
        before, began = used.cpu_times(), time.perf_counter()
        figures = await crowd(server.url, sessions, jobs)
        after, took = used.cpu_times(), time.perf_counter() - began
        async with httpx.AsyncClient(base_url=server.url) as client:
            count, mean_ms = of_server((await client.get("/metrics")).text)
        statements = int(await server.tell(""))
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "sessions": sessions,
        "jobs": jobs,
        "looks": len(figures.looks),
        "p50_ms": 1000 * percentile(figures.looks, 0.5),
        "p95_ms": 1000 * percentile(figures.looks, 0.95),
        "p99_ms": 1000 * percentile(figures.looks, 0.99),
        "worst_ms": 1000 * max(figures.looks),
        "submit_p95_ms": 1000 * percentile(figures.submissions, 0.95),
        "server_mean_ms": mean_ms,
        "server_looks": count,
        "server_cpu_s": cpu_s,
        "statements": statements,
        "wall_s": took,
        "mixed": figures.mixed,
    }


def shown(found: dict[str, float]) -> list[str]:
    return [f"{name:16} {value:10.1f}" for name, value in found.items()]


def met(found: dict[str, float]) -> bool:
    return found["p95_ms"] < TARGET_S * 1000 and not found["mixed"]


if __name__ == "__main__":
    sys.exit(run(serve, measure, shown, met, sessions=50, jobs=2))
