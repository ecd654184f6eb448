"""Find out who the operator is: the person who sends the bot a code."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from telegram import Bot, Update
from telegram.constants import ChatType
from telegram.error import TelegramError

from bots.telegram.address import PLATFORM
from bots.telegram.checks import open_bot
from core.domain.people import Requester
from core.i18n.messages import say
from core.settings import Settings

LOOK_S = 1.0  # between two looks


async def find_operator(
    settings: Settings, code: str, ask: Callable[[str], None]
) -> Requester | None:
    """Wait until somebody sends ``code`` to the bot in a private chat; None: nobody can be heard.

    Nothing is taken from the bot's updates: what people wrote meanwhile waits for the service.
    """
    if settings.telegram.token is None:
        return None
    token = settings.telegram.token.get_secret_value()
    with suppress(TelegramError):  # away, a refused token, or another program that takes updates
        async with open_bot(settings, token) as bot:
            ask(say("setup_telegram_code", {"name": bot.username, "code": code}))
            return await _sender(bot, code)
    return None


async def _sender(bot: Bot, code: str) -> Requester:
    while True:
        sender = _sender_of(code, await bot.get_updates(allowed_updates=[Update.MESSAGE]))
        if sender is not None:
            return sender
        await asyncio.sleep(LOOK_S)


def _sender_of(code: str, updates: Sequence[Update]) -> Requester | None:
    for update in updates:
        message = update.message
        if message is None or message.from_user is None or message.chat.type != ChatType.PRIVATE:
            continue
        if (message.text or "").removeprefix("/start").strip() == code:
            return Requester(PLATFORM, str(message.from_user.id))
    return None
