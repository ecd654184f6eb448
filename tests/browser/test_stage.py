"""The stage and what goes with it: nothing is done twice or for good by mistake, nothing jumps."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from core.domain.policy import EVERYWHERE
from core.i18n.messages import name, say
from tests.support.feeds import OPERATOR, FeedRecording, FixedDirectory, open_feed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.browser.conftest import Visit
    from webui.testing.server import ServedStudio

    Visits = Callable[..., Awaitable[Visit]]

pytestmark = pytest.mark.asyncio(loop_scope="module")
HISTORY = "async () => (await (await fetch('studio/history')).json()).items.map(({id}) => id)"
SHIFTS = """() => {
  window.shifted = 0; window.moved = [];
  const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
  const told = ({ node, previousRect: before, currentRect: now }) =>
    `${node?.id || node?.className || node?.nodeName}: ${place(before)} to ${place(now)}`;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      window.shifted += entry.value;
      window.moved.push(...entry.sources.map(told));
    }
  }).observe({type: "layout-shift"});
}"""

# what would be shown and played outside of the page
TOLD = """
  window.told = []; window.sounded = 0; window.answer = "granted";
  window.Notification = class {
    static get permission() { return window.answer; }
    static async requestPermission() { return window.answer; }
    constructor(title, { body, tag }) { window.told.push([title, body, tag]); }
    close() {}
  };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) {
    if (this.frequency.value === 660) window.sounded += 1;
    return start.apply(this, at);
  };
