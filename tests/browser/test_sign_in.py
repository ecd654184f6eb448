"""Signing in with a real browser: there and back, reload, second tab, no consent, signing out."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Error as BrowserError
from playwright.async_api import expect
from pydantic import SecretStr

from core.i18n.messages import say, sentences
from core.settings import Settings
from tests.support.settings import changed
from webui.auth.session_cookie import COOKIE, AccountSession, SessionSigner
from webui.testing.oauth_provider import CLIENT_ID, CLIENT_SECRET, Account, Provider, providing
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
PROMPT = "a lamp is lit in a window while it rains"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncGenerator[Provider]:
    async with providing(Account("64ada", "ada")) as running:
        yield running


@pytest.fixture(scope="module")
def studio_settings(module_settings: Settings, provider: Provider) -> Settings:
    return changed(
        module_settings,
        studio_port=0,
        studio_oauth_client_id=CLIENT_ID,
        studio_oauth_client_secret=SecretStr(CLIENT_SECRET),
        studio_oauth_provider=provider.url,
    )


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(visit: Visits, provider: Provider) -> AsyncGenerator[Any]:
    """A person at 1440 px, who goes nowhere but to the Studio and the provider."""
    one = await visit()
    yield one
    one.foreign[:] = [url for url in one.foreign if not url.startswith(provider.url)]


async def press(visitor: Any, word: str) -> None:
    await visitor.page.locator("#account").get_by_role("link", name=say(word)).click()


async def answer(visitor: Any, provider: Provider, button: str) -> None:
    """Answer the provider's question and wait for the page to be back."""
    await visitor.page.wait_for_url(f"{provider.url}/**")
    await visitor.page.get_by_role("button", name=button).click()
    await visitor.ready("t2v")


async def test_there_and_back_with_prompt_guest_clip_reload_and_second_tab(
    visitor: Any, provider: Provider
) -> None:
    page = visitor.page
    await visitor.open("t2v")
    await visitor.small("t2v")
    await visitor.page.locator("#prompt-t2v textarea").fill("made as a guest")
    guest_job = await visitor.generate("t2v")
    await visitor.film()
    await visitor.page.locator("#prompt-t2v textarea").fill(PROMPT)

    await press(visitor, "studio_sign_in")
    await answer(visitor, provider, "Allow")
    name = say("studio_signed_in", {"name": "ada"})
    await expect(page.locator("#account")).to_contain_text(name)
    await expect(visitor.page.locator("#prompt-t2v textarea")).to_have_value(PROMPT)
    await visitor.shot("signed-in-1440")
    await visitor.small("t2v")
    job = await visitor.generate("t2v")
    await visitor.film()

    await page.reload()
    await visitor.ready("t2v")
    await expect(page.locator("#account")).to_contain_text(name)
    await expect(page.locator(f"#history [data-job='{job}']")).to_be_visible()
    await expect(page.locator(f"#history [data-job='{guest_job}']")).to_be_visible()
    tab = await page.context.new_page()
    await tab.goto(visitor.url)
    await expect(tab.locator("#account")).to_contain_text(name)

    await press(visitor, "studio_sign_out")
    await visitor.ready("t2v")
    await expect(page.locator(f"#history [data-job='{guest_job}']")).to_be_visible()
    await expect(page.locator(f"#history [data-job='{job}']")).to_have_count(0)
    await tab.bring_to_front()
    with suppress(BrowserError):  # it loads its page anew, perhaps before it has answered
        await tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await tab.wait_for_selector("#go-t2v", state="visible")
    await expect(tab.locator("#account")).not_to_contain_text(name)


async def test_no_consent_is_a_card_and_the_prompt_is_still_there(
    visitor: Any, provider: Provider
) -> None:
    await visitor.open("t2v")
    await visitor.page.locator("#prompt-t2v textarea").fill(PROMPT)

    await press(visitor, "studio_sign_in")
    await answer(visitor, provider, "Deny")

    card = visitor.page.locator("#account").get_by_role("alert")
    await expect(card).to_contain_text(sentences("en")["sign_in_denied"])
    await expect(visitor.page.locator("#prompt-t2v textarea")).to_have_value(PROMPT)
    assert "sign_in" not in visitor.page.url


async def test_a_closed_studio_shows_its_door_and_then_the_page(
    visit: Visits, provider: Provider, studio_settings: Settings
) -> None:
    from webui.testing.server import served

    settings = changed(studio_settings, studio_hf_accounts="ada")
    visitor = await visit(width=390)
    async with served(changed(settings, data_dir=settings.data_dir / "2")) as closed:
        visitor.url = closed.url
        await visitor.page.goto(closed.url)
        await visitor.shot("door-390")
        await visitor.page.get_by_role("link", name=say("studio_sign_in")).click()
        await answer(visitor, provider, "Allow")
        await expect(visitor.page.locator("#account")).to_contain_text("ada")
        await visitor.page.goto("about:blank")
    visitor.foreign[:] = [url for url in visitor.foreign if not url.startswith(provider.url)]


async def test_an_ended_session_is_a_card_on_the_open_page_and_its_clip_comes_back(
    visitor: Any, provider: Provider, studio: ServedStudio
) -> None:
    page = visitor.page
    await visitor.open("t2v")
    await press(visitor, "studio_sign_in")
    await answer(visitor, provider, "Allow")
    await visitor.small("t2v")
    await visitor.page.locator("#prompt-t2v textarea").fill(PROMPT)
    job = await visitor.generate("t2v")
    await visitor.film()
    over = SessionSigner.in_folder(studio.core.settings.data_dir).sign(
        AccountSession("hf", "64ada", "ada", 1)
    )

    await page.context.add_cookies([{"name": COOKIE, "value": over, "url": visitor.url}])
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    card = page.locator("#account").get_by_role("alert")
    await expect(card).to_contain_text(sentences("en")["sign_in_expired"])
    await expect(page.locator(f"#history [data-job='{job}']")).to_have_count(0)
    await expect(visitor.page.locator("#prompt-t2v textarea")).to_have_value(PROMPT)

    await press(visitor, "studio_sign_in")
    await answer(visitor, provider, "Allow")
    await expect(page.locator(f"#history [data-job='{job}']")).to_be_visible()
    await expect(card).to_have_count(0)


async def test_what_an_account_typed_is_gone_after_signing_out_in_every_tab(
    visitor: Any, provider: Provider
) -> None:
    page = visitor.page
    await visitor.open("t2v")
    await visitor.page.locator("#prompt-t2v textarea").fill("typed as a guest")
    await press(visitor, "studio_sign_in")
    await answer(visitor, provider, "Allow")
    await expect(visitor.page.locator("#prompt-t2v textarea")).to_have_value("typed as a guest")
    tab = await page.context.new_page()
    await tab.goto(f"{visitor.url}/?mode=t2v")
    for one in (page, tab):
        await one.locator("#prompt-t2v textarea").fill(PROMPT)

    await press(visitor, "studio_sign_out")
    await expect(page.locator("#account")).to_contain_text(say("studio_sign_in"))
    await visitor.ready("t2v")
    await tab.reload()

    for one in (page, tab):
        await one.locator("#prompt-t2v textarea").wait_for()
        await expect(one.locator("#prompt-t2v textarea")).to_have_value("")
        kept = await one.evaluate("sessionStorage.getItem('clapper-forms') || ''")
        assert PROMPT not in kept
