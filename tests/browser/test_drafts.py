"""Four drafts in a real browser: one row to choose from, on the stage and in the gallery."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.browser.conftest import Visit

    Visits = Callable[..., Awaitable[Visit]]

pytestmark = pytest.mark.asyncio(loop_scope="module")
DRAFTS = {"prompt": "a boat", "width": 512, "height": 512, "seconds": 1.0, "drafts": "4"}


async def drafted(visit: "Visits", **size: int) -> "tuple[Visit, str]":
    """Somebody whose four drafts are there."""
    visitor = await visit(**size)
    await visitor.open()
    job = await visitor.send(**DRAFTS)
    await visitor.page.goto(f"{visitor.url}/?mode=t2v&job={job}")
    finish = visitor.page.locator("#stage .cl-drafts [data-action=quality]")
    await expect(finish).to_have_count(4, timeout=60_000)
    return visitor, job


async def test_one_of_four_is_looked_at_and_finished_in_the_same_row(visit: "Visits") -> None:
    visitor, first = await drafted(visit)
    page, row = visitor.page, visitor.page.locator("#stage .cl-drafts")

    assert await page.locator("#stage [data-part=buttons] [data-action=again]").count() == 0
    finish = row.locator("[data-action=quality]").nth(1)
    await expect(finish).to_have_text(re.compile("Finish 2 · .* s"))
    third = row.get_by_role("button", name="Draft 3 of 4")
    await third.click()
    await expect(third).to_have_attribute("aria-current", "true")
    await expect(third).to_be_focused()
    await expect(page.locator("#stage video")).not_to_have_attribute("src", f"clips/{first}.mp4")

    shelf = page.locator("#history .cl-row")
    await expect(shelf).to_have_count(1)
    await expect(shelf.locator(".cl-shot")).to_have_count(4)
    names = await shelf.locator("[data-action=quality] span").all_text_contents()
    assert names == ["Finish 1", "Finish 2", "Finish 3", "Finish 4"]
    await expect(shelf.locator("[data-action=again]")).to_have_count(1)
    await visitor.shot("drafts")

    await shelf.locator("[data-action=quality]").nth(3).click()
    await expect(page.locator("#stage .cl-drafts")).to_have_count(0)
    alone = page.locator("#history ul:not(.cl-row ul) > li:not(.cl-row) > .cl-shot")
    await expect(alone).to_have_count(1)
    await expect(shelf.locator(".cl-shot")).to_have_count(4)


async def test_a_row_fits_a_phone_and_is_deleted_and_kept_as_one(visit: "Visits") -> None:
    visitor, _ = await drafted(visit, width=390, height=800)
    page = visitor.page
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await visitor.shot("drafts-phone")

    await page.locator("#stage [data-part=buttons] [data-action=delete]").click()
    await expect(page.locator("#history .cl-row")).to_have_count(0)
    await page.locator("#stage [data-action=undo]").click()
    await expect(page.locator("#history .cl-row .cl-shot")).to_have_count(4)
