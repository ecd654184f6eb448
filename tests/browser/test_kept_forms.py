"""What people put into the forms outlives lost requests, reloads, restarts, Back and sleep."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from core.demo.inputs import DemoJob
from core.domain.modes import MODES, Mode
from core.i18n.messages import say
from core.settings import Settings
from tests.support.settings import changed
from webui.testing.server import ServedStudio, served

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
PROMPT = "a lamp is lit in a window while it rains"
TABLES = """() => window.gradio_config.components.map(({ props }) => props.props?.kept)
  .filter((table) => table)"""
TYPES = """() => Object.fromEntries(window.gradio_config.components
  .filter(({ props }) => props.elem_id).map(({ type, props }) => [props.elem_id, type]))"""
# of whatever kind the field is: what a person would see in it
SHOWN = """(id) => [...document.getElementById(id).querySelectorAll("input, textarea")]
  .filter(({ type }) => type !== "file")
  .map((it) => it.type === "radio" || it.type === "checkbox" ? it.checked : it.value)"""


async def change(page: Page, field: Locator, kind: str) -> None:
    """Give a field a value that it does not start with."""
    match kind:
        case "radio":
            await field.locator("input[type=radio]").last.check(force=True)
        case "checkbox":
            box = field.locator("input[type=checkbox]")
            await box.dispatch_event("click")
        case "dropdown":
            await field.locator("input").click()
            await page.locator("ul [role=option]").last.click()  # not those of the gallery
        case "slider":
            await field.locator("input[type=number]").fill("12")
        case "number":
            await field.locator("input").fill("640")
        case "textbox":
            await field.locator("textarea, input").fill(f"{PROMPT} ü 雨")
        case other:
            pytest.fail(f"no way to fill a {other} here: add one")


async def tables(page: Page) -> dict[str, list[dict[str, Any]]]:
    return {table["name"]: table["fields"] for table in await page.evaluate(TABLES)}


async def start_again(visitor: Any) -> None:
    """Let the page do what Gradio's client does after a lost request."""
    await visitor.page.evaluate("window.old = true; location.reload()")
    await visitor.page.wait_for_function("!window.old && document.querySelector('[id^=go-]')")


@pytest.mark.parametrize("mode", list(MODES))
async def test_every_field_of_a_form_outlives_a_reload(
    visit: Visits, wishes: dict[Mode, DemoJob], mode: Mode
) -> None:
    visitor = await visit()
    await visitor.open(mode)
    kinds = await visitor.page.evaluate(TYPES)
    await visitor.attach(wishes[mode])
    more = visitor.form(mode).get_by_text(say("studio_more"))
    await more.click()
    fields = [item for item in (await tables(visitor.page))[mode] if not item["file"]]
    for item in fields:
        field = visitor.page.locator(f"[id='{item['id']}']")
        # styles are offered where the place has some
        always = item["shown"] is None and item["id"] != f"style-{mode}"
        if always or await field.is_visible():
            await change(visitor.page, field, kinds[item["id"]])
    await expect(visitor.page.locator(f"[id='prompt-{mode}'] textarea")).not_to_be_empty()
    shown = [item["id"] for item in fields if await visitor.page.locator(f"#{item['id']}").count()]
    before = {name: await visitor.page.evaluate(SHOWN, name) for name in shown}

    await start_again(visitor)
    await visitor.ready(mode)
    await more.click()

    for name in shown:
        await visitor.page.locator(f"#{name}").wait_for(state="attached")
    after = {name: await visitor.page.evaluate(SHOWN, name) for name in shown}
    assert after == before
    assert len(shown) >= 9
    for slot in MODES[mode].slots:
        await expect(
            visitor.page.locator(f"#{slot.role}-{mode} :is(img, video, audio)").first
        ).to_be_attached()
    assert "studio_upload" not in await visitor.form(mode).inner_text()


async def test_every_component_that_holds_a_value_is_in_the_table_of_a_form(
    visit: Visits,
) -> None:
    visitor = await visit()
    await visitor.open()
    named = {item["id"] for fields in (await tables(visitor.page)).values() for item in fields}
    held = await visitor.page.evaluate(
        """() => {
          const { components, layout } = window.gradio_config, drawn = new Set();
          const walk = (node) => { drawn.add(node.id); (node.children || []).forEach(walk); };
          walk(layout);
          const still = ["html", "button", "markdown", "tabitem", "tabs", "row", "column", "form",
            "accordion", "sidebar", "api"];
          return components.filter(({ id, type }) => drawn.has(id) && !still.includes(type))
            .map(({ type, props }) => props.elem_id || `${type} “${props.label}” has no id`);
        }"""
    )

    # the ticks of the panel for a clip follow from the clip
    assert set(held) - named == {"checkboxgroup “Take over” has no id"}
    assert len(held) > 60
    asked = await visitor.page.evaluate(
        "() => window.gradio_config.dependencies.filter((one) => one.backend_fn && "
        "one.api_visibility === 'private').map((one) => one.targets)"
    )
    assert asked == []  # Gradio's client would reload the page after one lost request


