"""Call the Bot API, and translate its errors into what they mean for a job's message."""

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
    """The placeholder or its topic was deleted."""


class TelegramFileTooLarge(Exception):
    """The server refused the file because of its size."""


class ChatMoved(Exception):
    """The group became a supergroup, with another id."""

    def __init__(self, chat_id: int) -> None:
        super().__init__(chat_id)
        self.chat_id = chat_id


class PostingForbidden(Exception):
    """The bot may not post this in the chat."""


class MessageUnchanged(Exception):
    """The message shows this already."""


# The message cannot be sent or edited there; another place may take it. What the Bot API says in a
# sentence that is not known here is among them: somebody has to be told all the same.
NOT_THERE = (MessageGone, PostingForbidden, DeliveryImpossible)


async def call_api(call: Callable[[], Awaitable[T]]) -> T:
    """Call the Bot API and translate its errors.

    Raises:
        Throttled: too many calls; with the seconds to wait.
        ChatMoved: the chat has another id now.
        MessageGone: the message to edit was deleted.
        MessageUnchanged: the message shows this already.
        TelegramFileTooLarge: a smaller file would go through.
        PostingForbidden: the bot may not post this in the chat.
        DeliveryRetry: no answer came; Telegram may have stored the message.
        DeliveryImpossible: it is refused for a reason of its own, or nobody is there.
    """
    try:
        return await call()
    except telegram_error.TelegramError as error:
        meaning = meaning_of(error)
        raise meaning from error  # one of those above


def meaning_of(error: telegram_error.TelegramError) -> Exception:
    """Translate an error of the Bot API into what it means for a message."""
    match error:
        case telegram_error.RetryAfter():
            return Throttled(retry_after_s(error))
        case telegram_error.ChatMigrated():
            return ChatMoved(error.new_chat_id)
        case telegram_error.Forbidden():
            return DeliveryImpossible("forbidden")
        case telegram_error.BadRequest():
            return _meaning(error)
        case telegram_error.InvalidToken():  # the operator must act; the job is fine
            log.warning("telegram_refuses_token")
            return DeliveryRetry("the bot's token is refused")
        case _ if "413" in error.message or "too large" in error.message.lower():
            return TelegramFileTooLarge()
        case _:  # also a page of a proxy in place of an answer
            log.info("telegram_unanswered", reason=error.message[:120])
            return DeliveryRetry(type(error).__name__, sent=True)


_SENTENCES: tuple[tuple[type[Exception], tuple[str, ...]], ...] = (
    (MessageUnchanged, ("not modified",)),
    (
        MessageGone,
        (
            *("message to edit not found", "can't be edited", "message_id_invalid", "thread"),
            "message to delete not found",
        ),
    ),
    (TelegramFileTooLarge, ("too big", "too large")),
    (PostingForbidden, ("not enough rights", "no rights", "have no write access", "_forbidden")),
)


def _meaning(bad: telegram_error.BadRequest) -> Exception:
    """Translate a refused call by its sentence: the Bot API has no codes."""
    text = bad.message.lower()
    for meaning, parts in _SENTENCES:
        if any(part in text for part in parts):
            return meaning()
    log.info("delivery_refused", reason=bad.message[:120])
    return DeliveryImpossible(bad.message[:60])


def retry_after_s(wait: telegram_error.RetryAfter) -> float:
    """Read how long Telegram asks to wait, in seconds; a setting makes it a timedelta."""
    after = wait.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)


async def ignoring_errors(call: Awaitable[object]) -> None:
    """Make a call that may fail: a later one shows the same, or nobody misses it."""
    try:
        await call
    except (*NOT_THERE, ChatMoved, MessageUnchanged, Throttled, DeliveryRetry) as error:
        log.info("message_left_as_it_is", reason=type(error).__name__)
