"""Answer people's messages, and edit and delete the bot's own."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from telegram import ForceReply, InlineKeyboardMarkup, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import RetryAfter, TelegramError

from bots.telegram.api_errors import retry_after_s
from bots.telegram.context import TelegramContext
from bots.telegram.rendering import clip_text, job_keyboard
from core.domain.jobs import Job

log = structlog.get_logger(__name__)

MAX_PAUSES = 3  # times that an answer waits as long as Telegram asks for


async def reply(
    context: TelegramContext,
    message: Message,
    text: str,
    markup: InlineKeyboardMarkup | ForceReply | None = None,
) -> Message:
    """Answer ``message``, even if it was deleted; wait where Telegram asks for a pause."""

    async def send() -> Message:
        return await context.bot.send_message(
            message.chat_id,
            clip_text(text),
            parse_mode=ParseMode.HTML,
            message_thread_id=message.message_thread_id if message.is_topic_message else None,
            reply_parameters=ReplyParameters(message.message_id, allow_sending_without_reply=True),
            reply_markup=markup,
        )

    for _ in range(MAX_PAUSES):
        try:
            return await send()
        except RetryAfter as wait:
            log.info("reply_waits", after_s=retry_after_s(wait))
            await asyncio.sleep(retry_after_s(wait))
    return await send()


async def edit(context: TelegramContext, message: Message, text: str, job: Job) -> None:
    """Replace the text of a message of the bot's, if it is still there."""
    locale = job.reply_to.address.get("locale")

    async def run() -> None:
        await context.bot.edit_message_text(
            clip_text(text),
            message.chat_id,
            message.message_id,
            parse_mode=ParseMode.HTML,
            reply_markup=job_keyboard(job, locale, context.services.users.limits),
        )

    await _ignoring_errors(run)


async def remove(context: TelegramContext, message: Message) -> None:
    """Delete a message of the bot's, if it is still there."""

    async def run() -> None:
        await context.bot.delete_message(message.chat_id, message.message_id)

    await _ignoring_errors(run)


async def _ignoring_errors(call: Callable[[], Awaitable[None]]) -> None:
    """Make a call that may fail: a later one shows the same, or nobody misses it."""
    try:
        await call()
    except TelegramError as error:
        log.info("message_left_as_it_is", reason=type(error).__name__)
