"""What goes wrong on the way to Telegram, and what people see all the same."""

import asyncio
import re
import time

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots.telegram.front import FRONT
from core.demo.samples import write_png
from core.domain.jobs import JobState
from core.errors.setup import BadConfiguration
from core.testing.doubles import eventually
from tests.support.platforms.faults import Fault

ANN, BEN = 501, 502


async def outbox(town) -> dict:
    from sqlalchemy import text

    async with town.core.database.transaction() as connection:
        rows = await connection.execute(text("select * from outbox"))
        found = rows.one_or_none()
        return {"state": ""} if found is None else dict(found._mapping)


async def ask(town, small: str, **more):
    return await town.answer(town.say(f"/t2v a kite {small}", **more))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("editMessageMedia", drop=True, after_storing=True),
        Fault("editMessageMedia", drop=True),
        Fault("editMessageMedia", status=502),
        Fault("editMessageMedia", status=429, body={"parameters": {"retry_after": 1}}),
        Fault("editMessageMedia", status=500, after_storing=True),
        Fault("sendChatAction", status=500, times=-1),
        Fault("editMessageText", status=500, times=-1),
        Fault("editMessageMedia", status=401),
        Fault("editMessageText", status=401, times=-1),
    ],
    ids=[
        *("stored-then-cut", "cut", "502", "429", "500-after-storing", "action", "progress"),
        *("401", "401-progress"),
    ],
)
async def test_whatever_fails_on_the_way_it_is_one_video(town, small: str, fault: Fault) -> None:
    town.server.faults.add(fault)

    message = await ask(town, small)

    await town.world.until(lambda: message.video)
    await town.quiet()
    assert [m.id for m in town.world.with_video()] == [message.id]
    assert [m.id for m in town.world.shown()] == [message.id]


async def test_a_timeout_after_the_upload_was_stored_makes_no_second_video(
    town, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.outgoing.MEDIA_TIMEOUT_S", 0.5)
    town.server.faults.add(Fault("editMessageMedia", after_storing=True, delay_s=1.0))

    message = await ask(town, small)

    await town.world.until(lambda: message.video)
    await town.quiet()
    calls = [name for name, _ in town.world.calls]
    assert calls.count("editMessageMedia") == 2
    assert [m.id for m in town.world.shown()] == [message.id]


async def test_flood_control_of_thirty_seconds_is_scheduled_not_slept(town, small: str) -> None:
    fault = Fault("editMessageMedia", status=429, body={"parameters": {"retry_after": 30}})
    town.server.faults.add(fault)

    await ask(town, small)

    async def put_off() -> bool:
        row = await outbox(town)
        return row["state"] == "pending" and row["error"] == "throttled"

    await eventually(put_off)
    row = await outbox(town)
    assert 28_000 <= row["next_at_ms"] - row["began_at_ms"] <= 32_000
    other = await ask(town, small, user=BEN)  # nobody else waits
    await town.world.until(lambda: other.video)


async def test_an_answer_waits_as_long_as_telegram_asks(town, small: str) -> None:
    town.server.faults.add(
        Fault("sendMessage", status=429, body={"parameters": {"retry_after": 1}})
    )

    assert (await town.made(f"/t2v a kite {small}")).request.prompt == "a kite"


async def test_too_large_for_the_server_becomes_smaller_with_the_original_kept(
    town_with, small: str
) -> None:
    async with town_with(studio_url="https://studio.example/") as town:
        await _reduced(town, small)


async def _reduced(town, small: str) -> None:
    town.server.faults.add(
        Fault("editMessageMedia", status=413, body={"description": "Request Entity Too Large"})
    )
    limit = "bots.telegram.file_sizes.MIN_BYTES"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limit, 1)
        patch.setattr("bots.telegram.file_sizes.SHRINK_FACTOR", 0.9)
        message = await ask(town, small)
        await town.world.until(lambda: message.video)

    assert "Reduced from" in message.text
    job = await town.job(message)
    assert len(message.video) < job.clip.size_bytes
    address = await town.core.users.originals.address(job)
    assert address.startswith("https://studio.example/originals/")
    assert f"Original: {address}" in message.text


