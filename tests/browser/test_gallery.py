"""The gallery in a real browser: search, stars, many at once, and a place that is kept."""

import zipfile
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from core.domain.people import Requester
from core.testing.doubles import t2v
from core.testing.jobs import submit_request
from webui.auth.visitors import COOKIE, VisitorAuthenticator
from webui.studio.delivery import reply_to_page
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]


async def requester_of(visitor: Any, studio: ServedStudio) -> Requester:
    """Who the Studio takes this browser for."""
    from starlette.requests import Request

    cookies = {one["name"]: one["value"] for one in await visitor.page.context.cookies()}
    headers = [(b"cookie", f"{COOKIE}={cookies[COOKIE]}".encode())]
    scope: dict[str, Any] = {"type": "http", "headers": headers, "client": ("127.0.0.1", 1)}
    found = VisitorAuthenticator(studio.core.settings, None).visitor(Request(scope))
    assert found is not None
    return found.requester


async def cancelled(studio: ServedStudio, who: Requester, prompts: list[str]) -> list[str]:
    """Jobs of somebody that are over, without a clip."""
    found: list[str] = []
    for number, prompt in enumerate(prompts):
        key = f"{prompt}:{number}"
        ticket = await submit_request(studio.core, t2v(prompt), who, reply_to_page(), key)
        await studio.core.cancellation.cancel(ticket.job_id, who)
        found.append(ticket.job_id)
    return found


async def test_jobs_are_searched_starred_chosen_and_deleted(
    visit: Visits, studio: ServedStudio
) -> None:
    visitor = await visit()
    await visitor.open()
    who = await requester_of(visitor, studio)
    jobs = await cancelled(studio, who, ["a boat", "قارب على البحيرة", "a 100% calm sea", "a kite"])
    await visitor.open()
    tiles = visitor.page.locator("#history [data-job]")
    await expect(tiles).to_have_count(4)

    search = visitor.page.get_by_role("searchbox")
    await search.fill("%")
    await expect(tiles).to_have_count(1)
    await search.fill("البحيرة")
    await expect(visitor.page.locator(f"#history [data-job='{jobs[1]}']")).to_be_visible()
    await expect(tiles).to_have_count(1)
    assert "q=" in visitor.page.url
    await visitor.page.reload()
    await expect(tiles).to_have_count(1)
    await search.fill("")
    await expect(tiles).to_have_count(4)

    await visitor.page.click(f"[data-star='{jobs[0]}']")
    await expect(visitor.page.locator(f"[data-star='{jobs[0]}']")).to_have_attribute(
        "aria-pressed", "true"
    )
    await visitor.page.click("#history [data-action=starred]")
    await expect(tiles).to_have_count(1)
    await visitor.page.click("#history [data-action=starred]")
    await expect(tiles).to_have_count(4)

    await visitor.page.click("#history [data-action=choose]")
    await tiles.nth(0).click()
    await tiles.nth(2).click(modifiers=["Shift"])
    await expect(visitor.page.locator("#history [aria-pressed=true][data-job]")).to_have_count(3)
    await visitor.page.click("#history [data-action=delete-many]")
    await expect(tiles).to_have_count(4)
    await visitor.page.click("#history [data-action=delete-many]")
    await expect(tiles).to_have_count(1)
    await visitor.page.click("#history [data-action=undo-many]")
    await expect(tiles).to_have_count(4)
    assert len(await studio.core.jobs.jobs_of(who)) == 4


async def test_the_place_is_kept_while_jobs_come_and_go(
    visit: Visits, studio: ServedStudio
) -> None:
    visitor = await visit()
    await visitor.open()
    who = await requester_of(visitor, studio)
    jobs = await cancelled(studio, who, [f"boat {number}" for number in range(40)])
    await visitor.open()
    tiles = visitor.page.locator("#history [data-job]")
    await expect(tiles.first).to_be_attached()
    oldest = visitor.page.locator(f"#history [data-job='{jobs[0]}']")
    for _ in range(20):
        if await oldest.count():
            break
        await visitor.page.locator("#history [data-part=end]").scroll_into_view_if_needed()
        await visitor.page.wait_for_timeout(200)
    await oldest.scroll_into_view_if_needed()
    await expect(tiles).to_have_count(40)
    before = (await oldest.bounding_box() or {})["y"]

    new = (await cancelled(studio, who, ["one more"]))[0]
    await visitor.page.evaluate("document.dispatchEvent(new Event('clapper-history'))")
    await expect(visitor.page.locator(f"#history [data-job='{new}']")).to_be_attached()

    await expect(tiles).to_have_count(41)
    after = (await oldest.bounding_box() or {})["y"]
    assert abs(after - before) < 400
    await expect(oldest).to_be_in_viewport()


async def test_a_clip_is_downloaded_with_others_as_one_file(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    job = await visitor.generate("t2v")
    await visitor.film()
    await visitor.page.click("#history [data-action=choose]")
    await visitor.page.click(f"#history [data-job='{job}']")
    for button in ("zip", "all"):
        async with visitor.page.expect_download() as saved:
            await visitor.page.click(f"#history [data-action={button}]")
        path = await (await saved.value).path()
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert [name.endswith(f"{job[:8]}.mp4") for name in archive.namelist()] == [True]


async def test_the_page_and_its_gallery_are_german_for_a_german_reader(
    studio: ServedStudio, chromium: Any
) -> None:
    context = await chromium.new_context(locale="de-AT")
    page = await context.new_page()
    await page.goto(f"{studio.url}/?mode=i2v")
    await page.wait_for_selector("#go-i2v")

    assert await page.get_attribute("html", "lang") == "de"
    await expect(page.get_by_role("searchbox")).to_have_attribute(
        "placeholder", "Prompts durchsuchen"
    )
    text = await page.inner_text("body")
    for english in ("Generate", "More options", "Queue", "Click to Upload"):
        assert english not in text
    await context.close()
