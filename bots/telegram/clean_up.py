"""Drop what Telegram sent long ago: updates, forms and file ids."""

import asyncio

import structlog

from bots.telegram.context import TelegramContext
from bots.telegram.delivery import FILE_IDS, POSTS
from bots.telegram.update_inbox import UpdateInbox
from core.runtime.tasks import outcome_of
from core.settings import Settings

log = structlog.get_logger(__name__)

CLEAN_UP_S = 3600.0
DAY_MS = 24 * 3600 * 1000


async def clean_up_hourly(context: TelegramContext, inbox: UpdateInbox, settings: Settings) -> None:
    """Drop what is too old, now and every hour, until cancelled."""
    kept_ms = round(settings.retention.days * DAY_MS)

    async def clean_up() -> None:
        await inbox.prune()
        await context.forms.prune()
        await context.services.state.forget_older(FILE_IDS, kept_ms)
        await context.services.state.forget_older(POSTS, kept_ms)

    while True:
        done = await outcome_of(clean_up())
        if done.error is not None:
            log.error("clean_up_failed", exc_info=done.error)
        await asyncio.sleep(CLEAN_UP_S)
