"""Fill in what Telegram shows of the bot: its commands and descriptions, in every language."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from telegram import Bot, BotCommand
from telegram.error import TelegramError

from bots.telegram.user_commands import ACCOUNT
from core.domain.modes import MODES
from core.i18n.messages import DEFAULT_LANGUAGE, languages, say
from core.i18n.option_words import mode_summary
from core.service.front_services import FrontState

Get = Callable[[], Awaitable[str]]
Put = Callable[[str, str | None], Awaitable[Any]]

log = structlog.get_logger(__name__)

FRONT = "telegram-profile"  # the namespace of the last descriptions of ours, by kind and language
# characters; source: Bot API, BotCommand, setMyDescription, setMyShortDescription
COMMAND_LIMIT = 256
DESCRIPTION_LIMIT = 512
SHORT_LIMIT = 120


async def set_profile(bot: Bot, state: FrontState) -> None:
    """Tell Telegram the commands and descriptions of the bot."""
    for language in languages():
        code = None if language == DEFAULT_LANGUAGE else language
        try:
            await bot.set_my_commands(_commands(language), language_code=code)
            await _describe(bot, state, language, code)
        except TelegramError as error:
            log.warning("profile_not_set", reason=type(error).__name__)


def _commands(language: str) -> list[BotCommand]:
    texts = {str(mode): mode_summary(mode, language) for mode in MODES}
    own = {"start": "c_start", "drop": "c_drop"}
    texts |= {name: say(own.get(name, f"d_{name}"), {}, language) for name in ACCOUNT}
    return [BotCommand(name, text[:COMMAND_LIMIT]) for name, text in texts.items()]


async def _describe(bot: Bot, state: FrontState, language: str, code: str | None) -> None:
    """Set what an empty chat shows, and what the profile does; what an operator wrote stays."""

    async def put(kind: str, text: str, get: Get, send: Put) -> None:
        """Set one; of a language without its own text Telegram tells the general one."""
        kept = [await state.recall(FRONT, f"{kind}-{one}") for one in (language, DEFAULT_LANGUAGE)]
        if kept[0] == text or await get() not in {"", *kept}:
            return
        await send(text, code)
        await state.remember(FRONT, f"{kind}-{language}", text)

    async def long() -> str:
        return (await bot.get_my_description(code)).description

    async def short() -> str:
        return (await bot.get_my_short_description(code)).short_description

    text = say("bot_description", {}, language)[:DESCRIPTION_LIMIT]
    await put("long", text, long, bot.set_my_description)
    text = say("bot_short", {}, language)[:SHORT_LIMIT]
    await put("short", text, short, bot.set_my_short_description)
