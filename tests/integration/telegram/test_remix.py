"""Everybody of a group reads how its clips were made and makes their own; nobody else does."""

import pytest

from core.domain.followups import Action
from core.domain.people import Requester
from tests.support.platforms.telegram.world import Chat

ANN, BEN = 501, 502
OPERATOR = Requester("telegram", "900")
SUPERGROUP = -1001234567890


@pytest.fixture
def group(town) -> Chat:
    return town.world.group(SUPERGROUP, "supergroup")


@pytest.fixture
async def clip(town, group, small: str):
    return await town.clip(town.say(f"/t2v a red kite {small}", ANN, group))


async def answered(town, query: str) -> dict:
    await town.world.until(lambda: query in town.world.answers)
    return town.world.answers[query]


async def test_a_clip_in_a_group_quotes_its_prompt_and_names_its_maker(town, clip) -> None:
    assert clip.text.startswith("<code>a red kite</code>\nby user501\n")
    assert clip.button("remix")


async def test_a_clip_in_a_private_chat_names_nobody(town, small: str) -> None:
    clip = await town.clip(town.say(f"/t2v a red kite {small}"))

    assert clip.text.startswith("<code>a red kite</code>\n")
    assert "by " not in clip.text.split("\n")[1][:3]
    assert "remix" not in str(clip.payload.get("reply_markup"))


async def test_what_is_veiled_keeps_its_prompt(town, group, small: str) -> None:
    clip = await town.clip(town.say(f"/t2v ||a red kite|| {small} --spoiler", ANN, group))

    assert "kite" not in clip.text


async def test_a_member_reads_the_details_in_private_and_others_do_not(town, group, clip) -> None:
    led = (await answered(town, town.tap(clip, "details", BEN)))["url"].partition("?start=")[2]

    assert len(led) <= 64
    assert "a red kite" in (await town.answer(town.say(f"/start {led}", BEN))).text
    other = led.replace(f"_{clip.id}", f"_{clip.id + 1}")
    assert "belongs to" in (await town.answer(town.say(f"/start {other}", BEN))).text


async def test_a_stranger_makes_a_clip_of_their_own_from_what_all_see(
    town, group, clip, small: str
) -> None:
    query = town.tap(clip, "remix", BEN)
    await answered(town, query)
    question = await town.says("tap it to copy", group.id)
    assert "<code>a red kite</code>" in question.text

    said = town.say("a blue kite", BEN, group, reply_to_message=town.server.api.payload(question))
    made = await town.clip(said)

    job, parent = await town.job(made), await town.job(clip)
    assert job.requester.user_id == str(BEN)
    assert job.request.prompt == "a blue kite"
    assert (job.origin.action, job.origin.parent_id) == (Action.REMIX, parent.id)
    assert job.request.sampling.width == parent.request.sampling.width
    link = f"https://t.me/c/{str(SUPERGROUP)[4:]}/{clip.id}"
    assert f'remix of <a href="{link}">this clip</a>' in made.text


async def test_a_place_that_hides_prompts_tells_them_to_their_maker_alone(
    town, group, small: str
) -> None:
    place = f"telegram:{group.id}"
    await town.core.community.moderation.set_rule(OPERATOR, place, "captions", "hidden")

    clip = await town.clip(town.say(f"/t2v a red kite {small}", ANN, group))

    assert "kite" not in clip.text
    answer = await answered(town, town.tap(clip, "details", BEN))
    assert "belongs to somebody else" in answer["text"]


async def test_history_shows_the_prompts_of_its_person(town, small: str) -> None:
    await town.clip(town.say(f"/t2v a red kite {small}"))

    assert "<code>a red kite</code>" in (await town.answer(town.say("/history"))).text
