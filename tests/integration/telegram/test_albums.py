"""Albums: two pictures become a clip; more are asked about, also late, edited or passed on."""

import itertools
import re
import time

import pytest

from core.demo.samples import write_png, write_video
from core.domain.keyframes import pictures_of
from core.testing.doubles import eventually

ANN, BEN = 501, 502
FOUR = (20, 90, 150, 220)
PRICE = re.compile(r" · (under )?\d+ s$")
TIMES = "--times 0 0,4 0.7 1"
_groups = itertools.count(1)


def shades(town, values) -> list[dict]:
    contents = [write_png(town.folder / "p.png", shade=value).read_bytes() for value in values]
    return [town.server.photo(content) for content in contents]


def send(town, media: list[dict], user: int = ANN, chat=None, captioned: int = 0, **more) -> list:
    """Send an album; its caption stands on one part, everything else on all of them."""
    group, caption = f"g{next(_groups)}", more.pop("caption", None)
    words = lambda index: {"caption": caption} if caption and index == captioned else {}  # noqa: E731
    return [
        town.say(user=user, chat=chat, media_group_id=group, **words(index), **more, **part)
        for index, part in enumerate(media)
    ]


def album(town, values, **more) -> list:
    return send(town, shades(town, values), **more)


async def answer(town, parts: list[dict], fits):
    """The bot's answer to one of these messages that ``fits``."""
    ids = {part["message_id"] for part in parts}
    about = lambda message: (message.payload.get("reply_parameters") or {}).get("message_id")  # noqa: E731
    return await town.world.until(
        lambda: next((m for m in town.world.shown() if about(m) in ids and fits(m)), None)
    )


async def asked(town, parts: list[dict]):
    """The question about an album."""
    return await answer(town, parts, lambda message: "What shall I make" in message.text)


async def clip(town, part: dict):
    """The clip that answers a part of an album."""
    return await answer(town, [part], lambda message: message.video)


def labels(message) -> list[str]:
    return [button["text"] for button in message.buttons()]


@pytest.mark.parametrize("captioned", [0, 1])
@pytest.mark.parametrize("caption", ["/keyframe it grows", "it grows"])
async def test_two_pictures_go_from_the_first_to_the_last(
    town, caption: str, captioned: int
) -> None:
    town.executor.gate.clear()
    parts = album(town, (20, 220), caption=caption, captioned=captioned)

    await town.executor.started.wait()

    request = town.executor.orders[0].request
    assert (request.mode, request.prompt) == ("keyframe", "it grows")
    assert request.media()["first"].sha256 != request.media()["last"].sha256
    assert len(await town.core.jobs.in_order()) == 1
    assert await town.answer(parts[0])


@pytest.mark.parametrize("caption", [f"/keyframe it grows {TIMES}", f"it grows {TIMES}"])
async def test_a_command_or_times_say_what_four_pictures_are_for(town, caption: str) -> None:
    town.executor.gate.clear()
    album(town, FOUR, caption=caption)

    await town.executor.started.wait()

    request = town.executor.orders[0].request
    assert (request.mode, request.prompt) == ("keyframe", "it grows")
    assert list(pictures_of(request)) == ["first", "second", "third", "last"]
    assert len({file.sha256 for file in request.files}) == 4
    assert request.sampling.times == "0, 0.4, 0.7, 1"


async def test_more_are_asked_about_once_with_prices_and_the_answer_replaces_the_question(
    town,
) -> None:
    parts = album(town, FOUR)
    question = await asked(town, parts)

    assert [label.rpartition(" · ")[0] for label in labels(question)] == [
        "Keyframe",
        "Image to video · 1 of 4",
    ]
    assert all(PRICE.search(label) for label in labels(question))
    assert "the first ones" in question.text
    town.tap(question, "mode=keyframe")
    shown = await clip(town, parts[0])

    job = await town.job(shown)
    assert list(pictures_of(job.request)) == ["first", "second", "third", "last"]
    await town.world.until(lambda: question.deleted)
    assert [message.id for message in town.world.shown(ANN)] == [shown.id]


