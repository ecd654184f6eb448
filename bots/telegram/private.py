"""What is about an account, and so is answered in the private chat whoever reads along elsewhere.

Every command and every button says here, or in its own table, whom its answer is for.
"""

from enum import StrEnum

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message, User

from bots.telegram.address import PLATFORM, Address
from bots.telegram.submission import Counter, reply
from core.domain.followups import Action
from core.domain.jobs import Job
from core.i18n.messages import say

JOB_LINK = "job_"  # what a deep link to a clip begins with
DETAILS_LINK = "details_"  # and to what was asked for


class Audience(StrEnum):
    """Whom an answer is for."""

    PERSON = "person"  # about their account: in the private chat only
    CHAT = "chat"  # for all who are there
    HOME = "home"  # for all who saw the job already: in its own chat, else in private


PRESSES: dict[str, Audience] = {
    Action.CANCEL: Audience.CHAT,  # answers nothing; the job's own message changes
    Action.AGAIN: Audience.HOME,
    Action.EDIT: Audience.HOME,
    Action.LONGER: Audience.HOME,
    Action.LAST_FRAME: Audience.HOME,
    Action.QUALITY: Audience.HOME,
    Action.DETAILS: Audience.PERSON,
    Action.FETCH: Audience.HOME,
    Action.DELETE: Audience.CHAT,
    "preset": Audience.HOME,
    "aspect": Audience.HOME,
    "seconds": Audience.HOME,
    "page": Audience.PERSON,
    "forget": Audience.PERSON,
    "unlink": Audience.PERSON,
    "mode": Audience.CHAT,
}
_LISTS = {"page": "history", "forget": "forget", "unlink": "unlink"}


def is_private(message: Message) -> bool:
    """Return whether nobody but one person reads this chat."""
    return message.chat.type == "private"


def at_home(job: Job, message: Message) -> bool:
    """Return whether all who read this chat saw the job there, or nobody else reads it."""
    if is_private(message):
        return True
    at = job.reply_to
    return at.platform == PLATFORM and Address.of(at).chat_id == message.chat_id


def elsewhere(action: str, job: Job | None, message: Message) -> str | None:
    """Return what the private chat opens with for a press here; None: it is answered here."""
    audience = PRESSES.get(action, Audience.PERSON)
    if is_private(message) or audience is Audience.CHAT:
        return None
    if job is None:
        return _LISTS.get(action, "history")
    if action == Action.DETAILS:
        return f"{DETAILS_LINK}{job.id}"
    return None if at_home(job, message) else f"{JOB_LINK}{job.id}"


def deep_link(bot_name: str, what: str) -> str:
    """Return the address that opens the private chat and says ``what`` there."""
    return f"https://t.me/{bot_name}?start={what}"


async def point(
    counter: Counter, user: User, message: Message, what: str, code: str = "t_private"
) -> None:
    """Answer here with nothing but a button that opens the private chat, where ``what`` is done."""
    label = say("t_private_label", {}, user.language_code)
    button = InlineKeyboardButton(label, url=deep_link(counter.bot_name, what))
    text = say(code, {}, user.language_code)
    await reply(counter, message, text, InlineKeyboardMarkup([[button]]))
