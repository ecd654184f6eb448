"""Use from a program: the part of the page that writes what stands in the form as a request."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="module")
Visits = Callable[..., Awaitable[Any]]


async def test_the_samples_follow_the_form_in_sight(visit: Visits) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "a boat at sea")
    await page.locator("#programs summary").click()

    samples = page.locator("#programs pre")
    await expect(samples).to_have_count(3)
    await expect(samples.first).to_contain_text("prompt='a boat at sea'")
    await page.fill("#prompt-t2v textarea", "a kite")
    await expect(samples.nth(1)).to_contain_text('fields["prompt"] = "a kite"')
    await page.click("#mode-i2v")
    await expect(samples.nth(2)).to_contain_text("openAsBlob")

    assert visitor.errors == []