"""


async def made(visit: "Visits", prompt: str = "a boat") -> "tuple[Visit, str]":
    """Somebody whose clip of one second is on the stage."""
    visitor = await visit()
    await visitor.open()
    await visitor.page.fill("#prompt-t2v textarea", prompt)
    await visitor.small("t2v")
    job = await visitor.generate("t2v")
    await visitor.film()
    return visitor, job


async def test_nothing_jumps_from_the_press_to_the_film_that_starts_without_sound(
    visit: "Visits",
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    await expect(page.locator("#go-t2v")).to_have_attribute("data-price", say("studio_price_least"))
    await page.evaluate(SHIFTS)

    await visitor.generate("t2v")
    await visitor.film()

    video = page.locator("#stage video")
    assert await video.evaluate("(video) => video.muted && video.autoplay")
    await page.locator("#history .cl-shot").wait_for()
    assert await page.evaluate("window.shifted") < 0.02, await page.evaluate("window.moved")


async def test_what_a_clip_is_becoming_moves_in_its_frame_and_nothing_around_it(
    visit: "Visits",
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "a boat")
    await visitor.form("t2v").get_by_label("number input for Length (s)").fill("10")
    await visitor.form("t2v").get_by_label("number input for Length (s)").press("Tab")

    job = await visitor.generate("t2v")
    await page.locator("#stage .cl-fill:not(.cl-unknown)").wait_for()
    await page.evaluate(SHIFTS)

    film = page.locator("#stage .cl-preview[data-moments]")
    await film.wait_for(timeout=60_000)
    first = str(await film.get_attribute("data-src"))
    assert first.startswith(f"previews/{job}.webp?v=")
    await expect(film).not_to_have_attribute("data-src", first)
    await expect(film).to_have_attribute("data-moments", "8", timeout=60_000)
    assert "previews/" in await film.evaluate("(film) => film.style.backgroundImage")
    moves = "(film) => getComputedStyle(film).animationName"
    assert await film.evaluate(moves) == "cl-moments"
    await page.emulate_media(reduced_motion="reduce")
    assert await film.evaluate(moves) == "none"
    assert await page.evaluate("window.shifted") < 0.02, await page.evaluate("window.moved")
    await page.click("#stage [data-action=cancel]")
    await page.click("#stage [data-action=now]")
    await expect(film).to_have_count(0)


async def test_a_double_click_on_again_makes_one_clip_and_its_price_stands_on_it(
    visit: "Visits",
) -> None:
    visitor, first = await made(visit)
    again = visitor.page.locator("#stage [data-action=again]")
    await expect(again.locator("small")).to_have_text(f" · {say('studio_price_least')}")

    await again.dblclick()

    await visitor.page.locator(f"#stage [data-action]:not([data-job='{first}'])").first.wait_for()
    await expect(visitor.page.locator("#history .cl-shot")).to_have_count(2)
    assert len(await visitor.page.evaluate(HISTORY)) == 2


async def test_a_delete_is_taken_back_and_one_that_is_not_happens(visit: "Visits") -> None:
    visitor, job = await made(visit)
    page = visitor.page
    await page.locator(f"#history [data-job='{job}']").wait_for()
    await page.click("#stage [data-action=delete]")
    await page.locator(f"#history [data-job='{job}']").wait_for(state="detached")
    await expect(page.locator("#stage .cl-ending")).to_contain_text(say("studio_ending_delete"))
    await page.click("#stage [data-action=undo]")
    await page.locator(f"#history [data-job='{job}']").wait_for()

    await page.click("#stage [data-action=delete]")
    await page.click("#stage [data-action=now]")

    await expect(page.locator("#stage .cl-empty")).to_be_visible()
    assert await page.evaluate(HISTORY) == []


async def test_back_goes_through_modes_and_clips_and_an_address_opens_its_owners_clip_only(
    visit: "Visits",
) -> None:
    visitor, job = await made(visit)
    page = visitor.page
    assert f"job={job}" in page.url
    await page.click("#mode-i2v")
    await visitor.ready("i2v")
    assert "mode=i2v" in page.url

    await page.go_back()

    await visitor.ready("t2v")
    other = await visit()
    await other.page.goto(page.url)
    missing = other.page.locator("#stage [data-part=missing]")
    await missing.locator(".cl-error").wait_for()
    refused = await missing.inner_text()
    await other.page.goto(f"{visitor.url}/?mode=t2v&job={'0' * 32}")
    await missing.locator(".cl-error").wait_for()
    assert refused.replace(job[:8], "") == (await missing.inner_text()).replace("0" * 8, "")
    await visitor.page.reload()
    await visitor.film()


async def test_a_reload_keeps_where_one_had_scrolled_to(visit: "Visits") -> None:
    visitor = await visit(390, 844)
    page = visitor.page
    await visitor.open()
    await page.evaluate("history.scrollRestoration = 'manual'")
    await page.evaluate("scrollTo(0, 300)")

    await page.reload()

    await visitor.ready("t2v")
    await page.wait_for_function("scrollY === 300")


async def test_what_is_typed_goes_along_to_another_mode_except_over_what_stands_there(
    visit: "Visits",
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "a boat in the reeds")
    await visitor.form("t2v").get_by_text("Fast", exact=True).click()
    await page.evaluate("scrollTo(0, 400)")

    await page.click("#mode-i2v")

    await visitor.ready("i2v")
    await expect(page.locator("#prompt-i2v textarea")).to_have_value("a boat in the reeds")
    await expect(visitor.form("i2v").get_by_label("Fast", exact=True)).to_be_checked()
    assert await page.evaluate("scrollY") == 0
    await page.fill("#prompt-i2v textarea", "another boat")
    await page.click("#mode-t2v")
    await visitor.ready("t2v")
    await expect(page.locator("#prompt-t2v textarea")).to_have_value("a boat in the reeds")


async def test_a_seed_that_is_typed_counts(visit: "Visits") -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    await visitor.seed("t2v").fill("42")
    await expect(visitor.form("t2v").get_by_label(say("studio_lock"))).to_be_checked()

    await visitor.generate("t2v")

    await expect(visitor.page.locator("#stage")).to_contain_text("seed 42")


async def test_the_film_goes_by_frames_and_beside_the_one_before(visit: "Visits") -> None:
    visitor, first = await made(visit)
    page = visitor.page
    video = page.locator("#stage [data-part=player] > video").first
    await page.click("#stage [data-action=again]")
    await page.locator(f"#stage video[src*='clips/']:not([src*='{first}'])").wait_for()
    await page.click("#stage [data-tool=forward]")
    assert await video.evaluate("(video) => video.paused")
    await expect(page.locator("#stage [data-tool=loop]")).to_have_attribute("aria-pressed", "true")
    await page.select_option("#stage [data-tool=speed]", "0.5")
    assert await video.evaluate("(video) => video.playbackRate") == 0.5

    await page.click("#stage [data-tool=compare]")

    before = page.locator("#stage [data-film=parent]")
    await expect(before).to_be_visible()
    assert first in str(await before.get_attribute("src"))
    await page.click("#stage [data-tool=compare]")
    await expect(before).to_be_hidden()


async def test_a_hidden_tab_says_in_its_title_and_icon_that_a_clip_is_ready(
    visit: "Visits",
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    await visitor.form("t2v").get_by_label("number input for Length (s)").fill("4")
    await page.evaluate(
        "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})"
    )

    await visitor.generate("t2v")

    await expect(page).to_have_title(re.compile(r"^\(1\) Ready · "), timeout=60_000)
    icon = page.locator("link[rel=icon]")
    assert str(await icon.get_attribute("href")).startswith("data:image/svg+xml")
    await page.evaluate(
        "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
    )
    await expect(page).to_have_title(say("studio_title"))


async def test_who_wants_it_is_told_by_a_notification_and_a_sound_from_a_hidden_tab(
    visit: "Visits",
) -> None:
    visitor = await visit()
    page = visitor.page
    await page.add_init_script(TOLD)
    await visitor.open()
    boxes = {name: page.locator(f"[data-tells={name}]") for name in ("notify", "sound")}
    await page.evaluate("window.answer = 'denied'")
    await boxes["notify"].click()
    await expect(boxes["notify"]).not_to_be_checked()  # the browser was told to refuse
    await page.evaluate("window.answer = 'granted'")
    for box in boxes.values():
        await box.check()
    await page.reload()
    await visitor.ready("t2v")
    for box in boxes.values():
        await expect(box).to_be_checked()  # this reader's wish, kept
    await page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    await page.evaluate(
        "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})"
    )

    job = await visitor.generate("t2v")

    await page.wait_for_function("window.told.length && window.sounded", timeout=60_000)
    assert await page.evaluate("window.told") == [[say("studio_ready"), name("t2v"), job]]
    assert await page.evaluate("window.sounded") == 1


async def test_keys_act_outside_of_fields_only_and_a_sheet_says_which(visit: "Visits") -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.open()
    await page.fill("#prompt-t2v textarea", "why? 2 boats")
    await page.locator("#prompt-t2v textarea").press("?")
    await expect(page.locator("#prompt-t2v textarea")).to_have_value("why? 2 boats?")
    await expect(page.locator("dialog.cl-keys")).to_have_count(0)
    await visitor.form("t2v").locator("input[type=radio]").first.focus()  # takes no letters

    await page.keyboard.press("?")

    sheet = page.get_by_role("dialog", name=say("studio_keys"))
    await expect(sheet).to_contain_text(say("studio_keys_generate"))
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await page.keyboard.press("2")
    await visitor.ready("i2v")
    await page.keyboard.press("?")
    await sheet.get_by_label(say("studio_keys_single")).uncheck()
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await page.keyboard.press("1")
    await visitor.ready("i2v")


async def test_on_a_phone_generate_stays_in_sight_and_the_bar_names_the_mode(
    visit: "Visits",
) -> None:
    visitor = await visit(390, 700)
    await visitor.open("i2v")

    await expect(visitor.page.locator("#bar")).to_contain_text("Image to video")
    await expect(visitor.page.locator("#go-i2v")).to_be_in_viewport(ratio=1)


async def test_a_clip_is_published_where_the_page_says_and_taken_down_again(
    visit: "Visits", studio: "ServedStudio"
) -> None:
    core, feed = studio.core, FeedRecording()
    core.router.register(feed)
    core.community.access.register(FixedDirectory())
    await core.feed.channels.choose(OPERATOR, open_feed(place=EVERYWHERE))
    visitor, job = await made(visit)
    card = visitor.page.locator("#stage .cl-feed")

    await card.locator("summary").click()
    await expect(card).to_contain_text("Publish in #clips")
    await card.get_by_role("button", name="Publish with prompt · free").dblclick()

    await expect(card.get_by_role("link")).to_have_attribute("href", re.compile("chat.example"))
    assert len(feed.posted) == 1
    await visitor.shot("published")
    await card.get_by_role("button", name="Take down").click()
    await expect(card.locator("summary")).to_be_visible()
    post = await core.feed.posts.find(job)
    assert post.withdrawn_by is not None
