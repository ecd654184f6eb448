"""The ways to show a message on Telegram, and what each error of the Bot API means for us."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from telegram import error as telegram_error

from bots.edits import Throttled
from core.errors import DeliveryImpossible, DeliveryRetry

log = structlog.get_logger(__name__)

T = TypeVar("T")


class MessageGone(Exception):
    """The placeholder or its topic is not there any more."""


class FileTooLarge(Exception):
    """The server takes less than planned."""


class Moved(Exception):
    """The group became another chat."""

    def __init__(self, chat_id: int) -> None:
        super().__init__(chat_id)
        self.chat_id = chat_id


class Unchanged(Exception):
    """The message already looks like that."""


async def guarded(call: Callable[[], Awaitable[T]]) -> T:
    """Run a call of the Bot API and tell in our words what went wrong.

    Raises:
        Throttled: not before some seconds.
        Moved: the chat has another id.
        MessageGone: what should be edited is not there.
        Unchanged: nothing to change.
        FileTooLarge: a smaller file would go through.
        DeliveryRetry: no answer; the message may have been stored.
        DeliveryImpossible: nobody can be reached.
    """
    try:
        return await call()
    except telegram_error.RetryAfter as wait:
        raise Throttled(_seconds(wait)) from wait
    except telegram_error.ChatMigrated as moved:
        raise Moved(moved.new_chat_id) from moved
    except telegram_error.Forbidden as gone:
        raise DeliveryImpossible("forbidden") from gone
    except telegram_error.BadRequest as bad:
        meaning = _meaning(bad)
        raise meaning from bad
    except telegram_error.NetworkError as lost:
        if "413" in lost.message or "too large" in lost.message.lower():
            raise FileTooLarge from lost
        raise DeliveryRetry(type(lost).__name__, sent=True) from lost


def _meaning(bad: telegram_error.BadRequest) -> Exception:
    """Return what a refused call means; the Bot API has no codes, only these sentences."""
    text = bad.message.lower()
    if "not modified" in text:
        return Unchanged()
    if "message to edit not found" in text or "can't be edited" in text or "thread" in text:
        return MessageGone()
    if "too big" in text or "too large" in text:
        return FileTooLarge()
    log.info("delivery_refused", reason=bad.message[:120])
    return DeliveryImpossible("refused")


def _seconds(wait: telegram_error.RetryAfter) -> float:
    after = wait.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)
