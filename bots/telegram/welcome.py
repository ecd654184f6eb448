"""Introduce the bot in a group that it was added to, where it may write.

Read from what the chat itself says. The separate updates about memberships hold records of the
library that an older Bot API server does not fill; of a batch with one of those nothing is read.
"""

from telegram import Message

from bots.shared.welcome import Welcomes, is_open_to_all, welcome_text
from bots.telegram.address import PLATFORM
from bots.telegram.api_errors import ignoring_errors
from bots.telegram.chat_event import ChatEvent
from bots.telegram.outgoing import ChatTarget
from bots.telegram.private_chat import ask_link_keyboard


async def receive_notice(event: ChatEvent) -> None:
    """Greet a group that the bot was added to; note that it left one; leave out all else."""
    message, context = event.message, event.context
    welcomes = Welcomes(context.services.state, PLATFORM)
    left = message.left_chat_member
    if left is not None and left.id == context.bot.id:
        await welcomes.end(message.chat_id)
        return
    if not _was_added(message, context.bot.id) or not await welcomes.begin(message.chat_id):
        return
    open_to_all = await is_open_to_all(event.users, PLATFORM, message.chat_id)
    text = welcome_text(event.texts, open_to_all=open_to_all)
    markup = None if open_to_all else ask_link_keyboard(context.bot_name, event.locale)
    thread = message.message_thread_id if message.is_topic_message else None
    await ignoring_errors(context.outgoing.text(ChatTarget(message.chat_id, thread), text, markup))


def _was_added(message: Message, bot_id: int) -> bool:
    """Tell whether somebody added the bot, or made a group with it."""
    made = bool(message.group_chat_created or message.supergroup_chat_created)
    return made or any(person.id == bot_id for person in message.new_chat_members)