async def test_a_moment_without_network_while_typing_changes_nothing(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("i2v")
    await visitor.attach(wishes[Mode.I2V])
    await page.evaluate("window.same = true")
    await page.context.set_offline(True)
    async with page.expect_event("requestfailed", lambda it: it.url.endswith("/look")):
        await page.locator("#prompt-i2v textarea").press_sequentially(PROMPT)
    async with page.expect_response("**/studio/forms/i2v/look"):
        await page.context.set_offline(False)

    await expect(page.locator("#prompt-i2v textarea")).to_have_value(PROMPT)
    await expect(page.locator("#image-i2v img").first).to_be_visible()
    await visitor.form("i2v").locator(".cl-preflight dd").first.wait_for()
    assert await page.evaluate("window.same")
    await expect(page.get_by_text("Connection Lost")).to_have_count(0)


async def test_an_upload_without_network_arrives_once_it_is_back(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    page, tries = visitor.page, 0

    async def lose_the_first(route: Route) -> None:
        nonlocal tries
        tries += 1
        await (route.abort() if tries == 1 else route.continue_())

    await page.route("**/upload*", lose_the_first)
    await visitor.open("i2v")
    await (
        visitor.form("i2v")
        .locator("input[type=file]")
        .first.set_input_files(wishes[Mode.I2V].files["image"])
    )

    await expect(page.locator("#image-i2v img").first).to_be_visible()
    assert tries == 2


async def test_a_reload_that_cuts_an_upload_off_says_so_beside_the_field(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    page, arrived = visitor.page, asyncio.Event()

    async def hold(route: Route) -> None:
        arrived.set()

    await page.route("**/upload*", hold)
    await visitor.open("keyframe")
    await (
        visitor.form("keyframe")
        .locator("input[type=file]")
        .nth(1)
        .set_input_files(wishes[Mode.KEYFRAME].files["last"])
    )
    await arrived.wait()
    await start_again(visitor)
    await page.unroute("**/upload*")
    await visitor.ready("keyframe")

    notes = visitor.form("keyframe").locator(".cl-notes p")
    cut = f"{say('studio_slot_last')}: {say('studio_upload_cut')}"
    await expect(notes).to_have_text([cut])
    await (
        visitor.form("keyframe")
        .locator("input[type=file]")
        .nth(1)
        .set_input_files(wishes[Mode.KEYFRAME].files["last"])
    )
    await expect(page.locator("#last-keyframe img").first).to_be_visible()
    await expect(notes).to_have_count(0)


@pytest.mark.parametrize("how", ["look", "generate"])
async def test_a_file_that_the_server_lost_leaves_the_form_with_a_sentence(
    visit: Visits, wishes: dict[Mode, DemoJob], studio: ServedStudio, how: str
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("lipsync")
    await visitor.attach(wishes[Mode.LIPSYNC])
    async with page.expect_response(  # the last look that sees the file
        lambda it: it.url.endswith("/look") and PROMPT in (it.request.post_data or "")
    ):
        await page.fill("#prompt-lipsync textarea", PROMPT)
    await expect(page.locator("#image-lipsync img").first).to_be_visible()
    uploads = studio.core.settings.data_dir / "studio"
    for path in list(uploads.rglob("*.png")):
        shutil.rmtree(path.parent)

    if how == "generate":
        await page.click("#go-lipsync")
    else:
        await start_again(visitor)
        await visitor.ready("lipsync")

    gone = f"{say('studio_slot_lipsync_image')}: {say('studio_upload_gone')}"
    await expect(visitor.form("lipsync").locator(".cl-notes p")).to_have_text([gone])
    await expect(page.locator("#image-lipsync img")).to_have_count(0)
    await start_again(visitor)
    await visitor.ready("lipsync")
    await expect(visitor.form("lipsync").locator(".cl-notes p")).to_have_text([gone])
    await expect(page.locator("#prompt-lipsync textarea")).to_have_value(PROMPT)
    await expect(visitor.form("lipsync").locator(".cl-error")).to_have_text([])
    assert (await studio.core.health.read()).waiting == 0
    await expect(page.locator("#history [data-job]")).to_have_count(0)


async def test_a_sleep_with_a_job_running_and_the_next_prompt_typed(visit: Visits) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "a long take of the sea")
    await visitor.small("t2v")
    length = visitor.form("t2v").get_by_label("number input for Length (s)")
    await length.fill("6")
    await length.press("Tab")
    job = await visitor.generate("t2v")
    await page.context.set_offline(True)
    await page.fill("#prompt-t2v textarea", PROMPT)
    await page.click("#mode-a2v")
    await visitor.ready("a2v")
    await page.fill("#prompt-a2v textarea", "waves")
    await page.wait_for_selector("#stage .cl-lost")
    await page.evaluate("window.same = true")
    await page.context.set_offline(False)

    await page.wait_for_selector("#stage .cl-lost", state="detached")
    await visitor.form("a2v").locator(".cl-preflight .cl-meta").first.wait_for()
    await page.click("#mode-t2v")
    await expect(page.locator("#prompt-t2v textarea")).to_have_value(PROMPT)
    await expect(page.locator("#prompt-a2v textarea")).to_have_value("waves")
    await page.wait_for_selector(f"#stage video[src*='{job}']")
    assert await page.evaluate("window.same")


async def test_generate_that_was_lost_on_the_way_back_makes_one_job(
    visit: Visits, studio: ServedStudio
) -> None:
    visitor = await visit()
    page, tries = visitor.page, 0

    async def lose_the_first_answer(route: Route) -> None:
        nonlocal tries
        tries += 1
        answer = await route.fetch()
        await (route.abort() if tries == 1 else route.fulfill(response=answer))

    await page.route("**/generate", lose_the_first_answer)
    await visitor.open()
    await page.fill("#prompt-t2v textarea", PROMPT)
    await visitor.small("t2v")
    await visitor.generate("t2v")
    await visitor.film()

    assert tries == 2
    await expect(page.locator("#history [data-job]")).to_have_count(1)


async def test_a_reload_while_generate_is_under_way_makes_one_job(visit: Visits) -> None:
    visitor = await visit()
    page, arrived = visitor.page, asyncio.Event()

    async def swallow(route: Route) -> None:
        await route.fetch()
        arrived.set()

    await visitor.open()
    await page.fill("#prompt-t2v textarea", PROMPT)
    await visitor.small("t2v")
    await page.route("**/generate", swallow)
    await page.click("#go-t2v")
    await arrived.wait()
    await page.unroute("**/generate")
    async with page.expect_response("**/studio/forms/t2v/generate"):
        await start_again(visitor)
    await visitor.film()

    await expect(page.locator("#history [data-job]")).to_have_count(1)
    await expect(page.locator("#prompt-t2v textarea")).to_have_value(PROMPT)


async def test_generate_during_a_restart_of_the_server_is_sent_when_it_is_back(
    studio_settings: Settings, visit: Visits
) -> None:
    folder = studio_settings.data_dir / "restarted"
    settings = changed(studio_settings, data_dir=folder, shutdown_grace_s=0)
    async with served(settings) as first:
        visitor = await visit(url=first.url)
        page = visitor.page
        await visitor.open()
        await page.fill("#prompt-t2v textarea", PROMPT)
        await visitor.small("t2v")
        port = int(first.url.rsplit(":", 1)[1])
    await page.evaluate("window.same = true")
    async with page.expect_event("requestfailed", lambda it: it.url.endswith("/generate")):
        await page.click("#go-t2v")
    async with served(changed(settings, studio_port=port)):
        await visitor.film()

        await expect(page.locator("#prompt-t2v textarea")).to_have_value(PROMPT)
        await expect(page.locator("#history [data-job]")).to_have_count(1)
        assert await page.evaluate("window.same")


async def test_back_and_forward_bring_everything_back(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("i2v")
    await visitor.attach(wishes[Mode.I2V])
    await page.fill("#prompt-i2v textarea", PROMPT)
    await page.goto("about:blank")

    await page.go_back()
    await visitor.ready("i2v")

    await expect(page.locator("#prompt-i2v textarea")).to_have_value(PROMPT)
    await expect(page.locator("#image-i2v img").first).to_be_visible()


async def test_tabs_keep_their_own_and_never_each_others(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.fill("#prompt-t2v textarea", PROMPT)
    other = await visitor.page.context.new_page()
    await other.goto(f"{visitor.url}/?mode=t2v")
    await expect(other.locator("#prompt-t2v textarea")).to_have_value("")
    await other.fill("#prompt-t2v textarea", "something else")

    await start_again(visitor)
    await other.reload()

    await expect(visitor.page.locator("#prompt-t2v textarea")).to_have_value(PROMPT)
    await expect(other.locator("#prompt-t2v textarea")).to_have_value("something else")


async def test_what_does_not_fit_the_form_any_more_is_left_out(visit: Visits) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", PROMPT)
    await page.wait_for_function("sessionStorage.getItem('clapper-forms')")
    kept = json.loads(await page.evaluate("sessionStorage.getItem('clapper-forms')"))
    kept["forms"]["t2v"] |= {"preset": "superb", "seconds": 1e9, "unknown": 1}
    kept["forms"]["nothing"] = {"prompt": "x"}
    await page.evaluate("(text) => sessionStorage.setItem('clapper-forms', text)", json.dumps(kept))

    await start_again(visitor)
    await visitor.ready("t2v")

    await expect(page.locator("#prompt-t2v textarea")).to_have_value(PROMPT)
    form = visitor.form("t2v")
    await expect(form.get_by_label("Balanced")).to_be_checked()
    await form.get_by_text("1280×704").wait_for()
