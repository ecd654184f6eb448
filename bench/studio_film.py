"""Renders docs/images/studio.webp: a real run in a Studio, from the words to the clip.

    PYTHONPATH=. python bench/studio_film.py --out docs/images/studio.webp

A Chromium is looked at as often as it can be while somebody types, makes a clip and watches it; the
picture plays at the pace of that. The clip is the draft executor's. Needs Debian's chromium.
"""

import argparse
import asyncio
import io
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright

from core.domain.modes import Mode
from core.settings import load_settings
from webui.testing.server import served

SEEN, SHOWN = (1280, 800), (960, 600)  # px: of the window, of the picture
MOST_BYTES = 950_000  # git holds no media over a megabyte
PROMPT = "A paper boat sails down a rainy street at dusk, lanterns in the water"
TYPED_MS = 35  # a letter
WATCHED_S = 4.0  # the clip, and the pause before the picture begins again
SLOW_MS = 180_000


@dataclass
class Recording:
    """What the window showed, and since when."""

    page: Page
    frames: list[tuple[float, Image.Image]] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Look until ``stop``; what did not change is not kept twice."""
        last = b""
        while not stop.is_set():
            at = time.monotonic()
            seen = await self.page.screenshot(type="png", animations="allow")
            if seen != last:
                last = seen
                picture = Image.open(io.BytesIO(seen)).convert("RGB")
                self.frames.append((at, picture.resize(SHOWN, Image.Resampling.LANCZOS)))
            await asyncio.sleep(0.05)

    def save(self, path: Path) -> None:
        """Write the moving picture, as good as fits."""
        times = [at for at, _ in self.frames]
        ends = [*times[1:], times[-1] + WATCHED_S / 2]
        lasts_ms = [max(20, round((end - at) * 1000)) for at, end in zip(times, ends, strict=True)]
        first, *others = (picture for _, picture in self.frames)
        for quality in (80, 70, 60, 50, 40, 30, 20):
            options = {"quality": quality, "method": 4, "loop": 0, "duration": lasts_ms}
            first.save(path, "WEBP", save_all=True, append_images=others, **options)
            if path.stat().st_size <= MOST_BYTES:
                break
        print(f"{path}: {len(self.frames)} frames, {sum(lasts_ms) / 1000:.1f} s, "
              f"{path.stat().st_size} bytes at quality {quality}")  # fmt: skip


async def make_a_clip(page: Page) -> None:
    """Type, press, wait and watch, as somebody does."""
    mode = Mode.T2V
    await page.fill(f"#prompt-{mode} textarea", "")
    await page.locator(f"#prompt-{mode} textarea").press_sequentially(PROMPT, delay=TYPED_MS)
    form = page.locator("#modes .tabitem", has=page.locator(f"#go-{mode}"))
    await form.locator(".cl-preflight dd").first.wait_for()
    await page.click(f"#go-{mode}")
    await page.evaluate("scrollTo({top: 0, behavior: 'smooth'})")
    await page.wait_for_function(
        "document.querySelector('#stage video')?.readyState > 1", timeout=SLOW_MS
    )
    await page.evaluate("document.querySelector('#stage video').play()")
    await page.wait_for_timeout(WATCHED_S * 1000)


async def main(out: Path) -> None:
    """Serve a Studio, look at it, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), executor="draft", studio_port=0)
        async with async_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            path = shutil.which("chromium")
            browser = await playwright.chromium.launch(executable_path=path, args=flags)
            async with served(settings) as studio:
                page = await browser.new_page(viewport={"width": SEEN[0], "height": SEEN[1]})
                await page.goto(f"{studio.url}/?mode={Mode.T2V}")
                await page.wait_for_selector(f"#go-{Mode.T2V}", state="visible")
                await page.evaluate("document.fonts.ready")
                recording, stop = Recording(page), asyncio.Event()
                looking = asyncio.create_task(recording.run(stop))
                await make_a_clip(page)
                stop.set()
                await looking
            await browser.close()
        recording.save(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    asyncio.run(main(parser.parse_args().out))
