"""Answer a refusal with its explanation, any other error with an apology and a log line."""

from collections.abc import Coroutine
from typing import Any

import structlog
from telegram import Message
from telegram.error import TelegramError

from bots.telegram.context import TelegramContext
from bots.telegram.messages import reply
from bots.telegram.rendering import texts_for
from core.errors import ClapperError, InternalError
from core.i18n.messages import explain
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)


async def reply_on_error(
    context: TelegramContext, message: Message, locale: str | None, work: Coroutine[Any, Any, None]
) -> None:
    """Run ``work``; answer ``message`` with what went wrong."""
    error = (await outcome_of(work)).error
    if error is None:
        return
    if isinstance(error, TelegramError):
        log.info("answer_lost", reason=type(error).__name__)
        return
    if not isinstance(error, ClapperError):
        log.error("update_failed", exc_info=error)
        error = InternalError()
    text = texts_for(locale).markup.escape(explain(error, locale))
    failed = (await outcome_of(reply(context, message, text))).error
    if failed is not None:
        log.info("refusal_not_shown", reason=type(failed).__name__)