async def test_the_caption_is_kept_and_the_buttons_work_after_a_restart(town) -> None:
    parts = album(town, FOUR, captioned=2, caption="it grows --seed 7 --spoiler")
    question = await asked(town, parts)
    await town.stop()
    await town.start()

    town.tap(question, "mode=i2v")
    shown = await clip(town, parts[0])

    job = await town.job(shown)
    assert (job.request.mode, job.request.prompt) == ("i2v", "it grows")
    assert job.request.sampling.seed == 7
    assert shown.payload["has_spoiler"]


async def test_in_a_group_only_who_sent_it_chooses_and_others_get_a_toast(town) -> None:
    group = town.world.group()
    begun = album(town, FOUR, user=BEN, chat=group, caption="@clapper_bot of Ben")
    await asked(town, begun)  # he has a form of his own here
    parts = album(town, FOUR, chat=group, caption="@clapper_bot it grows")
    question, before = await asked(town, parts), len(town.world.shown())
    told = [town.tap(question, "mode=keyframe", user) for user in (BEN, 777)]
    await town.world.until(lambda: all(query in town.world.answers for query in told))

    assert {town.world.answers[query]["text"] for query in told} == {
        "This belongs to somebody else."
    }
    assert len(town.world.shown()) == before
    assert town.executor.orders == []
    town.tap(question, "mode=keyframe")
    job = await town.job(await clip(town, parts[0]))
    assert (job.requester.user_id, job.request.prompt) == (str(ANN), "it grows")


async def test_an_album_in_a_group_that_does_not_speak_to_the_bot_is_none_of_its_business(
    town,
) -> None:
    group = town.world.group()
    album(town, FOUR, chat=group, caption="look at my garden")

    await town.answer(town.say("/t2v@clapper_bot --seconds x", BEN, group))
    assert not any("What shall I" in message.text for message in town.world.shown())


async def test_pressed_twice_it_is_one_job_and_later_it_is_told_to_be_over(town) -> None:
    group = town.world.group()
    question = await asked(town, album(town, FOUR, chat=group, caption="@clapper_bot it grows"))
    for _ in range(2):
        town.tap(question, "mode=keyframe")
    await town.world.until(town.world.with_video)
    await town.quiet()
    again = town.tap(question, "mode=i2v")
    await town.world.until(lambda: again in town.world.answers)

    assert len(town.executor.orders) == 1
    assert "sent already" in town.world.answers[again]["text"]


async def test_a_second_album_is_another_question_and_the_first_one_goes(town) -> None:
    first = await asked(town, album(town, FOUR, caption="of the first"))
    parts = album(town, (30, 60, 99))
    second = await asked(town, parts)
    await town.world.until(lambda: first.deleted)

    town.tap(first, "mode=keyframe")  # the press of somebody who was quicker
    await town.says("sent already")
    town.tap(second, "mode=keyframe")
    job = await town.job(await clip(town, parts[0]))

    assert (job.request.prompt, len(job.request.files)) == ("", 3)
    assert len(town.executor.orders) == 1


@pytest.mark.parametrize("count", [9, 10])
async def test_of_more_than_a_clip_takes_the_first_ones_are_kept(town, count: int) -> None:
    parts = album(town, range(10, 10 + 10 * count, 10), caption="many")
    question = await asked(town, parts)

    assert f"You sent {count} files; a clip takes 8 at most" in question.text
    assert f"Keyframe · 8 of {count}" in labels(question)[0]
    town.tap(question, "mode=keyframe")
    job = await town.job(await clip(town, parts[0]))

    assert (len(job.request.files), job.request.prompt) == (8, "many")


@pytest.mark.parametrize(
    ("caption", "count", "words"),
    [
        ("/keyframe too many", 9, "takes at most 8"),
        ("/i2v which one", 3, "takes at most 1"),
        ("/keyframe it grows --times 0 0.9 0.5", 3, "0.5 s cannot follow 0.9 s"),
    ],
)
async def test_a_command_with_an_album_that_does_not_fit_is_answered_in_a_sentence(
    town, caption: str, count: int, words: str
) -> None:
    album(town, range(10, 10 + 10 * count, 10), caption=caption)

    await town.says(words)
    assert town.executor.orders == []


