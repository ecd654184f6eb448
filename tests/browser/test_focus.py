"""What had the focus goes with its press: the next Tab goes on from there, not from the top."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from core.i18n.messages import say
from tests.browser.test_languages import SMALL

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
LOST = "document.activeElement === document.body || !document.activeElement.checkVisibility()"


async def with_clips(visit: Visits, count: int) -> Any:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    for number in range(count):
        job = await visitor.send(prompt=f"boat {number}", **SMALL)
        await expect(page.locator(f"#history .cl-shot[data-job='{job}'] img")).to_have_count(1)
    return visitor


async def press(button: Locator) -> None:
    await button.focus()
    await button.press("Enter")


async def kept(page: Page) -> bool:
    return not await page.evaluate(LOST)


async def test_many_clips_are_deleted_and_brought_back_without_losing_the_place(
    visit: Visits,
) -> None:
    visitor = await with_clips(visit, 2)
    page, gallery = visitor.page, visitor.page.locator("#history")
    choose, undo = (gallery.locator(f"[data-action={name}]") for name in ("choose", "undo-many"))

    await press(choose)
    await press(gallery.locator("[data-action=choose-all]"))
    await page.keyboard.press("Escape")
    await expect(choose).to_be_focused()
    for way in ("undo", "time"):
        await press(choose)
        await press(gallery.locator("[data-action=choose-all]"))
        if way == "time":
            await page.clock.install()
        for _ in range(2):
            await press(gallery.locator("[data-action=delete-many]"))
        await expect(undo).to_be_focused()
        if way == "undo":
            await page.keyboard.press("Enter")
        else:
            await page.clock.fast_forward(10_000)
        await expect(undo).to_have_count(0)
        await expect(choose).to_be_focused()


async def test_a_tile_that_goes_hands_its_focus_to_the_one_beside_it(visit: Visits) -> None:
    visitor = await with_clips(visit, 2)
    shots = visitor.page.locator("#history .cl-shot")
    first = await shots.first.get_attribute("data-job")
    await shots.first.focus()

    answer = await visitor.page.context.request.post(
        f"{visitor.url}/studio/gallery/delete",
        data={"jobs": [first]},
        headers={"X-Clapper": "1"},
    )
    assert answer.ok
    await visitor.page.evaluate("document.dispatchEvent(new Event('clapper-history'))")

    await expect(shots).to_have_count(1)
    await expect(shots.first).to_be_focused()


async def test_settings_are_taken_over_and_back_without_losing_the_place(visit: Visits) -> None:
    visitor = await with_clips(visit, 1)
    page = visitor.page
    await page.locator("#history .cl-shot").click()
    await visitor.film()
    for name in ("take-back", "close"):
        await press(page.locator("#stage [data-action=edit]"))
        bar = page.locator(f"#reused [data-action={name}]")
        await bar.wait_for()
        assert await kept(page)
        await press(bar)
        await expect(bar).to_have_count(0)
        assert await kept(page)


async def test_a_clip_is_deleted_and_brought_back_without_losing_the_place(visit: Visits) -> None:
    visitor = await with_clips(visit, 1)
    page, stage = visitor.page, visitor.page.locator("#stage")
    await page.locator("#history .cl-shot").click()
    for action, following in (("delete", "undo"), ("undo", "delete"), ("delete", "now")):
        await press(stage.locator(f"[data-action={action}]"))
        await stage.locator(f"[data-action={following}]").wait_for()
        assert await kept(page)
    await press(stage.locator("[data-action=now]"))
    await expect(page.locator("#history .cl-shot")).to_have_count(0)
    assert await kept(page)


async def test_a_sheet_a_fix_and_a_choice_of_modes_give_the_focus_on(visit: Visits) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    opener = page.get_by_role("button", name=say("studio_keys"))
    await press(opener)
    await page.locator("dialog[open] button").press("Enter")
    await expect(opener).to_be_focused()

    await page.fill("#prompt-t2v textarea", "a boat")
    await visitor.form("t2v").get_by_text(say("studio_more")).click()
    width = visitor.form("t2v").get_by_label("Width (px)")
    await width.fill("5000")
    await width.press("Tab")
    await press(visitor.form("t2v").locator(".cl-fix"))
    await expect(visitor.form("t2v").locator(".cl-fix")).to_have_count(0)
    assert await kept(page)
