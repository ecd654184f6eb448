"""Messages that were edited, words that answer a file, and the bot's name in front of words."""

import pytest

ANN, BEN = 501, 502
pytestmark = pytest.mark.sqlite


async def busy(town, small: str) -> None:
    town.executor.gate.clear()
    await town.answer(town.say(f"/t2v first {small}", BEN))
    await town.executor.started.wait()


async def test_a_waiting_job_becomes_what_its_message_says_now(town, small: str) -> None:
    await busy(town, small)
    said = town.say(f"/t2v a read kite {small} --seed 5")
    message = await town.answer(said)
    (old, *_) = await town.world.until(message.callback_data)
    town.world.edited(said, text=f"/t2v a red kite {small} --seed 5")
    await town.world.until(lambda: message.callback_data() and old not in message.callback_data())
    town.executor.gate.set()
    await town.quiet()

    clip = await town.clip(said)
    assert clip.id == message.id
    assert (await town.job(clip)).request.prompt == "a red kite"
    assert len(town.world.shown(ANN)) == 1


async def test_an_edit_that_changes_nothing_changes_nothing(town, small: str) -> None:
    await busy(town, small)
    said = town.say(f"/t2v a kite {small}")
    message = await town.answer(said)
    await town.world.until(message.callback_data)
    job = (await town.core.jobs.in_order())[-1]
    town.world.edited(said, text=f"/t2v  a kite {small}")
    await town.answer(town.say("/help"))

    assert (await town.core.jobs.get(job.id)).state.waiting


async def test_a_running_job_is_made_as_it_was_and_that_is_said(town, small: str) -> None:
    town.executor.gate.clear()
    said = town.say(f"/t2v a kite {small}")
    message = await town.answer(said)
    await town.executor.started.wait()
    town.world.edited(said, text=f"/t2v a boat {small}")
    await town.says("Send your words anew")
    town.executor.gate.set()
    await town.world.until(lambda: message.video)

    assert (await town.job(message)).request.prompt == "a kite"
    town.world.edited(said, text=f"/t2v a ship {small}")
    await town.answer(town.say("/help"))
    assert len(town.world.with_video()) == 1


async def test_a_refused_request_that_is_mended_is_made(town, small: str) -> None:
    said = town.say(f"/t2v a kite --sead 2 {small}")
    assert "Did you mean" in (await town.answer(said)).text
    town.world.edited(said, text=f"/t2v a kite --seed 2 {small}")
    clip = await town.world.until(lambda: next(iter(town.world.with_video()), None))

    assert (await town.job(clip)).request.sampling.seed == 2


async def test_old_messages_and_other_commands_start_nothing(town, small: str) -> None:
    said = town.say("/drop")
    await town.answer(said)
    town.world.edited(said, text="/forget")
    town.world.edited({**said, "date": said["date"] - 3600}, text=f"/t2v a kite {small}")
    group = town.world.group()
    chatter = town.say("hello all", ANN, group)
    town.world.edited(chatter, text="hello everybody")
    await town.answer(town.say("/help"))

    assert await town.core.jobs.in_order() == []
    assert not [m for m in town.world.shown() if "for good" in m.text]


async def test_words_added_to_a_photo_later_bring_it_to_life(town, small: str) -> None:
    said = town.say(**town.media("image"))
    await town.says("What shall I make")
    town.world.edited(said, caption=f"it blinks {small}")
    clip = await town.world.until(lambda: next(iter(town.world.with_video()), None))

    job = await town.job(clip)
    assert (job.request.mode, job.request.prompt) == ("i2v", "it blinks")


async def test_words_that_answer_a_photo_are_about_it(town, small: str) -> None:
    photo = town.say(**town.media("image"))
    await town.says("What shall I make")
    await town.answer(town.say("/drop"))

    job = await town.made(f"it blinks {small}", reply_to_message=photo)

    assert (job.request.mode, job.request.prompt) == ("i2v", "it blinks")


async def test_in_a_group_words_behind_the_bots_name_become_a_clip(town, small: str) -> None:
    group = town.world.group()
    job = await town.made(f"@clapper_bot, a red kite {small}", chat=group)
    assert (job.request.mode, job.request.prompt) == ("t2v", "a red kite")
    photo = town.say(chat=group, **town.media("image"))
    job = await town.made(f"@Clapper_Bot it blinks {small}", chat=group, reply_to_message=photo)
    assert (job.request.mode, job.request.prompt) == ("i2v", "it blinks")
    assert "/help" in (await town.answer(town.say("@clapper_bot", ANN, group))).text
    before = len(town.world.shown())
    town.say("have you tried @clapper_bot?", ANN, group)
    town.say("@clapper_bots a kite", ANN, group)
    await town.answer(town.say("/help", ANN, group))  # after those: one after another in a chat

    assert len(town.world.shown()) == before + 1


async def test_what_an_edit_hides_is_hidden_though_the_clip_stays_the_same(
    town, small: str
) -> None:
    group = town.world.group()
    await town.answer(town.say("/start"))  # nobody can be written to before
    town.executor.gate.clear()
    said = town.say(f"/t2v a kite {small}", chat=group)
    await town.answer(said)
    await town.executor.started.wait()
    town.world.edited(said, text=f"/t2v a kite {small} --spoiler --private")
    await town.says("comes in our private chat", group.id)
    town.executor.gate.set()
    (clip,) = await town.world.until(town.world.with_video)

    assert (clip.chat_id, clip.payload["has_spoiler"]) == (ANN, True)
    assert not town.world.with_video(group.id)


async def test_another_command_takes_the_place_of_the_first_while_that_waits(
    town, small: str
) -> None:
    await busy(town, small)
    photo = town.media("image")
    said = town.say(caption=f"/style {small}", **photo)
    await town.says("Please send a video")
    town.world.edited(said, caption=f"/i2v it blinks {small}")
    await town.world.until(lambda: [m for m in town.world.shown(ANN) if m.callback_data()])
    town.world.edited(said, caption=f"/keyframe it blinks {small}")
    await town.says("Cancelled", ANN)
    town.executor.gate.set()

    await town.quiet()
    assert [m.chat_id for m in town.world.with_video()] == [BEN]
