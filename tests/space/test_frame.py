"""A Space in the frame of its platform, in a real browser: cookies of other sites or none."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Frame, FrameLocator, Page, expect

from tests.browser.conftest import LITTER
from tests.space.machine import HOST, Machine
from tests.space.running import Running
from tests.support.sites import Site, certificate, chrome, listening, to

pytestmark = [pytest.mark.browser, *(pytest.mark.filterwarnings(one) for one in LITTER)]
HUB = "huggingface.co"
# the platform's own widget: 140 × 28 px, 12 px from the edges; it lies on top of the page
WIDGET = """() => {
  const node = document.createElement("div");
  node.id = "huggingface-space-header";
  node.style.cssText = `position: fixed; top: 12px; right: 12px; width: 140px; height: 28px;
    z-index: 20; background: white; border-radius: 8px`;
  document.body.append(node);
}"""
# every control whose box meets the corner that the widget has; what is not seen has no box
COVERED = """(edge) => {
  const wanted = `a[href], button, input, select, textarea, summary, video, audio,
    [role=button], [role=tab], [role=slider], [role=combobox], [tabindex="0"]`;
  const corner = {left: innerWidth - 152, bottom: 40};
  const seen = [...document.querySelectorAll(wanted)].filter((node) =>
    node.checkVisibility({opacityProperty: true, visibilityProperty: true}));
  return seen.filter((node) => {
    const box = node.getBoundingClientRect();
    const inside = box.right > corner.left && box.left < innerWidth
      && box.top < corner.bottom && box.bottom > 0 && box.width > 1 && box.height > 1;
    const stays = (style) => style.position === "fixed"
      || (style.position === "sticky" && style.top !== "auto");  // at the bottom: scrolls away
    const stuck = (one) => one && (stays(getComputedStyle(one)) || stuck(one.parentElement));
    return inside && (edge === "top" || stuck(node));
  }).map((node) => node.outerHTML.slice(0, 120));
}"""


@asynccontextmanager
async def framed(space: Running, folder: Path, *, cookies: bool) -> AsyncGenerator[Page]:
    """A page of the platform with the Space in a frame."""
    context, hub = certificate(folder, HOST), Site()
    hub.body = (
        f"<!doctype html><iframe src='https://{HOST}/?mode=t2v' width=1300 height=850 "
        "allow='autoplay; clipboard-write' style='border: 0'></iframe>"
    )
    async with listening(to(space.url), context) as port, listening(hub, context) as outer:
        rules = f"MAP {HOST} 127.0.0.1:{port},MAP {HUB} 127.0.0.1:{outer}"
        async with chrome(folder, cookies=cookies, rules=rules) as browser:
            page = await browser.new_page()
            page.set_default_timeout(60_000)
            await page.goto(f"https://{HUB}/")
            yield page
            await page.goto("about:blank")


async def made(frame: FrameLocator | Frame, mode: str = "t2v") -> str:
    """The smallest clip, by hand; returns its address."""
    await frame.locator(f"#prompt-{mode} textarea").fill("a boat leaves")
    form = frame.locator("#modes .tabitem", has=frame.locator(f"#go-{mode}"))
    await form.get_by_text("Fast", exact=True).click()
    await form.get_by_text("More options").click()
    for label in ("Width (px)", "Height (px)"):
        await form.get_by_label(label).fill("256")
    await form.get_by_label("number input for Length (s)").fill("1")
    await form.get_by_label("number input for Length (s)").press("Tab")
    await frame.locator(f"#go-{mode}").click()
    film = frame.locator("#stage video")
    await expect(film).to_be_attached(timeout=300_000)
    return str(await film.get_attribute("src"))


@pytest.mark.parametrize("cookies", [True, False], ids=["allowed", "blocked"])
async def test_in_the_frame_a_clip_is_made_and_kept_over_a_reload(
    machine: Machine, tmp_path: Path, cookies: bool
) -> None:
    async with machine.running() as space, framed(space, tmp_path, cookies=cookies) as page:
        pending: list[str] = []
        page.on("request", lambda it: pending.append(it.url))
        for over in ("requestfinished", "requestfailed"):
            page.on(over, lambda it: it.url in pending and pending.remove(it.url))
        frame = page.frame_locator("iframe")
        first = await made(frame)
        await expect(frame.locator("#history [data-job]")).to_have_count(1)
        try:
            async with asyncio.timeout(90):
                shown = await page.frames[1].evaluate(PLAYED)
        except TimeoutError:
            pytest.fail(f"open requests: {pending}")
        await page.reload()
        await expect(frame.locator("#history [data-job]")).to_have_count(1)

    assert first
    assert shown == [206, "", 256]
    assert [lease.how for lease in machine.lender.leases] == ["released"]


# the answer to a request for the clip from inside the frame, and what the player made of it
PLAYED = """async () => {
  const film = document.querySelector("#stage video");
  const answer = await fetch(film.src, {headers: {Range: "bytes=0-99"}});
  const loaded = film.readyState > 0 ? "" : new Promise((done) => {
    film.onloadedmetadata = () => done("");
    film.onerror = () => done(film.error.message);
    film.load();
  });
  return [answer.status, await loaded, film.videoWidth];
}"""


@pytest.mark.parametrize("width", [390, 1024, 1440])
async def test_the_platforms_widget_covers_no_control(
    machine: Machine, tmp_path: Path, width: int
) -> None:
    context = certificate(tmp_path, HOST)
    found: dict[str, list[str]] = {}
    async with machine.running() as space, listening(to(space.url), context) as port:
        rules = f"MAP {HOST} 127.0.0.1:{port}"
        async with chrome(tmp_path, cookies=True, rules=rules) as browser:
            page = await browser.new_page()
            await page.set_viewport_size({"width": width, "height": 850})
            for mode in ("t2v", "i2v", "a2v", "lipsync", "keyframe", "style"):
                await page.goto(f"https://{HOST}/?mode={mode}")
                await page.wait_for_selector(f"#go-{mode}", state="visible")
                await page.wait_for_selector(f"#mode-{mode}[aria-current=page]", state="attached")
                await page.evaluate(WIDGET)
                found |= await covered(page, mode)
            await page.goto(f"https://{HOST}/?mode=t2v")
            await page.wait_for_selector("#mode-t2v[aria-current=page]", state="attached")
            await made(page.main_frame)
            await page.evaluate(WIDGET)
            found |= await covered(page, "clip")
            await page.goto("about:blank")

    assert {where: what for where, what in found.items() if what} == {}


async def covered(page: Page, name: str) -> dict[str, list[str]]:
    """What lies below the widget: at the top of the page, at its end, with the sidebar turned."""
    found: dict[str, list[str]] = {}
    for side in ("first", "turned"):
        await page.evaluate("scrollTo(0, 0)")
        found[f"{name} {side} top"] = await page.evaluate(COVERED, "top")
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        found[f"{name} {side} end"] = await page.evaluate(COVERED, "end")
        await page.evaluate("scrollTo(0, 0)")
        if side == "first":
            was = await page.locator(".sidebar").get_attribute("class")
            await page.get_by_label("Toggle Sidebar").click()
            await expect(page.locator(".sidebar")).not_to_have_attribute("class", was or "")
            await page.wait_for_function(SETTLED)
    return found


SETTLED = """() => document.getAnimations().every((one) => one.playState !== "running")"""
