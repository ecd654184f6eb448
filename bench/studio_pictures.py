"""Renders docs/images/studio-*.png: a real Chromium in front of a running Studio.

    PYTHONPATH=. python bench/studio_pictures.py --out docs/images  # the two pictures of the docs
    PYTHONPATH=. python bench/studio_pictures.py --out /tmp/states --every  # every state

Clips are the draft executor's. Needs Debian's chromium.
"""

import argparse
import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from core.demo.inputs import DemoJob, make_demo_jobs
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS
from core.i18n.messages import say
from core.settings import Settings, load_settings
from tests.support.settings import changed
from webui.auth.user_file import User, add
from webui.page.fields import label_of
from webui.testing.server import ServedStudio, served

WIDTHS = {390: 844, 768: 1024, 1440: 900}  # px: phone, tablet, desktop
SHOWN = (Mode.T2V, Mode.A2V, Mode.I2V)  # the clips in the history of the pictures
SLOW_MS = 120_000
# the poster, without the turning ring of a video that has only its first data
STILL = """() => {
  const video = document.querySelector("#stage video");
  video.preload = "none";
  video.load();
}"""


@dataclass(frozen=True, slots=True)
class Camera:
    """One window, and where its pictures go."""

    page: Page
    url: str
    out: Path
    width: int

    async def shot(self, name: str, *, whole: bool = True) -> None:
        """Take a picture, of the whole page or of the window."""
        path = self.out / f"studio-{name}-{self.width}.png"
        await self.page.screenshot(path=path, full_page=whole)
        print(path)

    async def open(self, mode: Mode) -> None:
        """Show the form of ``mode``."""
        await self.page.goto(f"{self.url}/?mode={mode}")
        await self.page.wait_for_selector(f"#go-{mode}", state="visible")
        await self.page.locator(f"#mode-{mode}[aria-current=page]").wait_for(state="attached")
        await self.page.evaluate("document.fonts.ready")

    async def type(self, demo_job: DemoJob, preset: str = "fast") -> None:
        """Fill the form as ``demo_job`` says."""
        form = self.page.locator("#modes .tabitem", has=self.page.locator(f"#go-{demo_job.mode}"))
        for index, slot in reversed(list(enumerate(MODES[demo_job.mode].slots))):
            async with self.page.expect_response(re.compile("/upload")):
                field = form.locator("input[type=file]").nth(index)
                await field.set_input_files(demo_job.files[slot.role])
        if demo_job.files:
            await form.locator(".cl-preflight dd").first.wait_for()
        await self.page.fill(f"#prompt-{demo_job.mode} textarea", demo_job.options.prompt)
        await form.get_by_text(preset.capitalize(), exact=True).click()
        await form.locator(".cl-preflight dd").first.wait_for()

    async def make(self, demo_job: DemoJob) -> None:
        """Make the clip and wait until it can be played and is in the history."""
        await self.open(demo_job.mode)
        await self.type(demo_job)
        await self.page.wait_for_timeout(500)
        before = await self.page.locator("#history [data-job]").count()
        await self.page.click(f"#go-{demo_job.mode}")
        await self.page.wait_for_function(
            "n => document.querySelectorAll('#history [data-job]').length > n"
            " && document.querySelector('#stage video')?.readyState > 1",
            arg=before,
            timeout=SLOW_MS,
        )


@asynccontextmanager
async def cameras(
    browser: Browser, studio: ServedStudio, out: Path, *widths: int
) -> AsyncGenerator[list[Camera]]:
    """Open one window per width, all of the same person."""
    context = await browser.new_context()
    found: list[Camera] = []
    for width in widths:
        page = await context.new_page()
        await page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        found.append(Camera(page, studio.url, out, width))
    yield found
    await context.close()


async def docs(
    browser: Browser, studio: ServedStudio, out: Path, demo_jobs: dict[Mode, DemoJob]
) -> None:
    """Render the two pictures of the documentation."""
    async with cameras(browser, studio, out, 1440, 390) as (desktop, phone):
        for mode in SHOWN:
            await desktop.make(demo_jobs[mode])
        await desktop.page.evaluate(STILL)
        await desktop.page.evaluate("scrollTo(0, 0)")
        await desktop.page.screenshot(path=out / "studio-desktop.png")
        await phone.open(Mode.I2V)
        await phone.page.locator("#stage video").scroll_into_view_if_needed()
        await phone.page.wait_for_function("document.querySelector('video').readyState > 1")
        await phone.page.evaluate(STILL)
        await phone.page.evaluate("document.getElementById('stage').scrollIntoView()")
        await phone.page.screenshot(path=out / "studio-phone.png")


