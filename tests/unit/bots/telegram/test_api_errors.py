import pytest
from telegram import error as telegram_error

from bots.shared.edit_scheduler import Throttled
from bots.telegram.api_errors import (
    ChatMoved,
    MessageGone,
    MessageUnchanged,
    PostingForbidden,
    TelegramFileTooLarge,
    call_api,
)
from core.errors import DeliveryImpossible, DeliveryRetry

BAD, LOST = telegram_error.BadRequest, telegram_error.NetworkError


@pytest.mark.filterwarnings("ignore:Deprecated since version v22.2")
@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (lambda: BAD("Message is not modified: same content"), MessageUnchanged),
        (lambda: BAD("Message to edit not found"), MessageGone),
        (lambda: BAD("Message can't be edited"), MessageGone),
        (lambda: BAD("Message thread not found"), MessageGone),
        (lambda: BAD("Not enough rights to send videos to the chat"), PostingForbidden),
        (lambda: BAD("CHAT_SEND_VIDEOS_FORBIDDEN"), PostingForbidden),
        (lambda: BAD("File is too big"), TelegramFileTooLarge),
        (lambda: BAD("Chat not found"), DeliveryImpossible),
        (lambda: LOST("Request Entity Too Large"), TelegramFileTooLarge),
        (lambda: LOST("Request Entity Too Large (413). Parsing failed"), TelegramFileTooLarge),
        (lambda: LOST("Bad Gateway"), DeliveryRetry),
        (telegram_error.TimedOut, DeliveryRetry),
        (lambda: telegram_error.EndPointNotFound("Not Found"), DeliveryRetry),
        (lambda: telegram_error.TelegramError("Invalid server response"), DeliveryRetry),
        (lambda: telegram_error.Forbidden("bot was blocked by the user"), DeliveryImpossible),
        (lambda: telegram_error.ChatMigrated(-200), ChatMoved),
        (lambda: telegram_error.RetryAfter(30), Throttled),
    ],
)
async def test_every_answer_has_a_meaning(answer, meaning: type[Exception]) -> None:
    async def call() -> None:
        raise answer()

    with pytest.raises(meaning) as caught:
        await call_api(call)

    if isinstance(caught.value, DeliveryRetry):
        assert caught.value.sent
    if isinstance(caught.value, Throttled):
        assert caught.value.after_s == 30
    if isinstance(caught.value, ChatMoved):
        assert caught.value.chat_id == -200


async def test_a_refused_token_is_for_the_operator_to_mend_and_nothing_was_sent() -> None:
    async def call() -> None:
        raise telegram_error.InvalidToken("Unauthorized")

    with pytest.raises(DeliveryRetry) as caught:
        await call_api(call)
    assert not caught.value.sent
