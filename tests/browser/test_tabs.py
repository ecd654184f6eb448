"""Several tabs of one browser, and presses that are lost on the way, are one person's one wish."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from core.i18n.messages import say
from tests.browser.test_gallery import requester_of
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
# what any tab of this browser would show or play, and a tab that is not in sight
TOLD = """
  const note = (kind) => localStorage.setItem(kind, Number(localStorage.getItem(kind)) + 1);
  window.Notification = class {
    static permission = "granted";
    constructor() { note("test-shown"); }
    close() {}
  };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) {
    if (this.frequency.value === 660) note("test-played");
    return start.apply(this, at);
  };
"""
HIDE = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})"
LOOK = "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
READY = f"document.title.startsWith('(1) {say('studio_ready')}')"


async def tab_of(visitor: Any) -> Page:
    """Another tab of the same browser."""
    page = await visitor.page.context.new_page()
    await page.goto(f"{visitor.url}/?mode=t2v")
    await page.wait_for_selector("#go-t2v", state="visible")
    return page


async def test_three_tabs_tell_of_a_clip_once_and_a_look_at_one_is_a_look(visit: Visits) -> None:
    visitor = await visit()
    await visitor.page.context.add_init_script(TOLD)
    await visitor.open()
    for name in ("notify", "sound"):
        await visitor.page.evaluate("window.Notification.requestPermission = async () => 'granted'")
        await visitor.page.locator(f"[data-tells={name}]").check()
    tabs = [visitor.page, await tab_of(visitor), await tab_of(visitor)]
    await visitor.send(prompt="a boat", seconds=4, width=320, height=320, preset="fast")
    for tab in tabs:  # each sees that something is made, and its end while it is out of sight
        await tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(tab.locator("#queue li button").first).to_be_visible()
        await tab.evaluate(HIDE)
        await tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    for tab in tabs:
        await tab.wait_for_function(READY, timeout=120_000)
    await tabs[0].wait_for_function("localStorage.getItem('test-played')")
    assert await tabs[0].evaluate("localStorage.getItem('test-shown')") == "1"
    assert await tabs[0].evaluate("localStorage.getItem('test-played')") == "1"

    await tabs[1].evaluate(LOOK)

    for tab in tabs:
        await expect(tab).to_have_title(say("studio_title"))


async def test_a_box_that_is_cleared_in_one_tab_is_clear_in_the_others(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open()
    other = await tab_of(visitor)
    boxes = [page.locator("[data-tells=sound]") for page in (visitor.page, other)]

    await boxes[0].check()
    await expect(boxes[1]).to_be_checked()
    await boxes[1].uncheck()
    await expect(boxes[0]).not_to_be_checked()


async def test_again_that_was_lost_on_the_way_back_is_one_clip_after_a_reload(
    visit: Visits, studio: ServedStudio
) -> None:
    visitor = await visit()
    page, arrived = visitor.page, asyncio.Event()
    await visitor.open()
    await visitor.send(prompt="a boat", seconds=1, width=256, height=256, preset="fast")
    await page.reload()
    await visitor.film()

    async def swallow_first(route: Route) -> None:
        if arrived.is_set():
            await route.continue_()
            return
        await route.fetch()
        arrived.set()  # and no answer: one that is let go later would come before the reload

    await page.route("**/again", swallow_first)
    await page.click("#stage [data-action=again]")
    await arrived.wait()
    async with page.expect_response("**/again") as answer:
        await page.reload()
    made = (await (await answer.value).json())["job"]
    await visitor.film()

    who = await requester_of(visitor, studio)
    jobs = await studio.core.jobs.jobs_of(who)
    assert len(jobs) == 2
    assert made in {job.id for job in jobs}


async def test_a_lost_connection_is_told_in_sight_and_moves_nothing(visit: Visits) -> None:
    visitor = await visit(390, 844)
    page = visitor.page
    await visitor.open()
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    before = await page.locator("#queue").bounding_box()
    await page.context.set_offline(True)
    told = page.locator(".cl-lost")

    await expect(told).to_be_in_viewport()

    assert await page.locator("#queue").bounding_box() == before
    await page.context.set_offline(False)
    await expect(told).to_have_count(0)
