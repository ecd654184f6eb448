"""A clip's settings in the form again, its relatives one press away, its inputs in the queue."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from core.demo.samples import write_png
from core.i18n.messages import say
from tests.browser.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]


async def test_settings_fill_the_form_of_their_mode_and_can_be_taken_back(
    visit: Visits, tmp_path: Path
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("i2v")
    form = visitor.form("i2v")
    picture = write_png(tmp_path / "given.png")
    async with page.expect_response("**/upload**"):
        await form.locator("input[type=file]").first.set_input_files(picture)
    await page.fill("#prompt-i2v textarea", "a boat in the reeds")
    await visitor.small("i2v")
    await visitor.seed("i2v").fill("77")
    await form.get_by_label("Keep this seed").check()
    job = await visitor.generate("i2v")
    await visitor.film()

    await page.fill("#prompt-i2v textarea", "typed since")
    await form.get_by_text("Balanced", exact=True).click()
    await visitor.seed("i2v").fill("78")
    await page.click("#mode-t2v")
    await visitor.ready("t2v")
    await page.click("#stage [data-action=edit]")
    await visitor.ready("i2v")

    prompt = page.locator("#prompt-i2v textarea")
    await expect(prompt).to_have_value("a boat in the reeds")
    await expect(visitor.seed("i2v")).to_have_value("77")
    await expect(form.get_by_label("Width (px)")).to_have_value("256")
    await expect(form.get_by_role("radio", name="Fast")).to_be_checked()
    await expect(form.locator(".cl-files img")).to_be_visible()
    await expect(page.locator("#reused")).to_contain_text(say("gallery_reused"))
    assert await violations(page, "#reused") == []

    await page.click("#reused [data-action=take-back]")
    await visitor.ready("t2v")
    await page.click("#mode-i2v")
    await expect(prompt).to_have_value("typed since")
    await expect(visitor.seed("i2v")).to_have_value("78")
    await expect(form.get_by_role("radio", name="Balanced")).to_be_checked()
    await expect(page.locator("#reused")).to_be_hidden()

    await page.dblclick("#stage [data-action=edit]")  # and they make the same clip
    await expect(prompt).to_have_value("a boat in the reeds")
    again = await visitor.generate("i2v")
    assert again != job
    await expect(page.locator("#stage")).to_contain_text("seed 77")


async def test_relatives_are_shown_under_the_stage_and_lead_there(visit: Visits) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    first = await visitor.generate("t2v")
    await visitor.film()
    await expect(page.locator("#lineage")).to_be_hidden()

    await page.click("#stage [data-action=again]")
    parent = page.locator(f"#lineage [data-job='{first}']")
    await parent.wait_for()
    await expect(page.locator("#stage video")).to_be_visible(timeout=40_000)
    await visitor.shot("lineage-1440")
    assert await violations(page, "#lineage") == []
    await parent.focus()
    await page.keyboard.press("Enter")

    child = page.locator(f"#lineage [data-job]:not([data-job='{first}'])")
    await expect(child).to_contain_text(say("gallery_by_again"))
    await expect(child.locator("img")).to_be_visible()
    assert first in page.url
