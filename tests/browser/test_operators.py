"""An operator steers the service from the page; who is none sees nothing of it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import expect

from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.i18n.messages import say
from core.settings import Settings
from core.testing.doubles import t2v
from core.testing.jobs import submit_request
from tests.browser.test_access import violations
from tests.support.settings import changed
from webui.auth.user_file import User, add
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="module")
def studio_settings(
    module_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    book = tmp_path_factory.mktemp("people") / "users"
    add(book, User.of("ada", "correct horse"))
    add(book, User.of("bob", "battery staple"))
    return changed(module_settings, studio_users=book, operators="studio:user-ada")


async def signed_in(visits: Visits, name: str, password: str) -> Any:
    visitor = await visits()
    await visitor.page.context.request.post(
        f"{visitor.url}/login", form={"username": name, "password": password}
    )
    await visitor.open()
    return visitor


async def test_an_operator_pauses_cancels_and_grants_on_the_page(
    visit: Visits, studio: ServedStudio
) -> None:
    core, ann = studio.core, Requester("test", "ann")
    await core.intake.set_intake("open")
    tiny = t2v()
    long = replace(tiny, sampling=replace(tiny.sampling, width=768, height=768, frames=481))
    job = (await submit_request(core, long, ann, ReplyTo("test"), "one")).job_id
    other = await signed_in(visit, "bob", "battery staple")
    await expect(other.page.locator("#side dd").first).not_to_be_empty()
    await expect(other.page.locator("#operators section")).to_be_hidden()
    await other.page.goto("about:blank")

    ada = await signed_in(visit, "ada", "correct horse")
    panel = ada.page.locator("#operators")
    await panel.locator("[data-verb=pause]").click()
    await expect(panel.get_by_role("status")).to_have_text(say("operators_paused"))
    assert await core.intake.intake() == "paused"
    await panel.locator("[data-verb=resume]").click()
    await expect(panel.get_by_role("status")).to_have_text(say("operators_resumed"))
    line = panel.locator("[data-part=jobs] li", has_text=job[:8])
    await expect(line).not_to_contain_text(tiny.prompt)
    await line.get_by_role("button", name=say("operators_look")).click()
    await expect(line).to_contain_text(tiny.prompt)
    await line.get_by_role("button", name=say("operators_cancel")).dblclick()
    await expect(line).to_have_count(0)
    await panel.get_by_label(say("operators_who")).fill("test:ann")
    await panel.get_by_label(say("operators_minutes")).fill("3")
    await panel.locator("[data-verb=grant]").click()
    await expect(panel.get_by_role("status")).to_contain_text("test:ann")
    left = await core.local_operator(ann).quota(ann)
    await panel.locator("[data-verb=grant]").dblclick()  # one press for a hasty hand
    await expect(panel.locator("[data-verb=grant]")).not_to_have_attribute("aria-busy", "true")
    assert (await core.local_operator(ann).quota(ann)).left_ms - left.left_ms == 3 * 60_000
    await ada.page.goto("about:blank")


async def test_an_operator_issues_tokens_and_reads_the_logs_by_the_keyboard_too(
    visit: Visits, studio: ServedStudio
) -> None:
    ada = await signed_in(visit, "ada", "correct horse")
    panel = ada.page.locator("#operators")
    await panel.get_by_label(say("operators_token_name")).fill("bot")
    await panel.locator("[data-verb=issue_token]").focus()
    await ada.page.keyboard.press("Enter")
    await expect(panel.locator("[data-part=issued] code")).to_contain_text("clapper_")
    await panel.locator("[data-part=tokens] [data-verb=revoke_token]").click()
    await expect(panel.locator("[data-part=tokens]")).to_contain_text(say("token_revoked"))
    await panel.get_by_text(say("operators_audit"), exact=True).click()
    await expect(panel.locator("[data-part=audit]")).to_contain_text("revoke_token")
    await panel.get_by_text(say("operators_logs"), exact=True).click()
    await ada.shot("operators")
    found = await violations(ada.page)
    await ada.page.goto("about:blank")

    assert found == []


async def test_a_style_that_an_operator_keeps_is_a_choice_in_every_open_form(visit: Visits) -> None:
    bob = await signed_in(visit, "bob", "battery staple")
    await bob.form("t2v").get_by_text("More options").click()
    field = bob.page.locator("#style-t2v input")
    await expect(field).to_have_count(0)  # there is none to choose

    ada = await signed_in(visit, "ada", "correct horse")
    panel = ada.page.locator("#operators")
    await panel.get_by_text(say("operators_styles"), exact=True).click()
    toml = '[style.noir]\nbefore = "black and white"\n'
    await panel.locator("textarea").fill(toml)
    await panel.locator("[data-verb=keep_styles]").click()
    await expect(panel.locator("[data-part=styles] li")).to_have_text(["noirRemove"])

    await bob.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await field.click()
    await bob.page.get_by_role("option", name="noir (black and white)").click()
    await bob.page.fill("#prompt-t2v textarea", "a boat")
    await bob.generate("t2v")
    await expect(bob.page.locator("#stage [data-part=facts]")).to_contain_text("style noir")
    await bob.page.reload()
    await bob.ready("t2v")
    await bob.form("t2v").get_by_text("More options").click()
    await expect(field).to_have_value("noir (black and white)")
    await bob.shot("styles")
    await panel.locator("[data-verb=remove_style]").click()
    await expect(panel.locator("[data-part=styles] li")).to_have_count(0)
    assert await violations(ada.page) == []
