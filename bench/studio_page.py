"""How long the Studio's page takes to show itself, and how much it moves, also on a slow net.

Run: ``PYTHONPATH=. python bench/studio_page.py [--json]``. Targets: first words below 1 s at the
"Fast 3G" of Chromium's own tools (1.44 Mbit/s, 562.5 ms each way), at most 450 kB, nothing from
elsewhere. Needs Debian's chromium. What 50 people wait for a status: ``bench/studio_load.py``.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from core.app.logs import set_up_logging
from core.settings import load_settings
from webui.testing.server import served

MOST_BYTES, MOST_MS = 450_000, 1000.0
FAST_3G = {"latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


async def load(browser: Browser, url: str, net: dict[str, float] | None) -> dict[str, float]:
    """Open the page in a browser without anything of it, and wait until its form can be used."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    if net is not None:
        await session.send("Network.emulateNetworkConditions", {"offline": False, **net})
    sizes: list[float] = []
    foreign: list[str] = []
    session.on("Network.loadingFinished", lambda end: sizes.append(end["encodedDataLength"]))
    page.on("request", lambda one: None if one.url.startswith(url) else foreign.append(one.url))
    await page.goto(f"{url}/?mode=t2v")
    await page.wait_for_selector("#go-t2v", state="visible", timeout=120_000)
    ready = await page.evaluate("performance.now()")
    await page.wait_for_load_state("load")
    await asyncio.sleep(2)  # what comes later still
    found = {
        "first_ms": await page.evaluate(PAINT),
        "ready_ms": ready,
        "bytes": sum(sizes),
        "requests": len(sizes),
        "foreign": sum(not one.startswith(("data:", "blob:")) for one in foreign),
    }
    await context.close()
    return found


async def measure() -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), executor="draft", studio_port=0)
        async with served(settings) as studio, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            )
            nets = {"local": None, "fast 3g": FAST_3G}
            found = {name: await load(browser, studio.url, net) for name, net in nets.items()}
            await browser.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    set_up_logging("warning")
    found = asyncio.run(measure())
    if options.json:
        print(json.dumps(found))
    for name, figures in () if options.json else found.items():
        print(name, *(f"{key} {value:.0f}" for key, value in figures.items()))
    sound = found["fast 3g"]["first_ms"] < MOST_MS
    sound = sound and all(one["bytes"] <= MOST_BYTES for one in found.values())
    return 0 if sound and not any(one["foreign"] for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
