"""What axe-core finds on every page and in every state: nothing, at any width."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from core.demo.inputs import DemoJob
from core.domain.modes import MODES, Mode
from core.i18n.messages import say
from core.settings import Settings
from tests.support.settings import changed
from webui.auth.user_file import User, add
from webui.testing.server import served

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
WIDTHS = {390: 844, 768: 1024, 1440: 900}  # px; ends wide, as tests go on

# axe takes a button that sticks for the background of the text that it covers at this moment
STILL = "button.cl-go { position: static !important; }"


async def violations(page: Page, within: str | None = None) -> list[str]:
    """Return what is wrong at each width: the rule, its impact, the element, and why."""
    lines: list[str] = []
    for width, height in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": height})
        toggle = page.get_by_label("Toggle Sidebar")
        if await toggle.count():
            await expect(toggle).to_have_attribute("aria-expanded", str(width >= 1024).lower())
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            lines.append(f"{width}: wider than the window")
        lines += [f"{width}: {line}" for line in await violations_here(page, within)]
    return lines


async def violations_here(page: Page, within: str | None = None) -> list[str]:
    await page.add_style_tag(content=STILL)
    found = (await Axe().run(page, within)).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


async def generate_long(visitor: Any) -> None:
    """Ask for a clip that is made for as long as a test looks at it."""
    form = visitor.form("t2v")
    await visitor.page.fill("#prompt-t2v textarea", "a long take of the sea")
    await form.get_by_text("Quality", exact=True).click()
    seconds = form.get_by_label("number input for Length (s)")
    await seconds.fill("20")
    await seconds.press("Tab")
    await visitor.generate("t2v")


async def test_every_mode_is_accessible_with_its_details_open(visit: Visits) -> None:
    visitor = await visit()
    problems: dict[str, list[str]] = {}
    for mode in MODES:
        await visitor.open(mode)
        await visitor.form(mode).get_by_text(say("studio_more")).click()
        await visitor.seed(mode).wait_for()
        problems[mode] = await violations(visitor.page)

    assert problems == {mode: [] for mode in MODES}


async def test_a_job_is_accessible_in_line_at_work_cancelled_and_done(visit: Visits) -> None:
    visitor = await visit()
    page, problems = visitor.page, {}
    await visitor.open()
    await generate_long(visitor)
    await generate_long(visitor)
    await page.locator("#stage [data-action=cancel]").wait_for()
    problems["next in line"] = await violations(page)
    await page.locator("#queue .cl-link").first.click()
    await page.locator("#stage .cl-fill:not(.cl-unknown)").wait_for()
    problems["at work"] = await violations(page)
    for left in (1, 0):
        await page.locator("#queue [data-action=cancel]").first.click()
        await expect(page.locator("#queue [data-action=cancel]")).to_have_count(left)
    await page.locator("#stage [data-action=now]").click()
    await expect(page.locator("#stage .cl-head")).to_contain_text("Cancelled")
    problems["cancelled"] = await violations(page)
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    await visitor.generate("t2v")
    await visitor.film()
    await expect(page.locator("#history [data-job]")).to_have_count(3)
    problems["done"] = await violations(page)

    assert problems == {key: [] for key in problems}


async def test_error_card_reload_panel_and_drawer_are_accessible(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    page, problems = visitor.page, {}
    await visitor.open()
    await page.click("#go-t2v")
    await visitor.form("t2v").locator(".cl-error").wait_for()
    problems["refused"] = await violations(page)
    await page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    await visitor.form("t2v").get_by_label("Width (px)").fill("5000")
    await visitor.form("t2v").get_by_label("Width (px)").press("Tab")
    await visitor.form("t2v").locator(".cl-fix").wait_for()
    problems["with a fix"] = await violations(page)
    await page.get_by_text(say("studio_reload")).click()
    await page.locator("#reload input[type=file]").set_input_files(
        wishes[Mode.STYLE].files["video"]
    )
    await page.get_by_text(say("studio_reload_none")).wait_for()
    problems["reload"] = await violations(page)
    for width in (390, 768):
        await page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        await page.get_by_label("Toggle Sidebar").click()
        await expect(page.locator("#mode-style")).to_be_in_viewport(ratio=1)
        problems[f"drawer at {width}"] = await violations_here(page)
        await page.get_by_label("Toggle Sidebar").click()

    assert problems == {key: [] for key in problems}


async def test_every_kind_of_file_is_accessible_once_it_is_there(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    problems: dict[str, list[str]] = {}
    for mode in (Mode.LIPSYNC, Mode.STYLE):
        await visitor.open(mode)
        await visitor.attach(wishes[mode])
        problems[mode] = await violations(visitor.page)

    assert problems == {key: [] for key in problems}


async def test_the_door_of_a_closed_studio_is_accessible(
    visit: Visits, studio_settings: Settings, tmp_path: Path
) -> None:
    people = tmp_path / "people"
    add(people, User.of("ada", "a password of nobody"))
    closed = {"studio_users": people, "data_dir": studio_settings.data_dir / "closed"}
    visitor = await visit()
    async with served(changed(studio_settings, **closed)) as studio:
        visitor.url = studio.url
        await visitor.page.goto(f"{studio.url}/?sign_in=wrong_password")
        await visitor.page.get_by_role("alert").wait_for()
        problems = await violations(visitor.page)
        await visitor.page.goto("about:blank")

    assert problems == []
