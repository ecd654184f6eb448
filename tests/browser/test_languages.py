"""In each language at each width, by keyboard alone: each control in its order, named and seen."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import BytesIO
from itertools import product
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect

from core.domain.modes import MODES
from core.i18n.messages import languages, say
from core.settings import Settings
from tests.browser.conftest import Visit
from tests.browser.test_access import STILL, WIDTHS, violations_here
from tests.support.settings import changed
from webui.auth.user_file import User, add
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
RIGHT_TO_LEFT = "قارب في البحر \N{RIGHT-TO-LEFT OVERRIDE} 123"
SMALL = {"preset": "fast", "seconds": 1, "width": 256, "height": 256}
# number the controls that Tab should reach in the order of the page; radio buttons together are one
NUMBERED = """() => {
  const reached = "a[href], button, input, select, textarea, summary, video[controls], [tabindex]";
  const groups = new Set();
  let count = 0;
  for (const node of document.querySelectorAll(reached)) {
    delete node.dataset.walk;
    if (node.tabIndex < 0 || node.disabled || node.type === "hidden") continue;
    if (node.closest("[inert]") || !node.checkVisibility({ checkVisibilityCSS: true })) continue;
    let stop = node;
    if (node.type === "radio") {
      if (groups.has(node.name)) continue;
      groups.add(node.name);
      stop = [...document.getElementsByName(node.name)].find((one) => one.checked) || node;
    }
    stop.dataset.walk = count++;
  }
  document.body.tabIndex = -1; // the next Tab goes to the first of them
  document.body.focus();
  document.body.removeAttribute("tabindex");
  return count;
}"""
# what has the focus: its number, what it is called, and what is wrong with how it is seen
FOCUSED = """() => {
  const node = document.activeElement, labels = [...(node.labels || [])];
  if (!node || node === document.body) return null;
  const by = (node.getAttribute("aria-labelledby") || "").split(/\\s+/).filter(Boolean)
    .map((id) => document.getElementById(id)?.textContent || "").join(" ");
  const label = labels.map((one) => one.innerText || one.textContent).join(" ");
  const name = node.getAttribute("aria-label") || by || label || node.innerText || node.title;
  const wrong = name.trim() ? [] : ["has no name"];
  const ring = (one) => {
    const style = one ? getComputedStyle(one) : { outlineStyle: "none", boxShadow: "none" };
    return style.outlineStyle !== "none" || style.boxShadow !== "none";
  };
  const parent = node.parentElement;
  const around = [parent, parent.parentElement, node.nextElementSibling];
  const own = node.tagName === "VIDEO"; // its controls show it themselves
  if (!own && ![node, node.closest("label"), ...around].some(ring)) wrong.push("shows no focus");
  const hidden = node.type === "file" || node.getBoundingClientRect().width < 2;
  const box = (hidden ? parent : node).getBoundingClientRect();
  const x = box.left + Math.min(box.width / 2, 40), y = box.top + Math.min(box.height / 2, 40);
  const top = document.elementFromPoint(x, y);
  const near = top && [node, ...labels].some((one) => one.contains(top) || top.contains(one));
  if (!top) wrong.push(`is out of sight at ${x.toFixed()},${y.toFixed()}`);
  else if (!near) wrong.push(`lies under ${top.outerHTML.slice(0, 80)}`);
  const number = node.dataset.walk === undefined ? -1 : Number(node.dataset.walk);
  return [number, name.trim().split("\\n")[0], wrong];
}"""
UNREACHED = """(seen) => [...document.querySelectorAll("[data-walk]")]
  .filter((node) => !seen.includes(Number(node.dataset.walk)))
  .map((node) => node.getAttribute("aria-label") || node.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def studio_settings(
    module_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    book = tmp_path_factory.mktemp("people") / "users"
    add(book, User.of("ada", "correct horse"))
    return changed(module_settings, studio_users=book, operators="studio:user-ada")


@asynccontextmanager
async def signed_in(
    chromium: Browser, studio: ServedStudio, width: int, language: str
) -> AsyncGenerator[Visit]:
    """Yield the operator, at the page, in a browser of this width and language."""
    size = {"width": width, "height": WIDTHS[width]}
    context = await chromium.new_context(viewport=size, locale=language)  # type: ignore[arg-type]
    try:
        visitor = Visit(await context.new_page(), studio.url)
        form = {"username": "ada", "password": "correct horse"}
        await context.request.post(f"{studio.url}/login", form=form)
        await visitor.open()
        yield visitor
    finally:
        await context.close()


async def walk(page: Page) -> list[str]:
    """Press Tab from the top to the end of the page; return what is wrong."""
    count = await page.evaluate(NUMBERED)
    wrong, seen, last = list[str](), list[int](), -1
    for _ in range(count + 40):
        await page.keyboard.press("Tab")
        found = await page.evaluate(FOCUSED)
        for _ in range(20):  # the list of the field before may still fade
            if found is None or not found[2]:
                break
            await asyncio.sleep(0.2)
            found = await page.evaluate(FOCUSED)
        if found is None:
            break
        number, name, faults = found
        if seen and number == seen[0]:
            break
        wrong += [f"{name}: {fault}" for fault in faults]
        if 0 <= number < last:
            wrong.append(f"{name}: comes after what stands behind it")
        seen.append(number)
        last = max(last, number)
    missed = await page.evaluate(UNREACHED, seen)
    return [*wrong, *(f"{name}: is not reached" for name in missed)]


ROWS = [*product(languages(), WIDTHS)]


@pytest.mark.parametrize(("language", "width"), ROWS)
async def test_the_whole_page_is_used_by_keyboard_in_every_language(
    chromium: Browser, studio: ServedStudio, language: str, width: int
) -> None:
    wrong: dict[str, list[str]] = {}
    async with signed_in(chromium, studio, width, language) as visitor:
        page = visitor.page
        await expect(page.locator("html")).to_have_attribute("lang", language)
        job = await visitor.send(prompt=RIGHT_TO_LEFT, **SMALL)
        for mode in MODES:
            await page.goto("about:blank")
            await page.goto(f"{studio.url}/?mode={mode}&job={job}")
            await visitor.ready(mode)
            await visitor.film()
            await page.add_style_tag(content=STILL)
            await visitor.form(mode).get_by_text(say("studio_more", {}, language)).click()
            await visitor.seed(mode).wait_for()
            await page.locator("#operators [data-part=checks] li").first.wait_for()
            found = [*await walk(page), *await violations_here(page)]
            if found:
                wrong[mode] = found
    assert wrong == {}
    assert visitor.errors == []


async def ink_of(field: Any) -> tuple[int, int]:
    """Return how many pixels of text the left and the right half of ``field`` have."""
    shot = Image.open(BytesIO(await field.screenshot())).convert("L")
    inner = shot.crop((8, 8, shot.width - 8, shot.height - 8))
    ground = inner.getpixel((inner.width // 2, inner.height - 2))
    lit = inner.point(lambda value: 255 if abs(value - ground) > 60 else 0)  # type: ignore[operator]
    middle = inner.width // 2
    halves = (0, 0, middle, inner.height), (middle, 0, inner.width, inner.height)
    left, right = (lit.crop(half).histogram()[255] for half in halves)
    return left, right


async def test_each_line_of_a_prompt_begins_where_its_language_does(
    chromium: Browser, studio: ServedStudio
) -> None:
    async with signed_in(chromium, studio, 1440, "en") as visitor:
        field = visitor.page.locator("#prompt-t2v textarea")
        await field.fill("a boat")
        await field.blur()
        left, right = await ink_of(field)
        assert left > right == 0
        await field.fill("قارب")
        await field.blur()
        left, right = await ink_of(field)
        assert right > left == 0
