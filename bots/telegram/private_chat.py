"""Decide who may read an answer: what is about an account goes to the private chat.

Every command and every button declares its audience, here or in the table of commands.
"""

from enum import StrEnum

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bots.telegram.address import PLATFORM, TelegramAddress
from bots.telegram.chat_event import ChatEvent
from bots.telegram.rendering import callback_data
from core.domain.followups import Action
from core.domain.jobs import Job
from core.domain.options import OPTIONS
from core.i18n.messages import say

JOB_LINK = "job_"  # what a deep link to a clip begins with
PLAIN_LINK = "hello"  # to the chat itself
ASK_LINK = "access"  # to a request for access
DETAILS_LINK = "details_"  # and to what was asked for


class Audience(StrEnum):
    """Who may read an answer."""

    PERSON = "person"  # the person alone: in the private chat only
    CHAT = "chat"  # everybody in this chat
    JOB_CHAT = "job_chat"  # who saw the job already: in the job's chat, else in private


BUTTON_AUDIENCES: dict[str, Audience] = {
    Action.CANCEL: Audience.CHAT,  # answers nothing; the job's own message changes
    Action.AGAIN: Audience.JOB_CHAT,
    Action.EDIT: Audience.JOB_CHAT,
    Action.LONGER: Audience.JOB_CHAT,
    Action.LAST_FRAME: Audience.JOB_CHAT,
    Action.QUALITY: Audience.JOB_CHAT,
    Action.SMALLER: Audience.JOB_CHAT,
    Action.REMIX: Audience.CHAT,  # under a clip that all see, by whoever pressed
    Action.PUBLISH: Audience.PERSON,
    Action.DETAILS: Audience.PERSON,
    Action.FETCH: Audience.JOB_CHAT,
    Action.DELETE: Audience.CHAT,
    **{option.name: Audience.JOB_CHAT for option in OPTIONS.values() if option.buttons},
    "page": Audience.PERSON,
    "forget": Audience.PERSON,
    "unlink": Audience.PERSON,
    "mode": Audience.CHAT,
    "rather": Audience.JOB_CHAT,
    "styles": Audience.JOB_CHAT,
    "style": Audience.JOB_CHAT,
    "ask": Audience.PERSON,
    "access": Audience.PERSON,
    "takedown": Audience.PERSON,
    "report": Audience.PERSON,
    "answer": Audience.CHAT,  # by operators, where they read reports
}
_LISTS = {"page": "history", "ask": ASK_LINK, "forget": "forget", "unlink": "unlink"}


def is_private(message: Message) -> bool:
    """Tell whether only one person reads this chat."""
    return message.chat.type == "private"


def posted_in(job: Job, message: Message) -> bool:
    """Tell whether the job was asked for in this chat, or the chat is private."""
    if is_private(message):
        return True
    at = job.reply_to
    return at.platform == PLATFORM and TelegramAddress.of(at).chat_id == message.chat_id


def private_link(action: str, job: Job | None, message: Message) -> str | None:
    """Name what the private chat opens with for a press here; None: it is answered here."""
    audience = BUTTON_AUDIENCES.get(action, Audience.PERSON)
    if is_private(message) or audience is Audience.CHAT:
        return None
    if job is None:
        return _LISTS.get(action, "history")
    if action == Action.DETAILS:
        return f"{DETAILS_LINK}{job.id}"
    return None if posted_in(job, message) else f"{JOB_LINK}{job.id}"


def deep_link(bot_name: str, what: str) -> str:
    """Build the link that opens the private chat and sends ``/start what`` there."""
    return f"https://t.me/{bot_name}?start={what}"


def ask_keyboard(event: ChatEvent) -> InlineKeyboardMarkup:
    """Build the button that asks operators for access; in a group it opens the private chat."""
    label = say("access_ask_label", {}, event.locale)
    if is_private(event.message):
        data = callback_data("ask", str(event.user.id))
        return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=data)]])
    return ask_link_keyboard(event.context.bot_name, event.locale)


def ask_link_keyboard(bot_name: str, locale: str | None) -> InlineKeyboardMarkup:
    """Build the button that opens the private chat and asks operators for access there."""
    label = say("access_ask_label", {}, locale)
    url = deep_link(bot_name, ASK_LINK)
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, url=url)]])


async def refer_to_private_chat(event: ChatEvent, what: str, code: str = "t_private") -> None:
    """Answer with a button that opens the private chat, where ``what`` is done."""
    label = say("t_private_label", {}, event.locale)
    button = InlineKeyboardButton(label, url=deep_link(event.context.bot_name, what))
    await event.reply(say(code, {}, event.locale), InlineKeyboardMarkup([[button]]))
