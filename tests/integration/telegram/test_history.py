"""A person's own list shows what each clip looks like, in the private chat alone."""

import io

import pytest
from PIL import Image

from bots.telegram.contact_sheet import GAP, TILE

ANN = 501


async def page_of(town):
    return await town.answer(town.say("/history"))


async def test_all_stills_are_one_picture_numbered_as_the_buttons(town, small: str) -> None:
    for prompt in ("a red kite", "a blue kite"):
        await town.clip(town.say(f"/t2v {prompt} {small}"))

    page = await page_of(town)

    assert page.method == "sendPhoto"
    assert page.chat_id == ANN
    assert not page.payload.get("has_spoiler")
    assert page.text.index("a blue kite") < page.text.index("a red kite")
    assert Image.open(io.BytesIO(page.files["photo"])).size == (2 * TILE[0] + GAP, TILE[1])
    assert [page.label(data) for data in page.callback_data()] == ["1", "2"]


async def test_a_page_with_a_veiled_clip_is_veiled(town, small: str) -> None:
    await town.clip(town.say(f"/t2v a secret --spoiler {small}"))

    assert (await page_of(town)).payload["has_spoiler"]


async def test_pages_turn_in_one_message_however_long_the_prompts_are(town, small: str) -> None:
    for number in range(6):
        await town.clip(town.say(f"/t2v {number} {'very ' * 60}long {small}"))
    page = await page_of(town)
    first = page.files["photo"]

    town.tap(page, "v1:page=2:")
    await town.world.until(lambda: "page 2" in page.text)

    assert page.files["photo"] != first
    town.tap(page, "v1:page=1:")
    await town.world.until(lambda: "page 1" in page.text)
    assert page.files["photo"] == first
    assert page.text.count("very") > 5 * 3  # shorter than usual, and each is there
    assert len(town.world.shown(ANN)) == 7


@pytest.mark.parametrize("gone", ["still", "right"])
async def test_without_pictures_it_is_a_list(town, small: str, gone: str) -> None:
    message = await town.clip(town.say(f"/t2v a red kite {small}"))
    if gone == "still":
        (await town.job(message)).clip.poster.unlink()
    else:
        town.world.private(ANN).may_send_media = False

    page = await page_of(town)

    assert page.method == "sendMessage"
    assert "a red kite" in page.text
    assert page.button("v1:fetch:")
