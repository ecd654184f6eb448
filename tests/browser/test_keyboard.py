"""Without a mouse: every control in reading order, the drawer, asking for a clip, cancelling it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from core.domain.limits import RequestLimits
from core.domain.media import MediaKind
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.options import OPTIONS, Option
from core.domain.presets import Preset
from core.i18n.messages import name, say
from webui.page.fields import FIRST, label_of
from webui.page.form import lines_of, slot_label
from webui.page.form_values import FOLLOW, options_on_page, start_of, tick_of
from webui.page.timeline import has_timeline

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
TOGGLE = "Toggle Sidebar"  # Gradio's own word
# what a person would hear: the label or text of what has the focus
HEARD = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return "";
  const labels = [...(node.labels || [])].map((label) => label.innerText).join(" ");
  const label = node.getAttribute("aria-label") || labels || node.innerText || node.title || "";
  return label.trim().split("\\n")[0];
}"""
MODE_WORDS = [name(mode) for mode in MODES]


async def tab_to(page: Page, wanted: str, most: int = 60) -> list[str]:
    """Press Tab until ``wanted`` has the focus; return all that was passed."""
    passed: list[str] = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        heard = await page.evaluate(HEARD)
        passed.append(heard)
        if heard == wanted:
            return passed
    raise AssertionError(passed)


SLIDER = ["number input for {}", "Reset to default value", "range slider for {}"]  # Gradio's own
LIMITS = RequestLimits()
RECORD = {MediaKind.AUDIO: [say("studio_file_record")]}  # what a field has beside its dialog


def heard_of(mode: Mode, slot: MediaSlot) -> list[str]:
    """Return what is heard of the empty field for a file."""
    choose = f"{slot_label(mode, slot.role)}: {say('studio_file_choose')}"
    return [choose, *RECORD.get(slot.kind, [])]


def label(option: str) -> str:
    return label_of(OPTIONS[option])


def heard_of_option(option: Option, mode: Mode) -> list[str]:
    """Return what is heard of the field of ``option``, and of its box."""
    words = [label_of(option)]
    tick = tick_of(option, mode)
    if option.name == "prompt" and not MODES[mode].prompt_required:
        words = [say("studio_optional", {"label": words[0]})]
    elif option.name in {"preset", "aspect"}:  # one stop: what is chosen
        words = [name(MODES[mode].preset) if option.name == "preset" else say("studio_auto")]
    elif start_of(option, LIMITS) is not None:
        words = [word.format(words[0]) for word in SLIDER]
    if tick == FOLLOW:
        return [say(f"studio_{tick.name}")]  # the length stays hidden
    return [*words, *([say(f"studio_{tick.name}")] if tick else [])]


def controls(mode: Mode) -> list[str]:
    """Return what is heard from the first mode to the last control of the form of ``mode``."""
    spec = MODES[mode]
    offered = {option.name: option for option in options_on_page(mode, guided=False)}
    offered.pop("style")  # hidden where no operator has made one
    first = [offered.pop(key) for key in FIRST if key in offered]
    folded = [option for line in lines_of(list(offered.values())) for option in line]
    return [
        *MODE_WORDS,
        *(say(f"studio_{switch}") for switch in ("tell", "tell_sound", "keys")),
        say("studio_files_add"),
        say("studio_files_example"),
        *(word for slot in spec.slots for word in heard_of(mode, slot)),
        *([say("studio_times_add")] if has_timeline(mode) else []),
        *([say("studio_more_files")] if spec.more and not has_timeline(mode) else []),
        *(word for option in first for word in heard_of_option(option, mode)),
        say("studio_more"),
        *(word for option in folded for word in heard_of_option(option, mode)),
        say("studio_generate"),
        say("studio_reload"),
    ]


@pytest.mark.parametrize("mode", Mode)
async def test_tab_reaches_every_control_in_reading_order(visit: Visits, mode: Mode) -> None:
    visitor = await visit()
    await visitor.open(mode)
    await visitor.form(mode).get_by_text(say("studio_more")).dispatch_event("click")
    await visitor.seed(mode).wait_for()
    for slot in MODES[mode].slots:  # the field of a file may be filled after the rest
        await visitor.form(mode).get_by_label(heard_of(mode, slot)[0]).wait_for()
    await visitor.page.evaluate("document.activeElement.blur()")

    passed = await tab_to(visitor.page, say("studio_reload"))

    assert passed == [TOGGLE, *controls(mode)]


async def test_arrows_choose_within_a_group_that_says_its_name(visit: Visits) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "a boat")
    await tab_to(page, name(Preset.BALANCED))
    group = visitor.form("t2v").get_by_role("radiogroup", name=label("preset"))
    for wanted in (Preset.FAST, Preset.DRAFT):
        await page.keyboard.press("ArrowLeft")
        await expect(group.get_by_label(name(wanted))).to_be_checked()
        assert await page.evaluate(HEARD) == name(wanted)


async def test_a_closed_drawer_is_out_of_reach_and_gives_the_focus_back(visit: Visits) -> None:
    visitor = await visit(390, 844)
    page = visitor.page
    await visitor.open()
    toggle = page.get_by_label(TOGGLE)
    await page.evaluate("document.activeElement.blur()")
    expected = [TOGGLE, say("studio_files_add"), say("studio_files_example"), label("prompt")]
    assert await tab_to(page, label("prompt")) == expected

    for _ in expected[1:]:
        await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(toggle).to_have_attribute("aria-expanded", "true")
    assert await tab_to(page, MODE_WORDS[-1]) == MODE_WORDS
    await page.keyboard.press("Enter")

    await visitor.ready(list(MODES)[-1])
    await expect(toggle).to_have_attribute("aria-expanded", "false")
    await expect(toggle).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(toggle).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Escape")
    await expect(toggle).to_have_attribute("aria-expanded", "false")
    await expect(toggle).to_be_focused()


async def test_a_clip_is_asked_for_and_cancelled_without_losing_the_place(visit: Visits) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await tab_to(page, label("prompt"))
    await page.keyboard.type("a long take of the sea")
    await tab_to(page, name(Preset.BALANCED))
    await page.keyboard.press("ArrowRight")
    await tab_to(page, "number input for Length (s)")
    await page.keyboard.type("20")
    await tab_to(page, say("studio_generate"))
    await page.keyboard.press("Enter")
    await page.locator("#stage .cl-fill:not(.cl-unknown)").wait_for()

    await tab_to(page, f"{say('cancel_label')}: {name(Mode.T2V)}")
    left = page.locator("#queue .cl-link + .cl-meta")
    before = await left.inner_text()
    await expect(left).not_to_have_text(before)
    assert await page.evaluate(HEARD) == f"{say('cancel_label')}: {name(Mode.T2V)}"
    await page.keyboard.press("Enter")
    undo = f"{say('studio_undo')}: {name(Mode.T2V)}"
    await expect(page.locator("#queue [data-action=undo]")).to_be_focused()
    assert await page.evaluate(HEARD) == undo

    await expect(page.locator("#stage .cl-head")).to_contain_text("Cancelled")
    await page.locator("#history .cl-shot").wait_for()
    assert await page.evaluate("document.activeElement.closest('#queue') !== null")
    await page.keyboard.press("Tab")
    assert await page.evaluate(HEARD) == say("gallery_search")
