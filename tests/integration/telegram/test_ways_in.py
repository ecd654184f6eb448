"""Every natural way to ask, through the real client, to the uploaded video."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import text

from core.demo.samples import write_png, write_video, write_wav
from core.domain.jobs import JobState
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode, ModeSpec
from core.domain.people import Requester
from core.domain.request_builder import compose
from core.domain.requests import Composition
from core.i18n.option_words import mode_summary
from tests.support.platforms.faults import Fault

ANN, BEN = 501, 502


def document(town, path, mime: str) -> dict:
    return town.server.file("document", path.read_bytes(), mime)


def as_reply(town, media: dict, user: int = BEN, chat=None) -> dict:
    """A message of somebody, as it stands inside the reply to it."""
    sender = {"id": user, "is_bot": False, "first_name": "x"}
    chat = (chat or town.world.private(ANN)).payload()
    return {"message_id": town.world.next_id(), "date": 1, "chat": chat, "from": sender, **media}


async def test_a_command_with_a_prompt_ends_in_a_video_with_everything_telegram_needs(
    town, small: str
) -> None:
    said = town.say(f"/t2v a red kite over the sea {small} --seed 77")

    shown = await town.clip(said)

    job = await town.job(shown)
    assert job.request.prompt == "a red kite over the sea"
    assert job.request.sampling.seed == 77
    assert job.requester.user_id == str(ANN)
    assert len(town.world.with_video()) == 1
    assert shown.method == "editMessageMedia"
    assert shown.payload["supports_streaming"] is True
    assert (shown.payload["width"], shown.payload["height"]) == (256, 256)
    assert shown.payload["duration"] >= 1
    assert shown.files["thumbnail"][:2] == b"\xff\xd8"
    assert shown.files["cover"][:2] == b"\xff\xd8"
    assert len(shown.files["thumbnail"]) < 200_000
    assert "seed 77" in shown.text
    assert "GPU time" in shown.text
    assert len(shown.text) <= 1024
    assert ("sendChatAction", "upload_video") in [
        (method, data.get("action")) for method, data in town.world.calls
    ]


@pytest.mark.parametrize("kind", ["photo", "document"])
async def test_a_picture_with_a_caption_command_comes_to_life(town, small: str, kind: str) -> None:
    picture = write_png(town.folder / "cat.png")
    media = town.media("image") if kind == "photo" else document(town, picture, "image/png")

    job = await town.made(caption=f"/i2v it blinks {small}", **media)

    assert (job.request.mode, job.request.prompt) == ("i2v", "it blinks")
    assert (
        job.request.media()["image"].width == 128
    )  # the largest size of a photo, not its thumbnail


async def test_a_picture_with_a_command_of_words_alone_is_not_passed_over(town, small: str) -> None:
    said = await town.answer(town.say(caption=f"/t2v a boat {small}", **town.media("image")))

    assert "would not use your file" in said.text
    assert not town.executor.orders


async def test_a_command_in_reply_to_a_picture_uses_it(town, small: str) -> None:
    replied = as_reply(town, town.media("image"))

    job = await town.made(f"/i2v it blinks {small}", reply_to_message=replied)

    assert job.request.mode == "i2v"
    assert job.requester.user_id == str(ANN)


@pytest.mark.parametrize("kind", ["voice", "audio", "document"])
async def test_sounds_of_every_kind_make_pictures(town, small: str, kind: str) -> None:
    content = write_wav(town.folder / "song.wav").read_bytes()
    media = town.server.file(kind, content, "audio/wav")

    job = await town.made(caption=f"/a2v rain {small}", **media)

    assert job.request.mode == "a2v"


@pytest.mark.parametrize("kind", ["video", "animation", "video_note", "document"])
async def test_videos_of_every_kind_are_restyled(town, small: str, kind: str) -> None:
    content = write_video(town.folder / "walk.mp4").read_bytes()
    replied = as_reply(town, town.server.file(kind, content, "video/mp4"))

    job = await town.made(
        caption=f"/style {small}", reply_to_message=replied, **town.media("image")
    )

    assert job.request.mode == "style"


async def test_a_photo_and_then_a_voice_message_is_lipsync(town) -> None:
    town.say(**town.media("image"))
    await town.says("What shall I make of it?")

    town.say(**town.media("audio"))
    await town.executor.started.wait()

    assert town.executor.orders[0].request.mode == "lipsync"


async def test_a_photo_and_a_voice_message_at_once_are_kept_in_order(town) -> None:
    town.server.faults.add(Fault("getFile", delay_s=0.2))
    town.say(**town.media("image"))
    town.say(**town.media("audio"))
    await town.executor.started.wait()

    assert [order.request.mode for order in town.executor.orders] == ["lipsync"]


async def test_a_video_and_then_a_photo_is_style(town) -> None:
    town.say(**town.media("video"))
    await town.says("What shall I make of it?")

    town.say(**town.media("image"))
    await town.executor.started.wait()

    assert town.executor.orders[0].request.mode == "style"


async def test_a_picture_without_words_is_asked_about_and_its_button_makes_a_video(town) -> None:
    asked = await town.answer(town.say(**town.media("image")))
    assert [data.split(":")[1] for data in asked.callback_data()] == [
        f"mode={mode}" for mode, spec in MODES.items() if spec.roles(MediaKind.IMAGE)
    ]

    town.tap(asked, "mode=i2v")
    await town.executor.started.wait()

    assert town.executor.orders[0].request.mode == "i2v"


async def test_a_picture_with_words_and_words_alone_become_a_clip_at_once(town) -> None:
    await town.clip(town.say(**town.media("image"), caption="it blinks"))
    await town.clip(town.say("a red kite"))

    made = [(order.request.mode, order.request.prompt) for order in town.executor.orders]
    assert made == [("i2v", "it blinks"), ("t2v", "a red kite")]


async def test_what_was_guessed_is_changed_by_a_button(town) -> None:
    town.executor.gate.clear()
    await town.answer(town.say("/t2v a first one", BEN))
    await town.executor.started.wait()
    guessed = await town.answer(town.say(**town.media("image"), caption="it blinks"))
    button = await town.world.until(
        lambda: next((d for d in guessed.callback_data() if "rather=keyframe" in d), None)
    )

    town.tap(guessed, button)
    await town.says("a last image", ANN)
    town.executor.gate.set()
    job = await town.made(**town.media("image"))

    assert (job.request.mode, job.request.prompt) == ("keyframe", "it blinks")
    assert len(town.executor.orders) == 2


async def test_a_notice_of_telegram_gets_no_answer(town) -> None:
    before = len(town.world.shown())
    pinned = town.say(pinned_message=as_reply(town, {"text": "hello"}))
    await town.answer(town.say("/help"))

    assert len(town.world.shown()) == before + 1
    assert pinned


async def test_what_is_no_option_stays_in_the_prompt_and_is_named(town) -> None:
    town.executor.gate.clear()
    answer = await town.answer(town.say("/t2v dice: —Hola, amigo— --wings 2"))
    await town.world.until(lambda: "--wings" in "".join(answer.states))
    await town.executor.started.wait()

    assert town.executor.orders[0].request.prompt == "dice: —Hola, amigo— --wings 2"


async def test_an_aspect_and_a_preset_that_are_typed_into_edit_change_the_clip(town) -> None:
    clip = await town.clip(town.say("/t2v a cat --size 832x448 --preset fast --seconds 1 --fps 8"))
    town.tap(clip, "v1:edit:")
    await town.says("What should happen", ANN)

    job = await town.made("a cat --aspect 9:16 --preset balanced")

    assert job.request.sampling.preset == "balanced"
    assert job.request.sampling.height > job.request.sampling.width


async def test_a_veiled_clip_stays_veiled_in_what_is_made_of_it(town, small: str) -> None:
    clip = await town.clip(town.say(f"/t2v a kite {small} --spoiler"))
    assert clip.payload["has_spoiler"]
    town.tap(clip, "v1:again:")
    await town.world.until(lambda: len(town.world.with_video()) == 2)

    assert all(message.payload["has_spoiler"] for message in town.world.with_video())


async def test_a_button_that_is_pressed_twice_in_a_row_is_one_job(town, small: str) -> None:
    clip = await town.clip(town.say(f"/t2v a kite {small}"))
    for _ in range(2):
        town.tap(clip, "v1:again:")
    await town.world.until(lambda: len(town.world.with_video()) == 2)
    await town.quiet()

    assert len(town.executor.orders) == 2


async def test_delete_takes_every_copy_of_a_clip(town, small: str) -> None:
    clip = await town.clip(town.say(f"/t2v a kite {small}"))
    page = await town.answer(town.say("/history"))
    town.tap(page, "v1:fetch:")
    await town.world.until(lambda: len(town.world.with_video()) == 2)

    town.tap(clip, "v1:delete:")

    await town.world.until(lambda: not town.world.with_video())


async def test_the_form_asks_for_what_is_missing_and_survives_a_restart(town, small: str) -> None:
    asked = await town.answer(town.say(f"/lipsync {small}"))
    assert "picture" in asked.text
    assert asked.payload["reply_markup"]["force_reply"] is True
    town.say(**town.media("image"))
    await town.says("voice message")
    await town.stop()
    await town.start()

    job = await town.made(**town.media("audio"))

    assert job.request.mode == "lipsync"
    assert job.request.sampling.size.width == 256


async def test_a_prompt_may_come_later_and_with_options(town, small: str) -> None:
    asked = await town.answer(town.say("/t2v"))
    assert "What should happen" in asked.text

    job = await town.made(f"a red kite {small} --seed 5")

    assert (job.request.prompt, job.request.sampling.seed) == ("a red kite", 5)


async def test_drop_forgets_what_was_begun(town) -> None:
    await town.answer(town.say("/t2v"))

    assert "Dropped" in (await town.answer(town.say("/drop"))).text
    assert "nothing begun" in (await town.answer(town.say("/drop"))).text


async def test_ten_people_in_one_group_fill_their_own_forms_across_a_restart(
    town, small: str
) -> None:
    group, people = town.world.group(), range(601, 611)
    asked = {
        user: await town.answer(town.say(f"/lipsync from {user} {small}", user, group))
        for user in people
    }
    for kind in ("image", "audio"):
        for user in people:
            content = {
                "image": lambda n: write_png(town.folder / "x.png", shade=n % 250),
                "audio": lambda n: write_wav(town.folder / "x.wav", pitch=n),
            }[kind](user).read_bytes()
            media = (
                town.server.photo(content)
                if kind == "image"
                else town.server.file("voice", content, "audio/ogg")
            )
            question = town.server.api.payload(asked[user])
            said = town.say(user=user, chat=group, reply_to_message=question, **media)
            if kind == "image":
                asked[user] = await town.answer(said)
        if kind == "image":
            await town.stop()
            await town.start()
    await town.world.until(lambda: len(town.world.with_video()) == 10, 60)

    jobs = [await town.job(message) for message in town.world.with_video()]
    assert {(job.requester.user_id, job.request.prompt) for job in jobs} == {
        (str(user), f"from {user}") for user in people
    }
    assert len({job.request.media()["image"].sha256 for job in jobs}) == 10
    assert len({job.request.media()["audio"].sha256 for job in jobs}) == 10


async def test_groups_hear_commands_and_answers_only(town, small: str) -> None:
    group = town.world.group()
    question = await town.answer(town.say("/i2v", ANN, group))
    before = len(town.world.shown())
    town.say("just talking", ANN, group)
    town.say("/t2v@other_bot a kite", ANN, group)
    reply = town.server.api.payload(question)
    town.say("not my question", BEN, group, reply_to_message=reply)

    job = await town.made(
        user=ANN, chat=group, reply_to_message=reply, caption=small, **town.media("image")
    )

    assert job.request.mode == "i2v"
    assert len(town.world.shown()) == before + 1


async def test_answers_stay_in_their_topic(town, small: str) -> None:
    group = town.world.group()
    group.topics = frozenset({33})

    said = town.say(
        f"/t2v@clapper_bot a kite {small}",
        chat=group,
        message_thread_id=33,
        is_topic_message=True,
    )

    shown = await town.clip(said)
    assert int(shown.payload["message_thread_id"]) == 33


async def test_anonymous_administrators_are_asked_to_write_as_themselves(town) -> None:
    group = town.world.group()

    said = town.say("/t2v a kite", 1087968824, group, sender_chat=group.payload())

    assert "who you are" in (await town.answer(said)).text
    assert await town.core.jobs.in_order() == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("--preset nice", "nice"),
        ("--seed -4", "“-4” is no seed"),
        ("--seconds nine", "“nine” is no number for Length"),
        ("--size big", "big"),
        ("--seconds 90", "between 1 and 20 s"),
        ("--sead 2", "Did you mean --seed"),
    ],
)
async def test_options_that_cannot_work_are_refused_with_the_limit(
    town, typed: str, words: str
) -> None:
    answer = await town.answer(town.say(f"/t2v a kite {typed}"))

    assert words in answer.text
    assert await town.core.jobs.in_order() == []


async def test_dashes_of_phones_and_the_times_sign_are_understood(town) -> None:
    job = await town.made("/t2v a kite —size 256×320 —seconds 1 —fps 8 —preset FAST")

    assert str(job.request.sampling.size) == "256×320"
    assert job.request.sampling.preset == "fast"


async def test_the_keyboard_under_the_acknowledgement_changes_the_waiting_job(
    town, small: str
) -> None:
    town.executor.gate.clear()
    await town.answer(town.say(f"/t2v first {small}", BEN))
    await town.executor.started.wait()
    said = town.say(f"/t2v a kite {small} --seed 9")
    message = await town.answer(said)
    for option, value in (("seconds", "3"), ("aspect", "9:16"), ("preset", "balanced")):
        old = await town.world.until(
            lambda option=option, value=value: next(
                (d for d in message.callback_data() if f"{option}={value}:" in d), None
            )
        )
        town.tap(message, f"{option}={value}:")
        await town.world.until(lambda old=old: old not in message.callback_data())
        await town.world.until(lambda: any("seconds=" in d for d in message.callback_data()))
    town.executor.gate.set()
    await town.world.until(lambda: message.video)

    job = await town.job(message)
    assert job.request.sampling.seed == 9
    assert job.request.sampling.preset == "balanced"
    assert job.request.sampling.size.ratio < 0.7
    assert job.request.sampling.seconds == pytest.approx(3, abs=0.4)
    await town.quiet()
    assert len(town.world.with_video()) == 2
    assert len(list(town.world.shown(ANN))) == 1


async def test_a_request_is_composed_once(
    town, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed: list[Composition] = []

    def counted(*args, **more) -> Composition:
        composed.append(compose(*args, **more))
        return composed[-1]

    monkeypatch.setattr("core.service.preview.compose", counted)
    job = await town.made(f"/t2v a kite {small}")

    assert [composition.request for composition in composed] == [job.request]


@pytest.mark.parametrize("closed", ["paused", "draining", "stopping", "disk", "block", "rule"])
async def test_a_refused_change_leaves_the_waiting_job_and_its_message_alone(
    town, small: str, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.executor.gate.clear()
    await town.answer(town.say(f"/t2v first {small}", BEN))
    await town.executor.started.wait()
    message = await town.answer(town.say(f"/t2v a kite {small}"))
    await town.world.until(lambda: any("seconds=3:" in d for d in message.callback_data()))
    core = town.core
    job = (await core.jobs.in_order())[-1]
    community = core.community
    operator = Requester("cli", "operator")
    match closed:
        case "paused" | "draining":
            await core.intake.set_intake(closed)
        case "stopping":
            core.submission.close(closed=True)
        case "disk":
            monkeypatch.setattr(core.admission, "has_room", lambda *_: False)
        case "block":
            await community.moderation.block(operator, job.requester, "")
        case _:
            place = f"telegram:{town.world.private(ANN).id}"
            await community.moderation.set_rule(operator, place, "max_seconds", "2")

    before = len(list(town.world.shown(ANN)))
    town.tap(message, "seconds=3:")
    await town.world.until(lambda: len(list(town.world.shown(ANN))) > before)

    assert (await core.jobs.get(job.id)).state.waiting
    assert any("seconds=3:" in d for d in message.callback_data())
    core.submission.close(closed=False)
    await core.intake.set_intake("open")
    town.executor.gate.set()
    await town.world.until(lambda: message.video)
    assert (await town.job(message)).id == job.id


async def test_a_running_job_is_not_changed(town, small: str) -> None:
    town.executor.gate.clear()
    message = await town.answer(town.say(f"/t2v a kite {small}"))
    job = await town.in_state(JobState.RUNNING)
    town.server.press(ANN, town.world.private(ANN), message.id, f"v1:seconds=3:{job.id}")

    await town.says("already running")


async def test_status_shows_the_place_in_line_and_then_progress(town, small: str) -> None:
    town.executor.gate.clear()
    running = await town.answer(town.say(f"/t2v a kite {small}"))
    await town.executor.started.wait()
    waiting = await town.answer(town.say(f"/t2v a kite {small}", BEN))

    await town.world.until(lambda: "first pass" in running.text)
    await town.world.until(lambda: "next in line" in waiting.text)
    assert "<tg-time" in running.text


async def test_commands_are_set_for_every_language_and_need_no_more_rights(town) -> None:
    names = [command["command"] for command in town.world.commands[""]]

    assert names[: len(MODES)] == list(MODES)
    assert {"queue", "cancel", "history", "again", "quota", "forget", "help", "start"} <= set(names)
    german = {command["command"]: command["description"] for command in town.world.commands["de"]}
    english = {command["command"]: command["description"] for command in town.world.commands[""]}
    assert list(german) == names
    assert all(german[name] != english[name] for name in names)
    for mode in MODES:
        assert (english[mode], german[mode]) == (mode_summary(mode), mode_summary(mode, "de"))


async def test_inline_offers_a_command_and_help(town, monkeypatch) -> None:
    async def offered(typed: str) -> list[dict[str, Any]]:
        number = f"i{len(town.world.answers)}"
        asking = {"id": ANN, "is_bot": False, "first_name": "x", "language_code": "en"}
        town.world.push(inline_query={"id": number, "from": asking, "query": typed, "offset": ""})
        await town.world.until(lambda: number in town.world.answers)
        results = town.world.answers[number]["results"]
        return json.loads(results) if isinstance(results, str) else results

    def content(result: dict[str, Any]) -> str:
        return result["input_message_content"]["message_text"]

    assert [content(result) for result in await offered("a red kite")] == ["/t2v a red kite"]
    assert "/lipsync" in content((await offered(""))[0])
    monkeypatch.setitem(MODES, Mode.A2V, ModeSpec(Mode.A2V))  # needs no file either
    both = await offered("a red kite")
    assert [content(result) for result in both] == ["/t2v a red kite", "/a2v a red kite"]
    assert [result["title"] for result in both] == [mode_summary(Mode.T2V), mode_summary(Mode.A2V)]


async def test_something_that_is_no_media_is_answered_with_help(town) -> None:
    said = town.say(dice={"emoji": "🎲", "value": 3})

    assert "/help" in (await town.answer(said)).text
    assert "/help" in (await town.answer(town.say("/what"))).text


async def test_a_lost_placeholder_answer_still_ends_in_one_video(town, small: str) -> None:
    town.server.faults.add(Fault("sendMessage", drop=True))

    town.say(f"/t2v a kite {small}")

    await town.world.until(town.world.with_video)
    await town.quiet()
    await asyncio.sleep(0)
    assert len(town.world.with_video()) == 1


@pytest.mark.parametrize("words", ["/drop", "a red kite"])
async def test_a_draft_of_another_version_is_dropped_with_a_sentence_and_the_chat_goes_on(
    town, words: str
) -> None:
    await town.answer(town.say("/i2v it moves"))
    async with town.core.database.transaction() as connection:
        await connection.execute(
            text("UPDATE memory SET value = replace(value, '\"i2v\"', '\"hologram\"')")
        )

    assert "another version" in (await town.answer(town.say(words))).text
    assert "nothing begun" in (await town.answer(town.say("/drop"))).text
