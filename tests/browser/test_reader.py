"""What a reader's own browser says of them: the time zone, the language, the width of the page."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Visit
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
# one of Gradio's messages, by the class that its own styles are for, and what of ours it covers
COVERED = """() => {
  const rules = [...document.styleSheets].flatMap((sheet) => {
    try { return [...sheet.cssRules]; } catch { return []; }
  });
  const named = (name) => rules.map(({ selectorText }) => selectorText || "")
    .flatMap((text) => text.match(new RegExp(`\\\\.${name}(\\\\.svelte-\\\\w+)`)) || [])[1] || "";
  const node = (name, text) => Object.assign(document.createElement("div"),
    { className: `${name} ${named(name).slice(1)}`, textContent: text });
  const around = node("toast-wrap", "");
  const message = node("toast-body", "Connection lost. ".repeat(9));
  around.append(message);
  document.body.append(around);
  const box = around.getBoundingClientRect();
  const meets = (other) => box.left < other.right && other.left < box.right
    && box.top < other.bottom && other.top < box.bottom;
  const found = [...document.querySelectorAll(".cl-card, .cl-go, .cl-files, .form")]
    .filter((one) => one.checkVisibility() && meets(one.getBoundingClientRect()));
  const seen = box.width > 100 && box.height > 20;
  return [named("toast-wrap"), seen, found.map((one) => one.className)];
}"""

SHIFTS = """window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize("width", [390, 768, 1440])
async def test_a_message_of_gradio_lies_over_none_of_our_cards(visit: Visits, width: int) -> None:
    visitor = await visit(width, 900)
    await visitor.open("i2v")
    known, seen, covered = await visitor.page.evaluate(COVERED)
    assert known.startswith(".svelte-")
    assert seen
    assert covered == []


@pytest.mark.parametrize("width", [390, 768, 1440])
async def test_nothing_moves_while_the_page_opens(visit: Visits, width: int) -> None:
    visitor = await visit(width, 900)
    await visitor.page.add_init_script(SHIFTS)
    await visitor.open("keyframe")
    await visitor.form("keyframe").locator(".cl-preflight .cl-meta").first.wait_for()
    await visitor.page.wait_for_function("document.querySelector('#side dd').textContent")
    assert await visitor.page.evaluate("window.shifted") < 0.02
    await expect(visitor.page.locator("#first")).to_be_hidden()


async def test_times_are_those_of_the_browser(chromium: Browser, studio: ServedStudio) -> None:
    context = await chromium.new_context(timezone_id="Europe/Berlin", locale="de-DE")
    try:
        visitor = Visit(await context.new_page(), studio.url)
        await visitor.open()
        await visitor.page.fill("#prompt-t2v textarea", "a boat")
        async with visitor.page.expect_request("**/studio/state?job=*") as asked:
            await visitor.page.click("#go-t2v")
        assert (await asked.value).headers["x-clapper-zone"] == "Europe/Berlin"
        quota = visitor.page.locator("#side dd").nth(2)
        await expect(quota).to_contain_text("wieder voll")
        assert "UTC" not in await quota.inner_text()
    finally:
        await context.close()
