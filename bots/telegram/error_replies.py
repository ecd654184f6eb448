"""Answer a refusal with its explanation, any other error with an apology and a log line."""

from collections.abc import Coroutine
from typing import Any

import structlog
from telegram import InlineKeyboardMarkup, Message
from telegram.error import TelegramError

from bots.telegram.chat_event import ChatEvent
from bots.telegram.messages import AnswerLost, remove
from bots.telegram.private_chat import ask_keyboard
from core.errors import AccessClosed, ClapperError, DeliveryRetry, InternalError
from core.i18n.messages import explain
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)


async def reply_on_error(event: ChatEvent, work: Coroutine[Any, Any, None]) -> None:
    """Run ``work``; answer the event with what went wrong."""
    error = (await outcome_of(work)).error
    if error is None:
        return
    if isinstance(error, (TelegramError, AnswerLost, DeliveryRetry)):
        log.info("answer_lost", reason=type(error).__name__)
        return
    if not isinstance(error, ClapperError):
        log.error("update_failed", exc_info=error)
        error = InternalError()
    failed = (await outcome_of(event.reply(*_explained(event, error)))).error
    if failed is not None:
        log.info("refusal_not_shown", reason=type(failed).__name__)


async def explain_in(event: ChatEvent, shown: Message, error: BaseException) -> bool:
    """Put a refusal into a message of the bot's; return False, with that removed, if it cannot."""
    if isinstance(error, ClapperError):
        text, markup = _explained(event, error)
        outgoing = event.context.outgoing
        edit = outgoing.edit_text(shown.chat_id, shown.message_id, text, markup)
        if (await outcome_of(edit)).error is None:
            return True
    await remove(event.context, shown)
    return False


def _explained(event: ChatEvent, error: ClapperError) -> tuple[str, InlineKeyboardMarkup | None]:
    text = event.texts.markup.escape(explain(error, event.locale))
    return text, ask_keyboard(event) if isinstance(error, AccessClosed) else None
