"""Files from anywhere: pasted, dropped, chosen, photographed or recorded; each finds its mode."""

import base64
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from core.demo.inputs import DemoJob
from core.demo.samples import write_png, write_wav
from core.domain.modes import Mode
from core.i18n.messages import name, say
from core.i18n.option_words import mode_example
from tests.browser.conftest import CHROMIUM, Visit
from tests.browser.test_access import violations
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
PROMPT = "a lamp is lit in a window"
# what a browser does when somebody pastes, or drags files and lets go of them
CARRY = """([kind, selector, files, text]) => {
  const transfer = new DataTransfer();
  for (const [name, type, content] of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
  }
  if (text) transfer.setData("text/plain", text);
  const target = selector ? document.querySelector(selector) : document.body;
  const options = { bubbles: true, cancelable: true };
  for (const one of kind === "drop" ? ["dragenter", "dragover"] : [])
    target.dispatchEvent(new DragEvent(one, { ...options, dataTransfer: transfer }));
  const shown = document.querySelector(".cl-dropzone")?.checkVisibility() ?? false;
  target.dispatchEvent(kind === "drop"
    ? new DragEvent("drop", { ...options, dataTransfer: transfer })
    : new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
  return [shown, document.querySelector(".cl-dropzone")?.checkVisibility() ?? false];
}"""

ASKED = """(it) => it.addEventListener("click", () => {
  window.asked = it.getAttribute("capture"); })"""
TALL = "(node) => node.closest('button, label').getBoundingClientRect().height"


def packed(path: Path, kind: str) -> tuple[str, str, str]:
    return path.name, kind, base64.b64encode(path.read_bytes()).decode()


@pytest.fixture
def picture(tmp_path: Path) -> tuple[str, str, str]:
    return packed(write_png(tmp_path / "a.png"), "image/png")


@pytest.fixture
def sound(tmp_path: Path) -> tuple[str, str, str]:
    return packed(write_wav(tmp_path / "a.wav"), "audio/wav")


async def carry(page: Page, kind: str, *files: Any, at: str = "", text: str = "") -> list[bool]:
    await page.locator("#add-files input").wait_for(state="attached")
    return list(await page.evaluate(CARRY, [kind, at, files, text]))


