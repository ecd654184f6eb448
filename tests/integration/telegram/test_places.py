"""Answers in a group: in its language, refusals in place, and clips for one person apart."""

import pytest

from core.domain.people import Requester

ANN, BEN, OP = 501, 502, 900
pytestmark = pytest.mark.sqlite


def in_german(town, text: str, user: int, chat) -> dict:
    sender = {"id": user, "is_bot": False, "first_name": "x", "language_code": "de"}
    return town.say(text, user, chat, **{"from": sender})


async def test_a_group_reads_the_language_that_operators_chose(town, small: str) -> None:
    group = town.world.group()
    said = in_german(town, f"/t2v a kite {small}", ANN, group)
    assert "Text zu Video" in (await town.clip(said)).text

    await town.answer(town.say("/admin policy language fr", OP, group))
    await town.answer(town.say("/admin policy language en", OP, group))
    said = in_german(town, f"/t2v a kite {small}", ANN, group)
    assert "Text to video" in (await town.clip(said)).text
    assert "image" in (await town.answer(in_german(town, "/help", ANN, group))).text
    said = in_german(town, f"/t2v a kite {small}", ANN, town.world.private(ANN))
    assert "Text zu Video" in (await town.clip(said)).text


async def test_a_refusal_takes_the_place_of_the_first_answer(town, small: str) -> None:
    await town.core.community.moderation.set_rule(
        Requester("telegram", str(OP)), f"telegram:{ANN}", "words", "kite"
    )
    answer = await town.answer(town.say(f"/t2v a kite {small}"))

    assert "do not allow" in answer.text
    assert not [m for m in town.world.messages.values() if m.deleted]
    assert len(town.world.shown(ANN)) == 1


async def test_what_is_private_comes_in_the_private_chat(town, small: str) -> None:
    group, own = town.world.group(), town.world.private(ANN)
    said = town.say(f"/t2v a kite --private {small}", ANN, group)
    clip = await town.world.until(lambda: next(iter(town.world.with_video(own.id)), None))

    assert "private chat" in (await town.answer(said)).text
    assert town.world.with_video(group.id) == []
    assert (await town.job(clip)).request.prompt == "a kite"


async def test_who_never_wrote_to_the_bot_is_asked_to_and_pays_nothing(town, small: str) -> None:
    group, own = town.world.group(), town.world.private(ANN)
    own.blocked = True
    answer = await town.answer(town.say(f"/t2v a kite --private {small}", ANN, group))

    assert "press Start" in answer.text
    assert town.led_by(answer)
    assert await town.core.jobs.in_order() == []
    assert await town.used() == 0


async def test_what_was_adjusted_is_still_said_under_the_clip(town) -> None:
    clip = await town.clip(town.say("/t2v a kite --preset fast --seconds 1 --size 500x300"))

    assert "500×300 becomes" in clip.text


@pytest.mark.parametrize(("command", "words"), [("/cancel", "None of your"), ("/again", "no job")])
async def test_nothing_there_is_said_in_a_sentence(town, command: str, words: str) -> None:
    assert words in (await town.answer(town.say(command))).text


async def test_help_names_files_and_not_another_platforms_arguments(town) -> None:
    text = (await town.answer(town.say("/help"))).text

    assert "/lipsync words, with an image, an audio file: " in text
    assert "image prompt" not in text
