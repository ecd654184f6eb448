"""Hold who did what in which chat, for the handler of a message or of a pressed button."""

from dataclasses import dataclass

from telegram import Chat, ForceReply, InlineKeyboardMarkup, Message, User
from telegram.constants import ChatType

from bots.shared.texts import Texts
from bots.telegram.address import PLATFORM, caller_of
from bots.telegram.context import TelegramContext
from bots.telegram.messages import reply
from bots.telegram.rendering import texts_for
from core.domain.people import Caller, Requester
from core.service.user_api import UserApi


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """A person's message, or the bot's message whose button a person pressed."""

    context: TelegramContext
    user: User
    message: Message
    key: str  # the same for an update that Telegram sends again, so that it is one job
    locale: str | None  # of the answers: the person's, or in a group the group's

    @property
    def users(self) -> UserApi:
        """Return what people may ask of the service."""
        return self.context.services.users

    @property
    def caller(self) -> Caller:
        """Identify the person and the chat."""
        return caller_of(self.user, self.message)

    @property
    def texts(self) -> Texts:
        """Build the texts in the language of the answers."""
        return texts_for(self.locale)

    async def reply(
        self, text: str, markup: InlineKeyboardMarkup | ForceReply | None = None
    ) -> Message:
        """Answer the message (:func:`bots.telegram.messages.reply`)."""
        return await reply(self.context, self.message, text, markup, self.user.id)


async def language_of(users: UserApi, user: User, chat: Chat) -> str | None:
    """Choose the language of an answer: in a group the one that operators chose, if they did."""
    if chat.type == ChatType.PRIVATE:
        return user.language_code
    place = Caller(Requester(PLATFORM, str(user.id)), f"{PLATFORM}:{chat.id}")
    return await users.access.language(place) or user.language_code


async def chat_event(
    context: TelegramContext, user: User, message: Message, update_id: int
) -> ChatEvent:
    """Build the event of an update; operators may have chosen the language of a group."""
    await context.languages.note(user.id, user.language_code)
    locale = await language_of(context.services.users, user, message.chat)
    return ChatEvent(context, user, message, update_key(update_id, context.bot.id), locale)


def written_here(message: Message, bot_id: int) -> bool:
    """Tell whether the person wrote a message to this chat themselves.

    What is passed on, or chosen from another bot's offers, bears their name and somebody else's
    words: a code in it would join them to a stranger.
    """
    offered = message.via_bot is not None and message.via_bot.id != bot_id
    return message.forward_origin is None and not offered


def update_key(update_id: int, bot_id: int) -> str:
    """Build the idempotency key of an update; Telegram repeats what was not confirmed."""
    return f"{PLATFORM}:{bot_id}:{update_id}"
