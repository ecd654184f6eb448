"""Choose the channels of feeds on Telegram: ``/admin feed``, and ``/admin takedown``."""

from collections.abc import Sequence

from telegram import Chat, ChatFullInfo
from telegram.constants import ChatType
from telegram.error import TelegramError

from bots.shared.feed_texts import channel_title, channels_text, chosen_text
from bots.shared.post_links import typed_post
from bots.telegram.address import PLATFORM
from bots.telegram.chat_event import ChatEvent
from bots.telegram.private_chat import is_private
from core.domain.people import Caller
from core.domain.policy import EVERYWHERE
from core.errors import ChannelUnfit
from core.service.operator_api import OperatorApi
from core.service.operator_feed import ChannelKind, FeedTarget

HERE, OFF, LOG, ALL = "here", "off", "log", "everywhere"  # what operators type


async def run_feed(event: ChatEvent, operator: OperatorApi, words: Sequence[str]) -> None:
    """Show, choose or close the channel where people publish clips, or reports are read.

    Args:
        event: where it was typed; in a private chat it is about all places.
        operator: who typed it.
        words: ``[everywhere] [log] [here | off | @name | id]``.

    Raises:
        ChannelUnfit: it is no channel or group, or the bot may not post there.
        PolicyForbids: the rules there let nobody ask in that channel.
    """
    typed, private = [word.lower() for word in words], is_private(event.message)
    everywhere = ALL in typed or private
    place = EVERYWHERE if everywhere else event.caller.place
    kind = ChannelKind.LOG if LOG in typed else ChannelKind.FEED
    named = [word for word in typed if word not in {ALL, LOG}]
    feed = operator.feed
    if not named:
        await event.reply(channels_text(event.texts, await feed.channels(place)))
    elif named[0] == OFF:
        await feed.drop(place, kind)
        await event.reply(channels_text(event.texts, await feed.channels(place)))
    else:
        target = await _target(event, named[0])
        await feed.choose(place, kind, target)
        await event.reply(chosen_text(event.texts, kind, target))


async def run_takedown(event: ChatEvent, operator: OperatorApi, words: Sequence[str]) -> None:
    """Remove a post from its feed.

    Raises:
        PostUnknown: none is meant, or more than one.
    """
    gone = await operator.feed.take_down(typed_post(" ".join(words)))
    told = event.texts.say("feed_did_take_down", post=gone.id, title=gone.target.title)
    await event.reply(told)


async def _target(event: ChatEvent, named: str) -> FeedTarget:
    """Return the channel that was named, or this one.

    Raises:
        ChannelUnfit: it is no channel or group, or the bot may not post there.
    """
    message, thread = event.message, 0
    if named == HERE:
        chat: Chat | ChatFullInfo = message.chat
        thread = (message.message_thread_id or 0) if message.is_topic_message else 0
    else:
        chat = await _found(event, named)
    if chat.type == ChatType.PRIVATE:
        raise ChannelUnfit(named, "channel_private_why")
    if not await event.context.permissions.may_post_in(chat.id):
        raise ChannelUnfit(chat.title or named, "channel_rights_why")
    address = {"chat": str(chat.id), "thread": str(thread or ""), "username": chat.username or ""}
    place = f"{PLATFORM}:{chat.id}"
    there = Caller(event.caller.requester, place)
    locale = await event.users.access.language(there) or event.user.language_code or ""
    return FeedTarget(PLATFORM, place, address, channel_title(chat.title or named), locale)


async def _found(event: ChatEvent, named: str) -> ChatFullInfo:
    number = named.removeprefix("-")
    chat_id: int | str = int(named) if number.isascii() and number.isdecimal() else named
    if isinstance(chat_id, str) and not chat_id.startswith("@"):
        raise ChannelUnfit(named, "channel_unknown_why")
    try:
        return await event.context.bot.get_chat(chat_id)
    except (TelegramError, TypeError) as error:  # TypeError: a server older than the library
        raise ChannelUnfit(named, "channel_unknown_why") from error
