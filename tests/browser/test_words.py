"""What a model makes of a prompt, read while the clip is made, then edited or given up."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from core.domain.prompt_preview import PromptPreview
from core.i18n.messages import say
from core.settings import Settings
from core.testing.doubles import QuickExecutor
from tests.browser.test_access import violations
from tests.support.settings import changed
from webui.testing.server import served

pytestmark = pytest.mark.asyncio(loop_scope="module")
Visits = Callable[..., Awaitable[Any]]
TYPED = "a boat"
WRITTEN = "A boat <b>slowly</b> leaves the harbour as gulls cry."


async def test_the_words_of_a_model_are_shown_edited_and_given_up_while_the_clip_is_made(
    studio_settings: Settings, visit: Visits
) -> None:
    executor = QuickExecutor()
    executor.gate.clear()
    folder = studio_settings.data_dir / "words"
    async with served(changed(studio_settings, data_dir=folder), executor) as studio:
        visitor = await visit(390, 844, url=studio.url)
        page = visitor.page
        await visitor.open()
        await page.fill("#prompt-t2v textarea", TYPED)
        await visitor.small("t2v")
        enhance = page.locator("#enhance-t2v input")
        await enhance.click()
        await page.get_by_role("option").nth(1).click()
        note = (
            visitor.form("t2v").locator(".cl-preflight").get_by_text(say("studio_enhancer_shown"))
        )
        await note.first.wait_for()
        chosen = await enhance.input_value()
        await visitor.generate("t2v")
        await page.locator("#stage .cl-fill:not(.cl-unknown)").wait_for()

        executor.show(PromptPreview(WRITTEN))

        words = page.locator("#stage .cl-words")
        await expect(words.locator(".cl-prompt")).to_have_text(WRITTEN)
        assert await violations(page, "#stage") == []
        await page.fill("#prompt-t2v textarea", "something else, meanwhile")
        await words.locator("[data-action=words-edit]").click()
        await expect(page.locator("#prompt-t2v textarea")).to_have_value(WRITTEN)
        await expect(enhance).not_to_have_value(chosen)
        await page.click("#reused [data-action=take-back]")
        await expect(page.locator("#prompt-t2v textarea")).to_have_value(
            "something else, meanwhile"
        )
        await expect(enhance).to_have_value(chosen)
        await words.locator("[data-action=words-mine]").dblclick()
        await expect(page.locator("#prompt-t2v textarea")).to_have_value(TYPED)
        await expect(enhance).not_to_have_value(chosen)
        await expect(page.locator("#go-t2v")).to_have_attribute(
            "data-price", say("studio_price_least")
        )
        executor.gate.set()
        await visitor.film()
