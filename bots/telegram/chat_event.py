"""Hold who did what in which chat, for the handler of a message or of a pressed button."""

from dataclasses import dataclass

from telegram import ForceReply, InlineKeyboardMarkup, Message, User

from bots.shared.texts import Texts
from bots.telegram.address import PLATFORM, caller_of
from bots.telegram.context import TelegramContext
from bots.telegram.messages import reply
from bots.telegram.rendering import texts_for
from core.domain.people import Caller
from core.service.user_api import UserApi


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """A person's message, or the bot's message whose button a person pressed."""

    context: TelegramContext
    user: User
    message: Message
    key: str  # the same for an update that Telegram sends again, so that it is one job

    @property
    def users(self) -> UserApi:
        """Return what people may ask of the service."""
        return self.context.services.users

    @property
    def caller(self) -> Caller:
        """Identify the person and the chat."""
        return caller_of(self.user, self.message)

    @property
    def locale(self) -> str | None:
        """Return the language of the person's app."""
        return self.user.language_code

    @property
    def texts(self) -> Texts:
        """Build the texts in the person's language."""
        return texts_for(self.locale)

    async def reply(
        self, text: str, markup: InlineKeyboardMarkup | ForceReply | None = None
    ) -> Message:
        """Answer the message (:func:`bots.telegram.messages.reply`)."""
        return await reply(self.context, self.message, text, markup, self.user.id)


def update_key(update_id: int, bot_id: int) -> str:
    """Build the idempotency key of an update; Telegram repeats what was not confirmed."""
    return f"{PLATFORM}:{bot_id}:{update_id}"
