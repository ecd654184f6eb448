"""Answer people's messages, and edit and delete the bot's own."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from telegram import InlineKeyboardMarkup, Message

from bots.shared.edit_scheduler import Throttled
from bots.telegram.address import TelegramAddress
from bots.telegram.api_errors import NOT_THERE, ChatMoved, ignoring_errors
from bots.telegram.context import TelegramContext
from bots.telegram.outgoing import ChatTarget, Keyboard, Photo
from bots.telegram.rendering import job_keyboard
from core.domain.jobs import Job

log = structlog.get_logger(__name__)

MAX_PAUSES = 3  # times that an answer waits as long as Telegram asks for
Send = Callable[[ChatTarget], Awaitable[Message]]


class AnswerLost(Exception):
    """An answer reached nobody, also not in the private chat."""


async def reply(
    context: TelegramContext,
    message: Message,
    text: str,
    markup: Keyboard = None,
    user_id: int = 0,
) -> Message:
    """Answer ``message``, even if it was deleted; wait where Telegram asks for a pause.

    Where that is not possible the answer goes to the chat without its topic, and then to the
    private chat of ``user_id``.

    Raises:
        AnswerLost: none of these works.
        DeliveryRetry: Telegram cannot be reached.
    """
    return await _by_any_way(message, user_id, lambda to: context.outgoing.text(to, text, markup))


async def write(context: TelegramContext, user_id: int, text: str) -> Message:
    """Write to somebody's private chat; wait where Telegram asks for a pause.

    Raises:
        PostingForbidden, DeliveryImpossible, MessageGone: the bot may not write there.
        DeliveryRetry: Telegram cannot be reached.
    """
    return await _patiently(ChatTarget(user_id), lambda to: context.outgoing.text(to, text))


async def reply_file(
    context: TelegramContext, message: Message, path: Path, name: str, caption: str
) -> Message:
    """Answer ``message`` with a file (:func:`reply`).

    Raises:
        AnswerLost: it cannot be sent there.
        DeliveryRetry: Telegram cannot be reached.
    """
    return await _by_any_way(message, 0, lambda to: context.outgoing.file(to, path, name, caption))


async def reply_photo(
    context: TelegramContext, message: Message, photo: Photo, caption: str, markup: Keyboard
) -> Message:
    """Answer ``message`` with a picture (:func:`reply`).

    Raises:
        AnswerLost: it cannot be sent there.
        DeliveryRetry: Telegram cannot be reached.
    """
    return await _by_any_way(
        message, 0, lambda to: context.outgoing.photo(to, photo, caption, markup)
    )


async def _by_any_way(message: Message, user_id: int, send: Send) -> Message:
    reasons: list[str] = []
    for target in _targets(message, user_id):
        try:
            return await _patiently(target, send)
        except (*NOT_THERE, ChatMoved) as error:
            reasons.append(f"{type(error).__name__} {error}")
    log.info("answer_lost", reasons=reasons)
    raise AnswerLost


def _targets(message: Message, user_id: int) -> list[ChatTarget]:
    """List where an answer may go, the best first."""
    chat, asked = message.chat_id, message.message_id
    thread = message.message_thread_id if message.is_topic_message else None
    found = [ChatTarget(chat, thread, asked)]
    if thread is not None:
        found.append(ChatTarget(chat, None, asked))
    if user_id not in {0, chat}:
        found.append(ChatTarget(user_id))
    return found


async def _patiently(target: ChatTarget, send: Send) -> Message:
    for _ in range(MAX_PAUSES):
        try:
            return await send(target)
        except Throttled as wait:
            log.info("reply_waits", after_s=wait.after_s)
            await asyncio.sleep(wait.after_s)
    return await send(target)


async def edit(context: TelegramContext, message: Message, text: str, job: Job) -> None:
    """Replace the text of the message of a job, if it is still there."""
    markup = job_keyboard(job, job.reply_to.address.get("locale"), context.delivery.offers)
    await edit_text(context, message, text, markup)


async def edit_by_id(context: TelegramContext, at: TelegramAddress, text: str, job: Job) -> None:
    """Replace the text of the message at an address by one of ``job``, if it is still there."""
    if at.message_id:
        markup = job_keyboard(job, at.locale, context.delivery.offers)
        call = context.outgoing.edit_text(at.chat_id, at.message_id, text, markup)
        await ignoring_errors(call)


async def edit_text_by_id(context: TelegramContext, at: TelegramAddress, text: str) -> None:
    """Replace the message at an address by words without buttons, if it is still there."""
    await ignoring_errors(context.outgoing.edit_text(at.chat_id, at.message_id, text, None))


async def edit_text(
    context: TelegramContext, message: Message, text: str, markup: InlineKeyboardMarkup | None
) -> None:
    """Replace the text of a message of the bot's, if it is still there."""
    call = context.outgoing.edit_text(message.chat_id, message.message_id, text, markup)
    await ignoring_errors(call)


async def edit_photo(
    context: TelegramContext,
    message: Message,
    photo: Photo,
    caption: str,
    markup: InlineKeyboardMarkup,
) -> None:
    """Replace a message of the bot's by a picture, if it is still there."""
    call = context.outgoing.edit_photo(message.chat_id, message.message_id, photo, caption, markup)
    await ignoring_errors(call)


async def remove(context: TelegramContext, message: Message) -> None:
    """Delete a message of the bot's, if it is still there."""
    await remove_by_id(context, message.chat_id, message.message_id)


async def remove_by_id(context: TelegramContext, chat_id: int, message_id: int) -> None:
    """Delete the bot's message ``message_id``, if it is still there."""
    await ignoring_errors(context.outgoing.delete(chat_id, message_id))