async def test_a_form_that_waits_for_one_picture_does_not_take_one_of_three(town) -> None:
    await town.answer(town.say("/lipsync"))
    album(town, (20, 90, 150))

    await town.says("3 pictures are too many: Lipsync takes at most 1")


async def test_files_of_several_kinds_are_offered_for_what_they_complete(town) -> None:
    film = write_video(town.folder / "walk.mp4").read_bytes()
    drawing = write_png(town.folder / "drawing.png", shade=200).read_bytes()
    media = [
        *shades(town, (40,)),
        town.server.file("video", film, "video/mp4"),
        town.server.file("document", drawing, "image/png"),
    ]
    parts = send(town, media, caption="like this")
    question = await asked(town, parts)

    assert [label.rpartition(" · ")[0] for label in labels(question)] == [
        "Keyframe · 2 of 3",
        "Style · 2 of 3",
        "Image to video · 1 of 3",
        "Longer · 1 of 3",
    ]
    town.tap(question, "mode=style")
    job = await town.job(await clip(town, parts[0]))
    assert [file.kind for file in job.request.files] == ["video", "image"]


async def test_a_part_that_comes_late_joins_the_question_or_is_told_to_be_late(town) -> None:
    parts = album(town, (20, 90, 150))
    first = await asked(town, parts)
    group, (late,) = parts[0]["media_group_id"], shades(town, (220,))
    other = town.say(media_group_id=group, **late)
    question = await asked(town, [other])
    await town.world.until(lambda: first.deleted)
    town.tap(question, "mode=keyframe")
    assert len((await town.job(await clip(town, other))).request.files) == 4

    too_late = await town.answer(town.say(media_group_id=group, **late))
    assert "so long after the rest of the album" in too_late.text
    await town.quiet()
    assert len(town.executor.orders) == 1


async def test_words_that_are_edited_on_any_part_change_the_question_and_the_waiting_job(
    town, small: str
) -> None:
    town.executor.gate.clear()
    await town.answer(town.say(f"/t2v first {small}", BEN))
    await town.executor.started.wait()
    parts = album(town, FOUR)
    await asked(town, parts)
    town.world.edited(parts[2], caption="it grows")
    question = await asked(town, parts[2:3])
    town.tap(question, "mode=keyframe")
    cancels = lambda m: any("v1:cancel" in data for data in m.callback_data())  # noqa: E731
    await answer(town, parts[2:3], cancels)

    town.world.edited(parts[3], caption="it shrinks")

    async def changed() -> bool:
        return [job.request.prompt for job in await town.core.jobs.in_order()][-1] == "it shrinks"

    await eventually(changed, 20)
    town.executor.gate.set()
    job = await town.job(await clip(town, parts[2]))
    assert (job.request.prompt, len(job.request.files)) == ("it shrinks", 4)
    await town.quiet()
    assert [order.request.mode for order in town.executor.orders] == ["t2v", "keyframe"]


async def test_an_album_that_is_passed_on_is_asked_about_like_an_own_one(town) -> None:
    origin = {
        "type": "user",
        "sender_user": {"id": BEN, "is_bot": False, "first_name": "Ben"},
        "date": int(time.time()) - 86_400,
    }
    parts = album(town, FOUR, caption="Ben's garden", forward_origin=origin)
    question = await asked(town, parts)
    town.tap(question, "mode=keyframe")

    job = await town.job(await clip(town, parts[0]))
    assert (job.requester.user_id, job.request.prompt) == (str(ANN), "Ben's garden")


async def test_what_the_quota_refuses_leaves_the_question_for_a_cheaper_answer(town_with) -> None:
    async with town_with(quota_minutes=1 / 60_000) as town:
        parts = album(town, FOUR)
        question = await asked(town, parts)
        town.tap(question, "mode=keyframe")
        await town.says("GPU time")

        assert not question.deleted
        assert await town.core.jobs.in_order() == []