async def test_a_clip_that_no_size_fits_leads_to_the_private_chat(
    town, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.file_sizes.CLOUD_LIMIT", 1000)
    monkeypatch.setattr("bots.telegram.file_sizes.MIN_BYTES", 1)

    message = await ask(town, small)

    await town.world.until(lambda: "Fetch it with /history" in message.text)
    markup = message.payload["reply_markup"]["inline_keyboard"]
    assert markup[0][0]["url"].startswith("https://t.me/clapper_bot?start=job_")
    await eventually(lambda: _state(town, "dead"))


async def _state(town, state: str) -> bool:
    return (await outbox(town))["state"] == state


async def test_rights_taken_away_meanwhile_lead_to_the_private_chat(town, small: str) -> None:
    group = town.world.group()
    town.executor.gate.clear()
    message = await ask(town, small, chat=group)
    group.may_send_media = False
    town.executor.gate.set()

    await town.world.until(lambda: "Fetch it with /history" in message.text)
    await eventually(lambda: _state(town, "dead"))


NOWHERE = (
    "Bad Request: TOPIC_CLOSED",
    "Bad Request: CHAT_RESTRICTED",
    "Bad Request: VIDEO_CONTENT_TYPE_INVALID",
    "Bad Request: there is no media in the message to edit",
    "Bad Request: a sentence that nobody knows",
)


@pytest.mark.parametrize("sentence", NOWHERE)
async def test_a_refused_edit_becomes_a_new_message_and_nothing_stands_still(
    town, small: str, sentence: str
) -> None:
    group = town.world.group()
    town.executor.gate.clear()
    message = await ask(town, small, chat=group)
    await town.executor.started.wait()
    town.server.faults.add(Fault("editMessageMedia", status=400, body={"description": sentence}))
    town.executor.gate.set()

    shown = await town.world.until(lambda: next(iter(town.world.with_video()), None))
    await town.quiet()
    assert (shown.chat_id, shown.id != message.id) == (group.id, True)
    assert len(town.world.with_video()) == 1


@pytest.mark.parametrize("status", [400, 403])
async def test_a_chat_that_takes_nothing_any_more_leads_to_the_private_chat(
    town, small: str, status: int
) -> None:
    await town.answer(town.say("/start"))
    group = town.world.group()
    town.executor.gate.clear()
    message = await ask(town, small, chat=group)
    await town.executor.started.wait()
    if status == 403:
        group.blocked = True  # kicked
    else:
        group.may_send_media = False
    town.executor.gate.set()

    await town.world.until(lambda: town.world.with_video(ANN))
    await town.quiet()
    assert town.world.with_video(group.id) == []
    assert (await outbox(town))["state"] == "sent"
    if status == 400:
        assert "private chat" in message.text
        assert [m.id for m in town.world.shown(group.id)] == [message.id]


async def test_where_no_way_is_left_the_message_says_how_to_fetch_the_clip(
    town, small: str
) -> None:
    body = {"description": "Bad Request: VIDEO_CONTENT_TYPE_INVALID"}
    town.server.faults.add(Fault("editMessageMedia", status=400, times=-1, body=body))

    message = await ask(town, small)

    await town.world.until(lambda: "Fetch it with /history" in message.text)
    await eventually(lambda: _state(town, "dead"))
    assert [m.id for m in town.world.shown()] == [message.id]


@pytest.mark.parametrize("lacking", ["may_send_media", "members_may"])
async def test_missing_rights_in_a_group_are_told_before_any_work(
    town, small: str, lacking: str
) -> None:
    group = town.world.group()
    setattr(group, lacking, False)

    message = await ask(town, small, chat=group)

    assert "may not post videos" in message.text
    assert await town.core.jobs.in_order() == []
    assert await town.used() == 0


async def test_a_deleted_placeholder_is_replaced_by_a_new_one(town, small: str) -> None:
    town.executor.gate.clear()
    message = await ask(town, small)
    await town.executor.started.wait()
    message.deleted = True
    town.executor.gate.set()

    shown = await town.world.until(lambda: next(iter(town.world.with_video()), None))
    await town.quiet()
    assert shown.id != message.id
    assert len(town.world.shown()) == 1


async def test_a_topic_and_a_question_that_are_gone_do_not_stop_the_clip(town, small: str) -> None:
    group = town.world.group()
    group.topics = frozenset({33})
    town.executor.gate.clear()
    message = await ask(town, small, chat=group, message_thread_id=33, is_topic_message=True)
    await town.executor.started.wait()
    message.deleted = True
    group.topics = frozenset()
    town.executor.gate.set()

    shown = await town.world.until(lambda: next(iter(town.world.with_video()), None))
    assert "message_thread_id" not in shown.payload


async def test_a_group_that_moved_gets_its_clips_and_keeps_its_rules(town, small: str) -> None:
    group, new = town.world.group(-100, "group"), town.world.group(-200)
    town.say("/admin policy max_seconds 5", 900, group)
    await town.says("max_seconds")
    town.executor.gate.clear()
    await ask(town, small, chat=group)
    await town.executor.started.wait()
    group.moved_to = new.id
    town.executor.gate.set()

    await town.world.until(lambda: town.world.with_video(new.id))
    await town.quiet()
    assert len(town.world.with_video()) == 1
    community = town.core.community
    assert (await community.moderation.policy("telegram:-200")).max_seconds == 5
    job = await town.job(town.world.with_video()[0])
    assert job.reply_to.address["chat"] == "-200"


async def test_the_news_that_a_group_moved_takes_its_rules_along(town) -> None:
    group = town.world.group(-100, "group")
    town.say("/admin policy max_seconds 5", 900, group)
    await town.says("max_seconds")

    town.say(chat=group, migrate_to_chat_id=-300)

    async def moved() -> bool:
        return (await town.core.community.moderation.policy("telegram:-300")).max_seconds == 5

    await eventually(moved)


async def test_who_blocked_the_bot_can_fetch_the_clip_later(town, small: str) -> None:
    town.executor.gate.clear()
    await ask(town, small)
    await town.executor.started.wait()
    town.world.private(ANN).blocked = True
    town.executor.gate.set()
    await eventually(lambda: _state(town, "dead"))
    town.world.private(ANN).blocked = False
    page = await town.answer(town.say("/history"))

    town.tap(page, "v1:fetch:")

    await town.world.until(town.world.with_video)


async def test_not_modified_is_a_success_and_too_old_a_query_still_acts(town, small: str) -> None:
    shown = await town.clip(town.say(f"/t2v a kite {small}"))
    await town.quiet()
    town.server.faults.add(
        Fault(
            "answerCallbackQuery",
            status=400,
            body={"description": "Bad Request: query is too old and response timeout expired"},
        )
    )
    town.server.faults.add(
        Fault(
            "editMessageMedia",
            status=400,
            after_storing=True,
            body={"description": "Bad Request: message is not modified"},
        )
    )

    town.tap(shown, "v1:again:")

    await town.world.until(lambda: len(town.world.with_video()) == 2)
    await town.quiet()
    assert (await town.core.outbox.counts()).sent == 2


async def test_more_than_telegram_lets_bots_fetch_is_refused_before_download(town) -> None:
    media = town.media("video")
    media["video"]["file_size"] = 20_000_001

    answer = await town.answer(town.say(caption="/style", **media))

    assert "20.0 MB" in answer.text
    assert "local Bot API server" in answer.text
    assert "getFile" not in [name for name, _ in town.world.calls]


async def test_a_file_larger_than_it_said_is_refused_too(town) -> None:
    town.world.download_limit = 10
    media = town.media("image")

    assert "local Bot API" in (await town.answer(town.say(caption="/i2v", **media))).text


@pytest.mark.parametrize("fault", [Fault("getFile", drop=True), Fault("file", status=404)])
async def test_a_download_that_fails_is_told(town, fault: Fault) -> None:
    town.server.faults.add(fault)

    answer = await town.answer(town.say(caption="/i2v", **town.media("image")))

    assert "could not be read" in answer.text


async def test_bytes_that_lie_about_their_kind_are_refused(town) -> None:
    media = town.server.file("document", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png")

    assert "PNG" in (await town.answer(town.say(caption="/i2v", **media))).text


async def test_conflict_is_explained(town, small: str) -> None:
    town.server.faults.add(
        Fault("getUpdates", status=409, body={"description": "Conflict: terminated by other"})
    )
    with capture_logs() as logs:
        town.say("/help")
        await town.says("I make videos", ANN)

    told = [entry["fix"] for entry in logs if entry["event"] == "telegram_conflict"]
    assert told
    assert "only one may run" in told[0]


async def test_a_refused_token_is_told(town_with) -> None:
    town = town_with(telegram_token=SecretStr("1:other"))

    with pytest.raises(BadConfiguration, match="TELEGRAM_TOKEN"):
        await town.start()
    await town.stop()


async def test_a_token_that_is_revoked_while_it_serves_ends_the_front(town, small: str) -> None:
    await town.made(f"/t2v a kite {small}")
    town.server.token = "1:another"  # of no bot

    with pytest.raises(BadConfiguration, match="TELEGRAM_TOKEN"):
        await town.ended()


async def test_a_token_that_is_refused_once_by_a_server_in_trouble_goes_on(town) -> None:
    refused = town.server.faults.add(Fault("getUpdates", status=401, times=2))
    await town.answer(town.say("/help"))
    await town.world.until(lambda: refused.times == 0)

    assert await town.answer(town.say("/help"))


async def test_a_telegram_that_is_away_at_the_start_is_waited_for(
    town_with, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.front.FIRST_WAIT_S", 0.01)
    town = town_with()
    town.server.faults.add(Fault("getMe", status=502, times=3))
    town.server.faults.add(Fault("deleteWebhook", status=502, times=1))

    async with town:
        assert await town.made(f"/t2v a kite {small}")


async def test_a_local_server_reads_and_writes_files_without_the_clouds_limits(
    town_with, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.file_sizes.CLOUD_LIMIT", 1000)
    town = town_with(telegram_local=True)
    folder = town.folder / "server"
    folder.mkdir()
    town.world.folder = folder
    town.world.download_limit = 10
    async with town:
        picture = town.server.photo(write_png(town.folder / "p.png").read_bytes())
        said = town.say(caption=f"/i2v it blinks {small}", **picture)
        shown = await town.clip(said)
        job = await town.job(shown)

        media = next(data for name, data in town.world.calls if name == "editMessageMedia")
        assert media["media"]["media"] == job.clip.path.as_uri()
        assert shown.files["thumbnail"][:2] == b"\xff\xd8"
        assert not [path for path in folder.iterdir() if not path.is_file()]


@pytest.mark.parametrize(("secret", "status"), [("right-secret", 200), ("wrong", 401), ("", 401)])
async def test_webhooks_need_the_secret(town_with, small: str, secret: str, status: int) -> None:
    import aiohttp

    port = _free_port()
    town = town_with(
        telegram_webhook_url="https://example.org/telegram",
        telegram_webhook_secret=SecretStr("right-secret"),
        telegram_webhook_port=port,
    )
    async with town, aiohttp.ClientSession() as session:
        assert town.world.webhook["secret_token"] == "right-secret"
        said = town.say(f"/t2v a kite {small}")
        update = town.world.updates[-1]
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        for _ in range(2):  # Telegram repeats what it is not sure of
            url = f"http://127.0.0.1:{port}/telegram"
            async with session.post(url, json=update, headers=headers) as response:
                assert response.status == status
        if status == 200:
            await town.clip(said)
        await town.quiet()
        assert len(town.world.with_video()) == (status == 200)
        assert "getUpdates" not in [name for name, _ in town.world.calls]


async def test_a_server_without_countdowns_shows_clock_times(town, small: str) -> None:
    town.world.counts_down = False
    town.executor.gate.clear()
    running = await ask(town, small)
    await town.world.until(lambda: "first pass" in running.text)
    refused = sum("<tg-time" in str(data.get("text")) for _, data in town.world.calls)

    waiting = await ask(town, small, user=BEN)
    line = await town.answer(town.say("/queue"))

    for message in (running, waiting, line):
        assert re.search(r"ready 20\d\d-\d\d-\d\d \d\d:\d\d UTC", message.text)
    assert refused == 1  # the first refusal is enough


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


async def test_a_webhook_without_a_secret_is_refused(town_with) -> None:
    town = town_with(telegram_webhook_url="https://example.org/telegram")

    with pytest.raises(BadConfiguration, match="SECRET"):
        await town.start()
    await town.stop()


async def test_without_a_token_the_front_stays_away(core) -> None:
    assert not FRONT.configured(core.settings)


async def test_progress_keeps_the_budget_of_a_group(town_with, small: str) -> None:
    town = town_with(telegram_group_edit_s=0.4, progress_every_s=0.02)
    async with town:
        group = town.world.group()
        town.executor.gate.clear()
        for user in range(601, 605):
            await ask(town, small, chat=group, user=user)
        await town.executor.started.wait()
        before, began = len(town.world.calls), time.monotonic()
        job = await town.in_state(JobState.RUNNING)
        from core.domain.progress import Stage, Working

        step, edits = 0, 0
        while edits < 5:
            step += 1
            town.core.hub.publish(job.id, Working(Stage.STAGE1, step, 1000, step / 1000))
            await asyncio.sleep(0.02)
            edits = [name for name, _ in town.world.calls[before:]].count("editMessageText")
        took = time.monotonic() - began
        town.executor.gate.set()
        await town.quiet()

    assert edits <= took / 0.4 + 2
