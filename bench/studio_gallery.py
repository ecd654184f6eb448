"""What 2 000 clips in the gallery cost: frames while one scrolls, memory, CPU of the server.

One real clip is made through the page and copied by SQL, its files by links; then a real Chromium
scrolls to the end as fast as frames come, and back to the top. The server has a process of its own:
its CPU is its own on any machine. Frame times are those of ``requestAnimationFrame`` while pages
arrive, and contain the browser's work for them; on a machine without a GPU Chromium also draws on
the CPU. Heap is that of JavaScript after a garbage collection.

Run: ``PYTHONPATH=. python bench/studio_gallery.py [--clips 2000] [--json]``. Targets: 95 of 100
frames below 50 ms, and a heap that does not grow by more than 10 kB for each clip.
"""

import asyncio
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from bench.studio_server import run, server_of
from core.settings import load_settings
from core.settings.settings import DATABASE_NAME
from core.testing.doubles import QuickExecutor
from tests.support.jobs import until_ended
from webui.testing.server import served

CHROMIUM = "/usr/bin/chromium"
FRAME_S, HEAP_KB = 0.050, 10.0  # targets
SMALL = {"prompt": "a paper boat", "preset": "fast", "seconds": 1, "width": 256, "height": 256}
MAKE = """async (values) => (await (await fetch("studio/forms/t2v/generate", {method: "POST",
  headers: {"X-Clapper": "1", "Content-Type": "application/json"},
  body: JSON.stringify({key: "0".repeat(32), values})})).json()).job"""
# scroll until as many tiles are there as wanted, by what a strong hand turns the wheel in a frame
SCROLL = """async ({ wanted, by }) => {
  const frames = [], tiles = () => document.querySelectorAll("#history .cl-shot").length;
  let before = performance.now();
  const below = () => document.documentElement.scrollHeight - innerHeight - scrollY;
  const end = () => (by < 0 ? scrollY <= 0 : tiles() >= wanted && below() <= 2);
  const until = before + 300000;
  while (!end() && before < until) {
    scrollBy({ top: by, behavior: "instant" });
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - before);
    before = now;
  }
  return frames;
}"""
LOOK = """() => { gc();
  return { tiles: document.querySelectorAll("#history .cl-shot").length,
    heap: performance.memory.usedJSHeapSize,
    pictures: document.querySelectorAll("#history img[src]").length }; }"""
SEARCH = """async (words) => {
  const box = document.querySelector("#history input[type=search]"), began = performance.now();
  box.value = words; box.dispatchEvent(new Event("input", { bubbles: true }));
  const count = () => document.querySelectorAll("#history .cl-shot").length, before = count();
  while (count() === before) await new Promise(requestAnimationFrame);
  return performance.now() - began; }"""


def copied(path: Path, clips: Path, count: int) -> None:
    """Copy the one finished job ``count`` times, with its clip."""
    with sqlite3.connect(path) as rows:
        job_id = rows.execute("SELECT id FROM job").fetchone()[0]
        changes: dict[str, dict[str, str]] = {
            "job": {"seq": "seq + n", "id": "printf('%032x', n)", "idem_key": "idem_key || n"},
            "ledger": {"id": "NULL", "job_id": "printf('%032x', n)"},
            "artifact": {
                "job_id": "printf('%032x', n)",
                "path": "printf('%032x', n) || '.mp4'",
                "poster": "printf('%032x', n) || '.png'",
            },
        }
        numbers = f"""WITH RECURSIVE number (n) AS
            (VALUES (1) UNION ALL SELECT n + 1 FROM number WHERE n < {count})"""
        for table, changed in changes.items():
            columns = [str(row[1]) for row in rows.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(changed.get(name, name) for name in columns)
            key = "id" if table == "job" else "job_id"
            rows.execute(
                f"INSERT INTO {table} {numbers} SELECT {values} FROM {table}, number"
                f" WHERE {table}.{key} = ?",
                (job_id,),
            )
        names = rows.execute(
            "SELECT path, poster FROM artifact WHERE job_id = ?", (job_id,)
        ).fetchone()
    rows.close()
    for number in range(1, count + 1):
        for name in names:
            os.link(clips / name, clips / f"{number:032x}{Path(name).suffix}")


async def serve(folder: Path) -> None:
    """Serve; a line is ``fill JOB COUNT`` or anything else, answered with CPU seconds."""
    settings = load_settings(
        data_dir=folder, executor="draft", studio_port=0, min_free_megabytes=0, quota_minutes=10_000
    )
    async with served(settings, QuickExecutor()) as studio:
        print(studio.url, flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).split():
            if line[0] == "fill":
                await until_ended(studio.core, line[1])
                count = int(line[2]) - 1
                await asyncio.to_thread(
                    copied, folder / DATABASE_NAME, settings.clips_folder, count
                )
            print(time.process_time(), flush=True)


def _summed_up(frames: list[float]) -> dict[str, float]:
    ordered = sorted(frames)
    return {
        "frames": len(ordered),
        "p50_ms": ordered[len(ordered) // 2],
        "p95_ms": ordered[int(len(ordered) * 0.95)],
        "worst_ms": ordered[-1],
    }


async def measure(clips: int) -> dict[str, Any]:
    """Fill, scroll, search."""
    async with server_of(__file__) as server:

        async def tell(line: str) -> float:
            return float(await server.tell(line))

        async with async_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            memory = ["--enable-precise-memory-info", "--js-flags=--expose-gc"]
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*flags, *memory]
            )
            page = await browser.new_page(viewport={"width": 1440, "height": 900})
            await page.goto(server.url)
            await page.wait_for_selector("#prompt-t2v textarea")
            job = await page.evaluate(MAKE, SMALL)
            await tell(f"fill {job} {clips}")
            await page.reload()
            found = await _scrolled(page, clips, tell)
            await browser.close()
    return found


async def _scrolled(page: Page, clips: int, tell: Any) -> dict[str, Any]:
    await page.wait_for_selector("#history .cl-shot")
    found: dict[str, Any] = {"memory": [await page.evaluate(LOOK)]}
    began, frames = await tell("cpu"), list[float]()
    for share in (4, 2, 1):
        frames += await page.evaluate(SCROLL, {"wanted": clips // share, "by": 250})
        found["memory"].append(await page.evaluate(LOOK))
    pages = clips / 12
    found["cpu_ms_per_page"] = 1000 * (await tell("cpu") - began) / pages
    found["down"] = _summed_up(frames)
    found["up"] = _summed_up(await page.evaluate(SCROLL, {"wanted": clips, "by": -2500}))
    found["search_ms"] = await page.evaluate(SEARCH, "no such words")
    first, last = found["memory"][1], found["memory"][-1]  # the very first holds the start too
    found["heap_kb_per_clip"] = (last["heap"] - first["heap"]) / 1024 / (clips - first["tiles"])
    return found


def shown(found: dict[str, Any]) -> list[str]:
    return [f"{name:18} {value}" for name, value in found.items()]


def met(found: dict[str, Any]) -> bool:
    return found["down"]["p95_ms"] < FRAME_S * 1000 and found["heap_kb_per_clip"] < HEAP_KB


if __name__ == "__main__":
    sys.exit(run(serve, measure, shown, met, clips=2000))
