"""The pictures of a clip on its line: moved by hand or by keys, and never lost."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from core.demo.samples import write_png
from core.i18n.messages import say
from tests.browser.conftest import Visit
from tests.browser.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
STOPS = "#timeline-keyframe .cl-stop"
READ = """(stops) => stops.map((stop) =>
  [stop.getAttribute("aria-label").split(": ")[1], Number(stop.getAttribute("aria-valuenow"))])"""


async def line_of(page: Page) -> list[list[Any]]:
    """Return the name of each picture, and the second at which it stands."""
    return list(await page.locator(STOPS).evaluate_all(READ))


async def asked(page: Page) -> Any:
    """Return what the page's next question says of the form."""
    async with page.expect_request("**/forms/keyframe/look") as request:
        await page.locator("#prompt-keyframe textarea").press_sequentially("x")
    return (await request.value).post_data_json["values"]


def seconds(page: Page) -> Locator:
    return page.locator("#seconds-keyframe input[type=number]")


async def opened(visit: Visits, folder: Path, count: int, **size: int) -> Visit:
    visitor: Visit = await visit(**size)
    await visitor.open("keyframe")
    files = [write_png(folder / f"{number}.png") for number in range(count)]
    await visitor.page.locator("#timeline-keyframe input[type=file]").set_input_files(files)
    await expect(visitor.page.locator(STOPS)).to_have_count(count)
    await visitor.form("keyframe").locator(".cl-preflight dd").first.wait_for()
    return visitor


async def test_pictures_are_moved_by_keys_and_change_places(visit: Visits, tmp_path: Path) -> None:
    visitor = await opened(visit, tmp_path, 3, width=390, height=844)
    page = visitor.page
    assert await line_of(page) == [["0.png", 0], ["1.png", 2.5], ["2.png", 5]]
    assert (await asked(page))["times"] in {None, ""}

    await page.locator(STOPS).nth(1).focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("PageDown")
    assert (await asked(page))["times"] == "0, 1.4, 5"  # at once: the focus has left the line
    await page.locator(STOPS).nth(1).focus()
    await page.keyboard.press("End")

    assert await line_of(page) == [["0.png", 0], ["2.png", 4.9], ["1.png", 5]]
    await expect(page.locator(STOPS).nth(2)).to_be_focused()
    assert await violations(page) == []
    async with page.expect_request("**/forms/keyframe/generate") as sent:
        await page.keyboard.press("Control+Enter")  # before the line has told of it by itself
    values = (await sent.value).post_data_json["values"]
    assert values["times"] == "0, 4.9, 5"
    assert values["last"].endswith("1.png")
    assert values["second"].endswith("2.png")


async def test_a_picture_is_dragged_and_the_length_takes_all_of_them_along(
    visit: Visits, tmp_path: Path
) -> None:
    visitor = await opened(visit, tmp_path, 3)
    page = visitor.page
    await page.locator(STOPS).nth(1).evaluate("(it) => it.scrollIntoView({ block: 'center' })")
    box = await page.locator(STOPS).nth(1).bounding_box()
    last = await page.locator(STOPS).nth(2).bounding_box()
    assert box is not None
    assert last is not None
    await page.mouse.move(box["x"] + 20, box["y"] + 20)
    await page.mouse.down()
    await page.mouse.move((box["x"] + last["x"]) / 2 + 20, box["y"] + 20, steps=4)
    await page.mouse.up()
    assert (await line_of(page))[1] == ["1.png", pytest.approx(3.75, abs=0.05)]
    placed = (await asked(page))["times"]

    for length, share in (("10", 2), ("1", 0.2), ("5", 1)):
        await seconds(page).fill(length)
        await page.keyboard.press("Tab")
        expected = [0, pytest.approx(3.75 * share, abs=0.05 * share + 0.01), int(length)]
        await expect(page.locator(STOPS).nth(2)).to_have_attribute("aria-valuenow", length)
        assert [at for _, at in await line_of(page)] == expected
    assert (await asked(page))["times"] == placed


async def test_typed_times_stay_as_they_are_and_move_the_pictures(
    visit: Visits, tmp_path: Path
) -> None:
    visitor = await opened(visit, tmp_path, 3)
    page = visitor.page
    await visitor.form("keyframe").get_by_text(say("studio_more")).click()
    times = page.locator("#times-keyframe :is(input, textarea)")
    await times.fill("0 1,5 4s")
    await expect(page.locator(STOPS).nth(1)).to_have_attribute("aria-valuetext", "1.5 s")

    await seconds(page).fill("3")
    await page.keyboard.press("Tab")

    await visitor.form("keyframe").locator(".cl-preflight .cl-error").wait_for()  # 4 s of 3
    await expect(times).to_have_value("0 1,5 4s")
    await page.get_by_role("button", name=say("studio_times_fit")).click()
    await expect(times).to_have_value("0, 1.13, 3")
    await expect(visitor.form("keyframe").locator(".cl-preflight .cl-error")).to_have_count(0)


async def test_pictures_that_come_and_go_take_their_times_and_a_reload_keeps_all(
    visit: Visits, tmp_path: Path
) -> None:
    visitor = await opened(visit, tmp_path, 3)
    page = visitor.page
    await page.locator(STOPS).nth(1).focus()
    await page.keyboard.press("PageDown")
    more = [write_png(tmp_path / "more.png")]
    await page.locator("#timeline-keyframe input[type=file]").set_input_files(more)
    await expect(page.locator(STOPS)).to_have_count(4)
    here = [["0.png", 0], ["1.png", 1.5], ["more.png", 3.25], ["2.png", 5]]
    assert await line_of(page) == here

    await page.click("#mode-t2v")
    await visitor.ready("t2v")
    await page.click("#mode-keyframe")
    await visitor.ready("keyframe")
    assert await line_of(page) == here
    await page.reload()
    await visitor.ready("keyframe")
    await expect(page.locator(STOPS)).to_have_count(4)
    assert await line_of(page) == here

    await page.locator(STOPS).nth(0).focus()
    await page.keyboard.press("Delete")
    await expect(page.locator(STOPS).nth(0)).to_be_focused()
    assert await line_of(page) == here[1:]
    values = await asked(page)
    assert values["times"] == "1.5, 3.25, 5"
    assert values["first"].endswith("1.png")
    await page.get_by_role("button", name=say("studio_times_even")).click()
    assert [at for _, at in await line_of(page)] == [0, 2.5, 5]
    remove = re.compile(f"{say('studio_slot_first')}: {say('studio_file_remove')}")
    await page.get_by_role("button", name=remove).click()
    await expect(page.locator(STOPS)).to_have_count(2)
