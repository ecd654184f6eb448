"""On a phone every control is large enough for a finger, and Generate stays in sight."""

import pytest
from playwright.async_api import Browser

from tests.browser.conftest import ARTEFACTS
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
LEAST = 44  # px
# what is pressed is the label around a small box; a slider's thumb moves along all of its width
SMALL = """least => {
  const shown = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const pressed = (node) =>
    (node.matches("[type=checkbox], [type=radio]") && node.closest("label")) || node;
  const named = (node) => node.getAttribute("aria-label") || node.textContent || node.name || "";
  const all = "button, a[href], select, summary, textarea, input:not([type=hidden], [type=file])";
  return [...document.querySelectorAll(all)].filter(shown)
    .map((node) => [node, pressed(node).getBoundingClientRect()])
    .filter(([, { width, height }]) => width > 1 && height > 1)
    .filter(([, { width, height }]) => Math.min(width, height) < least - 0.5)
    .map(([node, { width, height }]) => [node.tagName, node.type, named(node).trim().slice(0, 30),
      `${Math.round(width)}x${Math.round(height)}`].join(" "));
}"""


async def test_controls_are_large_enough_for_a_finger(
    chromium: Browser, studio: ServedStudio
) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    context = await chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    try:
        page = await context.new_page()
        found: dict[str, list[str]] = {}
        for mode in ("t2v", "i2v", "lipsync"):
            await page.goto(f"{studio.url}/?mode={mode}")
            await page.wait_for_selector(f"#go-{mode}", state="visible")
            await page.get_by_text("More options").first.click()
            await page.wait_for_timeout(300)
            found[mode] = await page.evaluate(SMALL, LEAST)
            box = await page.locator(f"#go-{mode}").bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= 844
            assert await page.locator("#bar span").inner_text()
        await page.screenshot(path=ARTEFACTS / "touch-390.png", full_page=True)
        await page.get_by_label("Toggle Sidebar").click()
        await page.wait_for_timeout(500)
        found["drawer"] = await page.evaluate(SMALL, LEAST)
    finally:
        await context.close()
    small = {f"{name}: {line}" for name, lines in found.items() for line in lines}
    assert small == set(), "\n".join(sorted(small))
