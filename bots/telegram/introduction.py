"""Find out who the operator is: the person who sends the bot a code."""

import asyncio
from collections.abc import Callable, Sequence

from telegram import Update
from telegram.constants import ChatType

from bots.telegram.address import PLATFORM
from bots.telegram.checks import open_bot
from core.domain.people import Requester
from core.i18n.messages import say
from core.settings import Settings

LOOK_S = 1.0  # between two looks


async def find_operator(
    settings: Settings, code: str, ask: Callable[[str], None]
) -> Requester | None:
    """Wait until somebody sends ``code`` to the bot in a private chat.

    Nothing is taken from the bot's updates: what people wrote meanwhile waits for the service.
    """
    if settings.telegram.token is None:
        return None
    async with open_bot(settings, settings.telegram.token.get_secret_value()) as bot:
        ask(say("setup_telegram_code", {"name": bot.username, "code": code}))
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
