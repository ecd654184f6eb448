"""Every refusal becomes one answer; everything else becomes one log line and an apology."""

from collections.abc import Coroutine
from typing import Any

import structlog
from telegram import Message
from telegram.error import TelegramError

from bots.telegram.rendering import texts_for
from bots.telegram.submission import Counter, reply
from core.errors import ClapperError, InternalError
from core.i18n.messages import explain
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)


async def answered(
    counter: Counter, message: Message, locale: str | None, work: Coroutine[Any, Any, None]
) -> None:
    """Do ``work``; whatever goes wrong becomes an answer to ``message``."""
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
    told = (await outcome_of(reply(counter, message, text))).error
    if told is not None:
        log.info("refusal_not_shown", reason=type(told).__name__)
