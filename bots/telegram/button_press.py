"""A pressed button: who pressed what, and where others may read the answer."""

from dataclasses import dataclass

import structlog
from telegram import CallbackQuery
from telegram.constants import ChatType
from telegram.error import TelegramError

from bots.shared.public_jobs import remix_source
from bots.telegram.chat_event import ChatEvent
from bots.telegram.feed import ANSWER, REPORT, REPORT_LINK, publish_link
from bots.telegram.mode_question import MODE, asked_form
from bots.telegram.private_chat import deep_link, private_link
from bots.telegram.remix import details_link, post_of, remix_link
from bots.telegram.rendering import CallbackData
from core.domain.followups import Action
from core.domain.jobs import Job
from core.domain.options import OPTIONS, Option
from core.errors import ClapperError, NotYours
from core.i18n.messages import explain, say
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

_SEEN_BY_ALL = frozenset({ANSWER, REPORT, Action.PUBLISH, Action.REMIX})
ALERT_LIMIT = 200  # characters; source: Bot API, answerCallbackQuery


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """One pressed button: who and where, and what it says."""

    event: ChatEvent
    data: CallbackData

    async def job(self) -> Job:
        """Read the job that the button belongs to.

        Raises:
            JobUnknown: there is none.
            NotYours: it belongs to somebody else.
        """
        return await self.event.users.job(self.event.caller, self.data.job_id)


def changed_by(action: str) -> Option | None:
    """Return the option that a button changes on a waiting job; None for other buttons."""
    option = OPTIONS.get(action)
    return option if option is not None and option.buttons else None


async def acknowledge_in_group(query: CallbackQuery, press: ButtonPress) -> bool:
    """Acknowledge a press in a group; returns whether it is answered there.

    A refusal is shown only to the person who pressed; what is about an account opens the private
    chat.
    """
    checked = await outcome_of(_private_link_for(press))
    locale = query.from_user.language_code
    if isinstance(checked.error, ClapperError):
        code = "t_not_yours" if isinstance(checked.error, NotYours) else ""
        text = say(code, {}, locale) if code else explain(checked.error, locale)
        await _answer(query, text=text[:ALERT_LIMIT], show_alert=True)
        return False
    if checked.error is not None:
        raise checked.error
    if checked.value:
        await _answer(query, url=deep_link(press.event.context.bot_name, checked.value))
        return False
    await acknowledge(query, "t_answered")
    return True


async def _private_link_for(press: ButtonPress) -> str | None:
    """Check the press and name what the private chat opens with; None: it is answered here.

    Raises:
        FormExpired: the question is about what was sent or dropped.
        JobUnknown: there is no such job, or nothing was begun.
        NotYours: it belongs to somebody else.
        Refused: a rule of the place.
    """
    event, action = press.event, press.data.action
    if action in {"page", "forget", "ask"} and press.data.job_id != str(event.user.id):
        raise NotYours(action)
    if action == MODE:
        await asked_form(event)
        return None
    if action in _SEEN_BY_ALL:
        return await _link_of_seen(press)
    of_job = changed_by(action) is not None or action in {*Action, "rather", "styles", "style"}
    try:
        job = await press.job() if of_job else None
    except NotYours:
        if action != Action.DETAILS:
            raise
        return await details_link(event, press.data.job_id)
    return private_link(action, job, event.message)


async def _link_of_seen(press: ButtonPress) -> str | None:
    """Check a press under a clip that others see, or in what operators read of one.

    Raises:
        JobUnknown: there is no such job.
        NotYours: it belongs to somebody else, or the message does not show its clip to all.
        OperatorsOnly: the answer is theirs.
        Refused: a rule of the place.
    """
    event, subject = press.event, press.data.job_id
    match press.data.action:
        case "answer":
            event.users.operator(event.caller)
            return None
        case "report":
            return f"{REPORT_LINK}{subject}"
        case Action.PUBLISH:
            own = await event.users.gallery.own(event.caller, subject)
            return publish_link(own.id, event.message.chat_id)
        case _:
            await remix_source(event.users, event.caller, subject, post_of(event.message))
            in_channel = event.message.chat.type == ChatType.CHANNEL  # where people cannot write
            return remix_link(event.message, subject) if in_channel else None


async def acknowledge(query: CallbackQuery, code: str) -> None:
    """Show the person who pressed a short notice."""
    await _answer(query, text=say(code, {}, query.from_user.language_code))


async def _answer(
    query: CallbackQuery, *, text: str | None = None, show_alert: bool = False, url: str = ""
) -> None:
    try:
        await query.answer(text, show_alert=show_alert, url=url or None)
    except TelegramError as error:  # too old to be answered; the button works all the same
        log.info("press_not_acknowledged", reason=type(error).__name__)