async def test_a_dropped_picture_opens_its_mode_with_what_was_typed(
    visit: Visits, picture: Any
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("t2v")
    await page.fill("#prompt-t2v textarea", PROMPT)

    assert await carry(page, "drop", picture) == [True, False]

    await visitor.ready("i2v")
    await expect(page.locator("#image-i2v img")).to_be_visible()
    await expect(page.locator("#prompt-i2v textarea")).to_have_value(PROMPT)
    await visitor.form("i2v").locator(".cl-preflight dd").first.wait_for()


async def test_a_sound_beside_a_held_picture_makes_it_speak(
    visit: Visits, picture: Any, sound: Any
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("t2v")
    await carry(page, "paste", picture)
    await expect(page.locator("#image-i2v img")).to_be_visible()

    await carry(page, "paste", sound)

    await visitor.ready("lipsync")
    await expect(page.locator("#image-lipsync img")).to_be_visible()
    await expect(page.locator("#audio-lipsync audio")).to_be_visible()
    await visitor.form("lipsync").locator(".cl-preflight dd").first.wait_for()


async def test_two_pictures_are_the_first_and_the_last_and_more_lie_between(
    visit: Visits, picture: Any
) -> None:
    visitor = await visit()
    await visitor.open("t2v")
    await carry(visitor.page, "drop", picture, picture)
    await visitor.ready("keyframe")
    for role in ("first", "last"):
        await expect(visitor.page.locator(f"#{role}-keyframe img")).to_be_visible()

    await carry(visitor.page, "drop", picture)

    await expect(visitor.page.locator("#second-keyframe img")).to_be_visible()


async def test_a_film_is_asked_about_and_the_keyboard_answers(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("t2v")
    await page.locator("#add-files input").set_input_files(wishes[Mode.STYLE].files["video"])
    group = page.get_by_role("group", name=say("studio_files_which"))
    await expect(group.get_by_role("button", name=name(Mode.STYLE))).to_be_focused()
    assert await violations(page) == []
    await page.keyboard.press("Tab")
    await expect(group.get_by_role("button", name=name(Mode.EXTEND))).to_be_focused()

    await page.keyboard.press("Enter")

    await visitor.ready("extend")
    await expect(page.locator("#video-extend video")).to_be_visible()
    await expect(group).to_have_count(0)


async def test_what_is_refused_says_why_and_the_rest_is_used(visit: Visits, picture: Any) -> None:
    visitor = await visit()
    await visitor.open("t2v")
    paper = ("letter.pdf", "application/pdf", "JVBERg==")

    await carry(visitor.page, "drop", paper, picture)

    await expect(visitor.page.locator("#image-i2v img")).to_be_visible()
    notes = visitor.page.locator("#add-files .cl-notes")
    await expect(notes).to_contain_text("letter.pdf")
    await expect(notes).to_contain_text("PDF")


async def test_pasted_words_go_where_one_types_and_files_never_replace_them(
    visit: Visits, picture: Any
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("i2v")
    await page.evaluate("document.activeElement.blur()")
    await carry(page, "paste", text=PROMPT)
    await expect(page.locator("#prompt-i2v textarea")).to_have_value(PROMPT)
    await expect(page.locator("#prompt-i2v textarea")).to_be_focused()

    await carry(page, "paste", picture, at="#prompt-i2v textarea")
    await expect(page.locator("#image-i2v img")).to_be_visible()
    await expect(page.locator("#prompt-i2v textarea")).to_have_value(PROMPT)
    await carry(page, "paste", at="#prompt-i2v textarea", text="left to the browser")
    await expect(page.locator("#prompt-i2v textarea")).to_have_value(PROMPT)


async def test_a_file_can_be_replaced_and_taken_out(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("i2v")
    await visitor.attach(wishes[Mode.I2V])
    field = page.locator("#image-i2v")
    first = await field.locator("img").get_attribute("src")
    await field.locator("input[type=file]").set_input_files(wishes[Mode.LIPSYNC].files["image"])
    await expect(field.locator("img")).not_to_have_attribute("src", str(first))

    await field.get_by_role("button", name=say("studio_file_remove")).click()

    await expect(field.locator("img")).to_have_count(0)
    await expect(field.locator("input[type=file]")).to_be_focused()
    await visitor.form("i2v").get_by_text(re.compile("needs a")).first.wait_for()


@pytest.mark.parametrize("mode", Mode)
async def test_an_example_fills_what_is_empty_and_makes_a_clip(visit: Visits, mode: Mode) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open(mode)

    await page.get_by_role("button", name=say("studio_files_example")).click()

    await expect(page.locator(f"#prompt-{mode} textarea")).to_have_value(mode_example(mode))
    await visitor.form(mode).locator(".cl-preflight dd").first.wait_for(timeout=20_000)
    await expect(visitor.form(mode).locator(".cl-preflight .cl-error")).to_have_count(0)
    await visitor.small(mode)
    await visitor.generate(mode)
    await visitor.film()


async def test_an_example_leaves_what_was_typed(visit: Visits) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("i2v")
    await page.fill("#prompt-i2v textarea", PROMPT)
    await page.get_by_role("button", name=say("studio_files_example")).click()
    await expect(page.locator("#image-i2v img")).to_be_visible()
    await expect(page.locator("#prompt-i2v textarea")).to_have_value(PROMPT)


async def used_of(page: Page, mode: str, role: str) -> Any:
    """Return what the page's next question says of a file."""
    async with page.expect_request(f"**/forms/{mode}/look") as asked:
        await page.locator(f"#prompt-{mode} textarea").press_sequentially("x")
    return (await asked.value).post_data_json["values"][role]


async def test_a_picture_is_cut_to_the_shape_by_keys_and_by_dragging(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("i2v")
    await visitor.form("i2v").get_by_text("1:1", exact=True).click()
    await visitor.attach(wishes[Mode.I2V])
    field = page.locator("#image-i2v")
    await field.get_by_text(say("studio_part"), exact=True).click()
    await expect(field.locator(".cl-part-box")).to_be_visible()

    whole = (await used_of(page, "i2v", "image"))["cut"]  # 1152×768: a square in the middle
    assert whole["width"] == pytest.approx(2 / 3, abs=0.01)
    assert (whole["left"], whole["height"]) == (pytest.approx(1 / 6, abs=0.01), 1)
    await field.get_by_label(say("studio_part_across")).focus()
    await page.keyboard.press("Home")
    assert (await used_of(page, "i2v", "image"))["cut"]["left"] == 0
    await field.locator(".cl-part-box").evaluate("(box) => box.scrollIntoView({ block: 'center' })")
    box = await field.locator(".cl-part-box").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 20, box["y"] + 20)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 400, box["y"] + 20, steps=4)
    await page.mouse.up()
    assert (await used_of(page, "i2v", "image"))["cut"]["left"] == pytest.approx(1 / 3, abs=0.01)
    assert await violations(page) == []

    await page.reload()
    await visitor.ready("i2v")
    assert (await used_of(page, "i2v", "image"))["cut"]["left"] == pytest.approx(1 / 3, abs=0.01)
    await page.locator("#image-i2v").get_by_text(say("studio_part"), exact=True).click()
    await page.locator("#image-i2v").get_by_text(say("studio_part_all"), exact=True).click()
    whole = (await used_of(page, "i2v", "image"))["cut"]
    assert (whole["left"], whole["width"]) == (0, 1)


async def test_a_part_of_a_sound_gives_the_clip_its_length(
    visit: Visits, wishes: dict[Mode, DemoJob]
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open("a2v")
    await visitor.attach(wishes[Mode.A2V])  # 3 s
    clip = visitor.form("a2v").locator(".cl-preflight dd").first
    await expect(clip).to_contain_text("3")
    field = page.locator("#audio-a2v")
    await field.get_by_text(say("studio_part"), exact=True).click()
    await field.get_by_label(say("studio_part_start")).fill("1")
    await field.get_by_label(say("studio_part_end")).fill("2.2")
    await expect(field.locator(".cl-part [role=status]")).to_contain_text("1.2 s / 3.0 s")
    used = (await used_of(page, "a2v", "audio"))["cut"]
    assert (used["start_s"], used["end_s"]) == (1, 2.2)
    await expect(clip).to_contain_text("1.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def with_devices() -> AsyncGenerator[Browser]:
    """A browser with a microphone that hums."""
    devices = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *devices],
        )
        yield browser
        await browser.close()


async def test_a_phone_takes_photos_and_records_with_targets_for_fingers(
    studio: ServedStudio, with_devices: Browser, wishes: dict[Mode, DemoJob]
) -> None:
    context = await with_devices.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    visitor = Visit(await context.new_page(), studio.url)
    page = visitor.page
    await visitor.open("lipsync")
    camera = page.locator("#image-lipsync").get_by_text(say("studio_file_camera_image"))
    record = page.locator("#audio-lipsync").get_by_text(say("studio_file_record"))
    for target in (camera, record, page.locator("#image-lipsync .cl-choose")):
        box = await target.locator(
            "xpath=ancestor-or-self::*[self::button or self::label]"
        ).bounding_box()
        assert box is not None
        assert box["height"] >= 44

    picker = page.locator("#image-lipsync input[type=file]")
    await picker.evaluate(ASKED)
    async with page.expect_file_chooser():
        await camera.tap()
    assert await page.evaluate("window.asked") == "environment"
    assert await picker.get_attribute("capture") is None

    await record.tap()
    pressed = page.locator("#audio-lipsync [aria-pressed=true]")
    await expect(pressed).to_contain_text("1 s")
    await pressed.tap()
    await expect(page.locator("#audio-lipsync audio")).to_be_visible()
    await picker.set_input_files(wishes[Mode.LIPSYNC].files["image"])
    await visitor.form("lipsync").locator(".cl-preflight dd").first.wait_for()  # both are taken in
    assert visitor.errors == []
    await context.close()
