"""The real page in a real browser, with the draft executor behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from core.demo.inputs import DemoJob
from core.domain.modes import Mode
from core.settings import Settings
from tests.support.jobs import clip_in
from tests.support.settings import changed
from webui.testing.server import ServedStudio, served

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
NASTY = "<img src=x onerror=window.hit=1> ${window.hit=2} `${window.hit=3}`"

# a visible part that is in no layout, so that it is never mounted
NEVER = """
let config;
Object.defineProperty(window, "gradio_config", {
  get: () => config,
  set: (value) => {
    const part = value.components.find((one) => one.type === "button");
    value.components.push({ ...part, id: 99999, props: { ...part.props, elem_id: "never" } });
    Object.values(value.page).forEach((page) => page.components.push(99999));
    config = value;
  },
});
"""


@pytest.mark.parametrize("width", [1440, 390])
async def test_every_mode_from_form_to_film(
    visit: Visits, wishes: dict[Mode, DemoJob], width: int
) -> None:
    visitor = await visit(width, 900 if width > 1000 else 844)
    for mode, wish in wishes.items():
        await visitor.open(mode)
        await visitor.attach(wish)
        await visitor.page.fill(f"#prompt-{mode} textarea", wish.options.prompt or "Calmly")
        await visitor.small(mode)

        job = await visitor.generate(mode)
        await visitor.page.wait_for_selector(f"#stage video[src*='{job}']", timeout=40_000)

        playable = "document.querySelector('#stage video').readyState >= 1"
        await visitor.page.wait_for_function(playable)
        wide = await visitor.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        await visitor.shot(f"{mode}-{width}")


async def test_text_of_people_is_never_markup_nor_code(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.fill("#prompt-t2v textarea", NASTY)
    await visitor.small("t2v")
    await visitor.generate("t2v")
    await visitor.film()

    await expect(visitor.page.locator("#stage .cl-prompt")).to_have_text(NASTY)
    assert await visitor.page.evaluate("window.hit") is None


async def test_a_reload_in_the_middle_keeps_the_job_and_a_second_tab_shows_it(
    visit: Visits,
) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.fill("#prompt-t2v textarea", "a long take of the sea")
    job = await visitor.generate("t2v")  # balanced, five seconds: long enough to reload meanwhile
    await visitor.page.reload()
    await visitor.ready("t2v")
    await visitor.page.wait_for_selector("#stage [data-action=cancel]")
    second = await visitor.page.context.new_page()
    await second.goto(f"{visitor.url}/")
    await second.wait_for_selector("#stage [data-action=cancel]")

    await second.click("#stage [data-action=cancel]")
    await second.click("#stage [data-action=now]")

    await expect(visitor.page.locator("#stage .cl-head")).to_contain_text("Cancelled")
    await expect(visitor.page.locator("#stage .cl-error")).to_have_count(0)
    assert job


@pytest.mark.parametrize("width", [1440, 390])
async def test_the_first_mode_does_not_wait_for_a_part_that_never_comes(
    visit: Visits, width: int
) -> None:
    visitor = await visit(width)
    await visitor.page.add_init_script(NEVER)  # keeps Gradio's load event back

    await visitor.open("keyframe")

    form = visitor.form("keyframe")
    await form.locator(".cl-preflight").get_by_text("needs a first image").wait_for()
    toggle = visitor.page.get_by_label("Toggle Sidebar")
    await expect(toggle).to_have_attribute("aria-expanded", str(width >= 1024).lower())
    await expect(visitor.page.locator("[id^=mode-][aria-current]")).to_have_count(1)
    await visitor.page.goto(f"{visitor.url}/")  # remembered
    await visitor.ready("keyframe")
    await visitor.page.locator("#mode-a2v").dispatch_event("click")
    await visitor.ready("a2v")


async def test_a_reload_opens_the_mode_that_was_shown(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open("t2v")
    await visitor.page.click("#mode-a2v")
    await visitor.ready("a2v")

    await visitor.page.reload()

    await visitor.ready("a2v")


async def test_a_restart_of_the_server_keeps_page_job_and_history(
    chromium: Browser, studio_settings: Settings, visit: Visits
) -> None:
    settings = changed(
        studio_settings, data_dir=studio_settings.data_dir / "restarted", shutdown_grace_s=0
    )
    async with served(settings) as first:
        visitor = await visit(url=first.url)
        await visitor.open()
        await visitor.page.fill("#prompt-t2v textarea", "a long take of the sea")
        await visitor.small("t2v")
        await visitor.form("t2v").get_by_label("number input for Length (s)").fill("6")
        await visitor.form("t2v").get_by_label("number input for Length (s)").press("Tab")
        job = await visitor.generate("t2v")
        port = int(first.url.rsplit(":", 1)[1])
    await visitor.page.wait_for_selector("#stage .cl-lost")
    async with served(changed(settings, studio_port=port)):
        film = await visitor.film()

        assert film == f"clips/{job}.mp4"
        await visitor.page.wait_for_selector(f"#history [data-job='{job}']")
        await visitor.page.wait_for_selector("#stage .cl-lost", state="detached")


async def test_two_people_do_not_see_each_other(visit: Visits) -> None:
    ada, bob = await visit(), await visit()
    for person in (ada, bob):
        await person.open()
    await ada.page.fill("#prompt-t2v textarea", "a secret garden")
    await ada.small("t2v")
    job = await ada.generate("t2v")
    film = await ada.film()

    answer = await bob.page.goto(f"{bob.url}/{film}")
    assert answer is not None
    assert answer.status == 404
    async with bob.page.expect_response(lambda it: f"/studio/state?job={job}" in it.url) as told:
        await bob.page.goto(f"{bob.url}/?job={job}")
    state = await (await told.value).json()
    assert (state["job"], state["mine"]) == (None, [])
    await bob.ready("t2v")
    await expect(bob.page.locator("#side dd").first).not_to_be_empty()  # the answer is placed
    await expect(bob.page.locator("#history .cl-meta")).to_be_visible()  # so is the empty history
    assert "secret" not in await bob.page.locator("body").inner_text()


async def test_errors_are_cards_with_a_fix_that_works(
    visit: Visits, settings_with: Callable[..., Settings]
) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.click("#go-t2v")
    form = visitor.form("t2v")
    await form.locator(".cl-error").wait_for()
    await expect(form.locator(".cl-error")).to_contain_text("needs a prompt")
    await visitor.page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    await form.get_by_label("Width (px)").fill("5000")
    await form.get_by_label("Width (px)").press("Tab")
    await form.locator(".cl-fix").click()

    await form.locator(".cl-error").wait_for(state="detached")
    await expect(form.get_by_label("Width (px)")).to_have_value("1920")
    await visitor.shot("fixed-1440")


async def test_a_size_that_is_chosen_for_you_is_not_shown_as_a_number(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open()
    form = visitor.form("t2v")
    await form.get_by_text("More options").click()
    width = form.get_by_label("Width (px)")
    await expect(width).to_have_value("")
    await expect(width).to_have_attribute("placeholder", "Auto")
    await visitor.page.fill("#prompt-t2v textarea", "a boat")
    await form.get_by_text("1280×704").wait_for()
    for side, value in (("Width (px)", "640"), ("Height (px)", "384")):
        await form.get_by_label(side).fill(value)
    await form.get_by_text("640×384").wait_for()
    for side in ("Width (px)", "Height (px)"):
        await form.get_by_label(side).fill("")

    await form.get_by_text("1280×704").wait_for()


async def test_a_seed_that_is_no_number_is_explained_and_mended(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open()
    form = visitor.form("t2v")
    await visitor.page.fill("#prompt-t2v textarea", "a boat")
    await form.get_by_text("More options").click()
    seed, lock = visitor.seed("t2v"), form.get_by_label("Keep this seed")
    await seed.fill("forty-two")
    await lock.check()
    await form.locator(".cl-error", has_text="“forty-two” is no seed").wait_for()
    await form.locator(".cl-fix").click()

    await form.locator(".cl-error").wait_for(state="detached")
    await expect(seed).to_have_value("")
    await form.get_by_text("1280×704").wait_for()
    await expect(lock).not_to_be_checked()


async def test_a_seed_typed_while_generate_is_under_way_stays(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open()
    form, typed = visitor.form("t2v"), asyncio.Event()
    await visitor.page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    seed = visitor.seed("t2v")
    await seed.fill("5")
    await form.get_by_label("Keep this seed").check()

    async def hold(route: Route) -> None:
        await typed.wait()
        await route.continue_()

    await visitor.page.route("**/generate", hold)
    async with visitor.page.expect_request("**/generate"):
        await visitor.page.click("#go-t2v")
    await seed.fill("6")
    typed.set()
    await visitor.film()

    await expect(visitor.page.locator("#stage")).to_contain_text("seed 5")
    await expect(seed).to_have_value("6")


async def test_last_frame_and_history_and_delete(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    job = await visitor.generate("t2v")
    await visitor.film()

    await visitor.page.click("#stage [data-action=last_frame]")
    await visitor.ready("i2v")
    await visitor.form("i2v").locator("img").first.wait_for()
    await visitor.form("i2v").locator(".cl-preflight dd").first.wait_for()
    await visitor.shot("last-frame-1440")
    await visitor.page.wait_for_selector(f"#history [data-job='{job}']")
    await visitor.page.click("#stage [data-action=delete]")

    await visitor.page.wait_for_selector(f"#history [data-job='{job}']", state="detached")


async def test_a_dropped_clip_fills_the_ticked_fields_only(
    visit: Visits, studio: ServedStudio, tmp_path: Path
) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.fill("#prompt-t2v textarea", "a boat in the reeds")
    await visitor.small("t2v")
    job = await visitor.generate("t2v")
    await visitor.film()
    clip = (await clip_in(studio.core, job)).path
    seed = (await studio.core.jobs.get(job)).request.sampling.seed
    await visitor.form("t2v").get_by_text("Balanced", exact=True).click()

    await visitor.open("i2v")
    await visitor.page.get_by_text("Settings from a clip").click()
    await visitor.page.locator("#reload input[type=file]").set_input_files(clip)
    await visitor.page.locator("#reload").get_by_text("Text to video: fast").wait_for()
    await visitor.page.locator("#reload").get_by_label("Preset").uncheck()
    await visitor.shot("reload-1440")
    await visitor.page.get_by_role("button", name="Fill the form").click()
    await visitor.ready("t2v")

    form = visitor.form("t2v")
    await expect(form.locator("#prompt-t2v textarea")).to_have_value("a boat in the reeds")
    await expect(form.get_by_label("Balanced")).to_be_checked()
    await form.get_by_text("More options").click()
    await expect(visitor.seed("t2v")).to_have_value(str(seed))


@pytest.mark.parametrize("width", [1440, 768, 390])
async def test_the_modes_are_pinned_on_a_wide_window_and_a_drawer_on_others(
    visit: Visits, width: int
) -> None:
    visitor = await visit(width)
    await visitor.open()
    toggle = visitor.page.get_by_label("Toggle Sidebar")
    await expect(toggle).to_have_attribute("aria-expanded", str(width >= 1024).lower())
    await visitor.shot(f"page-{width}")

    if width < 1024:
        await toggle.click()
        await visitor.page.click("#mode-lipsync")
        await visitor.ready("lipsync")
        await expect(toggle).to_have_attribute("aria-expanded", "false")
