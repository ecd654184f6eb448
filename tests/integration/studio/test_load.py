"""Fifty people with two jobs each: nobody waits long for a status, nothing is mixed up."""

import asyncio
import time

import httpx
import pytest

from webui.testing.server import ServedStudio

SESSIONS, JOBS = 50, 2
pytestmark = pytest.mark.load


async def ask(client: httpx.AsyncClient, prompt: str) -> str:
    """Submit through the named endpoint, as a program would, and return the job's id."""
    data = [prompt, "fast", None, 1.0, None, "none", 256, 256, None, "", None]
    event = (await client.post("/gradio_api/call/t2v", json={"data": data})).json()["event_id"]
    answer = (await client.get(f"/gradio_api/call/t2v/{event}")).text
    return answer.partition('"job": "')[2][:32] or answer.partition('"job":"')[2][:32]


async def session(url: str, number: int, looks: list[float]) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await client.get("/studio/state")
        jobs = [await ask(client, f"clip {index} of {number}") for index in range(JOBS)]
        live = True
        while live:
            began = time.perf_counter()
            state = (await client.get("/studio/state")).json()
            looks.append(time.perf_counter() - began)
            live = bool(state["mine"])
            assert {job["id"] for job in state["mine"]} <= set(jobs)
            await asyncio.sleep(1.0)  # as the page does
        items = (await client.get("/studio/history")).json()["items"]
        prompts = {item["id"]: item["prompt"] for item in items}
        assert prompts == {job: f"clip {i} of {number}" for i, job in enumerate(jobs)}


async def test_fifty_sessions_with_two_jobs_each(studio: ServedStudio) -> None:
    looks: list[float] = []

    async with asyncio.timeout(100), asyncio.TaskGroup() as tasks:
        for number in range(SESSIONS):
            tasks.create_task(session(studio.url, number, looks))

    assert len(looks) >= SESSIONS * JOBS
    assert sorted(looks)[int(len(looks) * 0.95)] < 1.0  # seconds
