"""Every refusal becomes one answer; everything else becomes one log line and an apology."""

from collections.abc import Coroutine
from typing import Any

import structlog
from telegram import Message
from telegram.error import TelegramError

from bots.telegram.desk import Counter, reply
from bots.telegram.intake import CLOUD_DOWNLOAD
from bots.telegram.look import texts_for
from core.errors import ClapperError, InternalError, MediaTooLarge
from core.messages import explain
from core.supervise import outcome_of

log = structlog.get_logger(__name__)


async def answered(
    counter: Counter, message: Message, locale: str | None, work: Coroutine[Any, Any, None]
) -> None:
    """Do ``work``; whatever goes wrong becomes an answer to ``message``."""
    outcome = await outcome_of(work)
    if outcome.error is None:
        return
    error = outcome.error
    if isinstance(error, TelegramError):
        log.info("answer_lost", reason=type(error).__name__)
        return
    if not isinstance(error, ClapperError):
        log.error("update_failed", exc_info=error)
        error = InternalError()
    texts = texts_for(locale)
    text = texts.markup.escape(explain(error, locale))
    if isinstance(error, MediaTooLarge) and error.limit_bytes == CLOUD_DOWNLOAD:
        text = f"{text}\n{texts.say('t_download_hint', limit=CLOUD_DOWNLOAD)}"
    await outcome_of(reply(counter, message, text))
