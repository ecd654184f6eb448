"""``clapper doctor`` asks the real library what Telegram says."""

import asyncio
import socket

import pytest
from pydantic import SecretStr
from telegram.error import Conflict

from bots.telegram.checks import open_bot
from bots.telegram.front import FRONT
from tests.support.platforms.telegram.world import BOT


async def test_all_is_well(telegram_settings) -> None:
    (check,) = await FRONT.examine(telegram_settings)

    assert check.health == "good"
    assert "@" in check.detail


async def test_a_refused_token_is_bad_and_not_repeated(telegram_server, telegram_settings) -> None:
    telegram_server.token = "1:another"
    (check,) = await FRONT.examine(telegram_settings)

    assert check.health == "bad"
    assert "CLAPPER_TELEGRAM_TOKEN" in check.fix
    assert telegram_settings.telegram.token.get_secret_value() not in f"{check}"


@pytest.mark.parametrize(
    "token", ["x", "swordfish", "12:short", "123456789:" + "a" * 20 + " ", "bot123:" + "a" * 35]
)
async def test_a_text_that_is_no_token_is_told_without_asking(settings_with, token: str) -> None:
    settings = settings_with(telegram_token=SecretStr(token), telegram_api_url="")
    (check,) = FRONT.check(settings)

    assert await FRONT.examine(settings) == []
    assert check.health == "bad"
    assert token not in f"{check.detail}{check.fix}" or len(token) < 3


@pytest.mark.parametrize("silent", [False, True], ids=["nobody there", "no answer"])
async def test_an_unreachable_telegram_is_told_as_such(
    settings_with, telegram_settings, silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.checks.TIMEOUT_S", 0.5)
    with socket.socket() as waiting:  # takes connections, and nobody reads from them
        waiting.bind(("127.0.0.1", 0))
        waiting.listen()
        port = waiting.getsockname()[1] if silent else 9
        settings = settings_with(
            telegram_token=telegram_settings.telegram.token,
            telegram_api_url=f"http://127.0.0.1:{port}",
        )
        async with asyncio.timeout(120):
            (check,) = await FRONT.examine(settings)

    assert check.health == "bad"
    assert "CLAPPER_TELEGRAM_API_URL" in check.fix


async def test_what_went_wrong_with_the_webhook_is_told(
    telegram_server, telegram_settings, settings_with
) -> None:
    telegram_server.api.webhook_error = "SSL error {certificate}"
    settings = settings_with(
        telegram_token=telegram_settings.telegram.token,
        telegram_api_url=telegram_server.url,
        telegram_webhook_url="https://bot.example/hook",
    )
    first, second = await FRONT.examine(settings)

    assert (first.health, second.health) == ("good", "note")
    assert "SSL error" in second.detail


async def poll_for_ever(settings) -> None:
    """Another program with the same token, as libraries are: who is ended asks again."""
    token = settings.telegram.token.get_secret_value()
    async with open_bot(settings, token) as bot:
        while True:
            try:
                found = await bot.get_updates(timeout=5, read_timeout=10)
                if found:
                    await bot.get_updates(offset=found[-1].update_id + 1, timeout=0)
            except Conflict:
                await asyncio.sleep(0.2)


async def test_another_process_that_polls_is_found(telegram_server, telegram_settings) -> None:
    rival = asyncio.create_task(poll_for_ever(telegram_settings))
    await telegram_server.world.changed()
    try:
        (check,) = await FRONT.look_for_polling_conflicts(telegram_settings)
    finally:
        rival.cancel()
        await asyncio.wait({rival})

    assert check.health == "bad"
    assert "token" in check.detail


@pytest.mark.parametrize("waiting", [False, True], ids=["nothing", "a message"])
async def test_without_another_process_nothing_is_said_and_nothing_taken(
    telegram_server, telegram_settings, monkeypatch: pytest.MonkeyPatch, waiting: bool
) -> None:
    monkeypatch.setattr("bots.telegram.polling_conflicts.PROBE_S", 1.2)
    monkeypatch.setattr("bots.telegram.polling_conflicts.LOOK_S", 0.2)
    world = telegram_server.world
    if waiting:
        world.said(501, world.private(501), text="/help")

    assert await FRONT.look_for_polling_conflicts(telegram_settings) == []
    assert len(world.updates) == waiting


async def test_without_a_token_nothing_is_asked(settings) -> None:
    assert await FRONT.examine(settings) == []


@pytest.mark.parametrize(
    ("field", "value", "command"),
    [
        ("supports_inline_queries", False, "/setinline"),
        ("can_join_groups", False, "/setjoingroups"),
        ("can_read_all_group_messages", True, "/setprivacy"),
    ],
)
async def test_a_switch_at_botfather_is_told_with_the_command_that_turns_it(
    telegram_settings, monkeypatch: pytest.MonkeyPatch, field: str, value: bool, command: str
) -> None:
    monkeypatch.setitem(BOT, field, value)
    good, note = await FRONT.examine(telegram_settings)

    assert (good.health, note.health) == ("good", "note")
    assert "@clapper_bot" in good.detail
    assert command in note.fix


@pytest.mark.parametrize("ours", ["", "https://bot.example/hook"], ids=["polling", "webhook"])
async def test_a_webhook_of_somebody_else_is_told_and_left_alone(
    telegram_server, telegram_settings, settings_with, ours: str
) -> None:
    telegram_server.world.webhook = {"url": "https://else.example/x"}
    settings = settings_with(
        telegram_token=telegram_settings.telegram.token,
        telegram_api_url=telegram_server.url,
        telegram_webhook_url=ours,
    )
    _, note = await FRONT.examine(settings)

    assert note.health == "note"
    assert "https://else.example/x" in note.detail
    assert telegram_server.world.webhook == {"url": "https://else.example/x"}
    assert "getUpdates" not in [name for name, _ in telegram_server.world.calls]
