"""The ways to show a message on Telegram, and what each error of the Bot API means for us."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from telegram import error as telegram_error

from bots.shared.edit_scheduler import Throttled
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


class NotAllowed(Exception):
    """The chat takes no videos from us."""


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
        NotAllowed: the chat takes no such message from us.
        DeliveryRetry: no answer; the message may have been stored.
        DeliveryImpossible: nobody can be reached.
    """
    try:
        return await call()
    except telegram_error.RetryAfter as wait:
        raise Throttled(seconds_of(wait)) from wait
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
        log.info("telegram_unanswered", reason=lost.message[:120])
        raise DeliveryRetry(type(lost).__name__, sent=True) from lost


_SENTENCES: tuple[tuple[type[Exception], tuple[str, ...]], ...] = (
    (Unchanged, ("not modified",)),
    (MessageGone, ("message to edit not found", "can't be edited", "message_id_invalid", "thread")),
    (FileTooLarge, ("too big", "too large")),
    (NotAllowed, ("not enough rights", "no rights", "have no write access", "_forbidden")),
)


def _meaning(bad: telegram_error.BadRequest) -> Exception:
    """Return what a refused call means; the Bot API has no codes, only these sentences."""
    text = bad.message.lower()
    for meaning, parts in _SENTENCES:
        if any(part in text for part in parts):
            return meaning()
    log.info("delivery_refused", reason=bad.message[:120])
    return DeliveryImpossible("refused")


def seconds_of(wait: telegram_error.RetryAfter) -> float:
    """Return how long Telegram asks to wait; a timedelta where the library is set so."""
    after = wait.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)
