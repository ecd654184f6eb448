import pytest
from telegram import error as telegram_error

from bots.shared.edit_scheduler import Throttled
from bots.telegram.api_errors import (
    FileTooLarge,
    MessageGone,
    Moved,
    NotAllowed,
    Unchanged,
    guarded,
)
from core.errors import DeliveryImpossible, DeliveryRetry

BAD, LOST = telegram_error.BadRequest, telegram_error.NetworkError


@pytest.mark.filterwarnings("ignore:Deprecated since version v22.2")
@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (lambda: BAD("Message is not modified: same content"), Unchanged),
        (lambda: BAD("Message to edit not found"), MessageGone),
        (lambda: BAD("Message can't be edited"), MessageGone),
        (lambda: BAD("Message thread not found"), MessageGone),
        (lambda: BAD("Not enough rights to send videos to the chat"), NotAllowed),
        (lambda: BAD("CHAT_SEND_VIDEOS_FORBIDDEN"), NotAllowed),
        (lambda: BAD("File is too big"), FileTooLarge),
        (lambda: BAD("Chat not found"), DeliveryImpossible),
        (lambda: LOST("Request Entity Too Large"), FileTooLarge),
        (lambda: LOST("Request Entity Too Large (413). Parsing failed"), FileTooLarge),
        (lambda: LOST("Bad Gateway"), DeliveryRetry),
        (telegram_error.TimedOut, DeliveryRetry),
        (lambda: telegram_error.Forbidden("bot was blocked by the user"), DeliveryImpossible),
        (lambda: telegram_error.ChatMigrated(-200), Moved),
        (lambda: telegram_error.RetryAfter(30), Throttled),
    ],
)
async def test_every_answer_has_a_meaning(answer, meaning: type[Exception]) -> None:
    async def call() -> None:
        raise answer()

    with pytest.raises(meaning) as caught:
        await guarded(call)

    if isinstance(caught.value, DeliveryRetry):
        assert caught.value.sent
    if isinstance(caught.value, Throttled):
        assert caught.value.after_s == 30
    if isinstance(caught.value, Moved):
        assert caught.value.chat_id == -200