async def empty(one: Camera) -> None:
    """Show the page of every mode before anything happened, and the drawer."""
    for mode in MODES:
        await one.open(mode)
        await one.shot(f"empty-{mode}")
    toggle = one.page.get_by_label("Toggle Sidebar")
    if await toggle.get_attribute("aria-expanded") == "false":
        await toggle.click()
        await one.page.wait_for_timeout(600)
    await one.shot("drawer", whole=False)


async def refused(one: Camera) -> None:
    """Show what Generate says to an empty form, and a size that cannot be."""
    await one.open(Mode.T2V)
    await one.page.click("#go-t2v")
    await one.page.locator("#modes .cl-error:visible").wait_for()
    await one.shot("refused")
    await one.page.fill("#prompt-t2v textarea", "a boat")
    form = one.page.locator("#modes .tabitem", has=one.page.locator("#go-t2v"))
    await form.get_by_text(say("studio_more")).click()
    await form.get_by_label(label_of(OPTIONS["width"])).fill("5000")
    await form.get_by_label(label_of(OPTIONS["height"])).fill("500")
    await form.get_by_label(label_of(OPTIONS["height"])).press("Tab")
    await form.locator(".cl-fix").wait_for()
    await one.shot("preflight")


async def working(one: Camera, demo_job: DemoJob) -> None:
    """Show a job in the making, a second one in line, and what cancelling leaves."""
    await one.open(demo_job.mode)
    await one.type(demo_job, "quality")
    form = one.page.locator("#modes .tabitem", has=one.page.locator(f"#go-{demo_job.mode}"))
    await form.get_by_label("number input for").first.fill("20")
    await form.get_by_label("number input for").first.press("Tab")
    for count in (1, 2):
        await one.page.click(f"#go-{demo_job.mode}")
        await one.page.locator("#queue [data-action=cancel]").nth(count - 1).wait_for()
    await one.page.locator("#queue .cl-link").first.click()
    await one.page.locator("#stage .cl-fill:not(.cl-unknown)").wait_for()
    await one.shot("working")
    for _ in range(2):
        button = one.page.locator("#queue [data-action=cancel]").first
        async with one.page.expect_response(re.compile("/cancel")):
            await button.click()
        await one.page.wait_for_timeout(1500)
    await one.page.locator("#stage .cl-error").wait_for()
    await one.shot("cancelled")


async def done(one: Camera, demo_job: DemoJob) -> None:
    """Show a finished clip with the history, and the settings read back from its file."""
    await one.make(demo_job)
    await one.shot("done")
    link = await one.page.locator("#stage a[download]").get_attribute("href")
    answer = await one.page.request.get(f"{one.url}/{link}")
    await one.page.get_by_text(say("studio_reload"), exact=True).click()
    clip = {"name": "clip.mp4", "mimeType": "video/mp4", "buffer": await answer.body()}
    await one.page.locator("#reload input[type=file]").set_input_files(clip)
    await one.page.get_by_role("button", name=say("studio_reload_apply")).wait_for()
    await one.shot("reload")


async def door(browser: Browser, settings: Settings, out: Path) -> None:
    """Show the page in front of a closed Studio, also after a wrong password."""
    async with served(settings) as studio, cameras(browser, studio, out, *WIDTHS) as windows:
        for one in windows:
            await one.page.goto(f"{studio.url}/?sign_in=wrong_password")
            await one.shot("door")


async def every(
    browser: Browser, studio: ServedStudio, out: Path, demo_jobs: dict[Mode, DemoJob]
) -> None:
    """Render every state at every width."""
    for width in WIDTHS:
        async with cameras(browser, studio, out, width) as (one,):
            await empty(one)
            await refused(one)
            await working(one, demo_jobs[Mode.T2V])
            await done(one, demo_jobs[Mode.I2V])
            await done(one, demo_jobs[Mode.LIPSYNC])


async def main(out: Path, *, all_states: bool) -> None:
    """Serve a Studio, look at it, stop it."""
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        settings = load_settings(
            data_dir=base / "data", executor="draft", studio_port=0, prompt_in_metadata=True
        )
        demo_jobs = {demo_job.mode: demo_job for demo_job in make_demo_jobs(base / "demo_jobs")}
        async with async_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
            async with served(settings) as studio:
                await (every if all_states else docs)(browser, studio, out, demo_jobs)
            if all_states:
                await door(browser, with_users(settings, base), out)
            await browser.close()


def with_users(settings: Settings, base: Path) -> Settings:
    """Return the settings of a Studio that only one person may enter."""
    people = base / "people"
    add(people, User.of("ada", "a password of nobody"))
    return changed(settings, data_dir=base / "closed", studio_users=people)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(options.out, all_states=options.every))
