"""Find out whether another process polls with the same token, for ``clapper doctor``.

Telegram serves one poll of a bot and ends the one before it with a conflict. Who is ended asks
again, so a poll of ours that lasts a while is ended in its turn where somebody else polls. Nothing
is taken: updates wait until they are confirmed, and none is here.
"""

import asyncio
import time

from telegram import Bot
from telegram.error import Conflict, TelegramError

from bots.telegram.checks import open_bot
from core.i18n.messages import say
from core.interfaces.platform_check import PlatformCheck
from core.settings import Settings

PROBE_S = 6.0  # a library asks again within two seconds after it was ended
LOOK_S = 1.0  # between two looks at updates that wait


async def look_for_polling_conflicts(settings: Settings) -> list[PlatformCheck]:
    """Tell whether somebody else gets the bot's updates; nothing where that cannot be found out.

    Do not ask beside a service of ours that polls: its poll would be ended too.
    """
    token = settings.telegram.token
    if token is None or settings.telegram.webhook_url:
        return []
    try:
        async with open_bot(settings, token.get_secret_value()) as bot:
            if (await bot.get_webhook_info()).url:
                return []  # told already, and it ends at the next start
            polled_elsewhere = await _is_polled(bot)
    except (TelegramError, OSError):
        return []  # told already
    if not polled_elsewhere:
        return []
    return [PlatformCheck("", "bad", say("td_conflict"), say("td_conflict_fix"))]


async def _is_polled(bot: Bot) -> bool:
    waiting: set[int] = set()
    until = time.monotonic() + PROBE_S
    while (left := until - time.monotonic()) > 0:
        try:
            found = await bot.get_updates(timeout=max(1, round(left)), read_timeout=left + 5)
        except Conflict:
            return True
        now = {update.update_id for update in found}
        if not waiting <= now:  # somebody confirmed them meanwhile
            return True
        if not now:
            return False
        waiting = now
        await asyncio.sleep(min(LOOK_S, max(0.0, until - time.monotonic())))
    return False
