"""A pressed button: who pressed what, and where its answer may be read."""

import structlog
from telegram import CallbackQuery, Message, User
from telegram.error import TelegramError

from bots.telegram.address import person_of
from bots.telegram.private import deep_link, elsewhere
from bots.telegram.rendering import Pressed, texts_for
from bots.telegram.submission import Counter
from core.domain.followups import Action
from core.domain.jobs import Job
from core.errors import ClapperError, NotYours
from core.i18n.messages import explain, say
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

ALERT_LIMIT = 200  # characters; source: Bot API, answerCallbackQuery
OPTIONS = {"preset", "aspect", "seconds"}


class Press:
    """One pressed button: who, where, what."""

    def __init__(
        self, counter: Counter, user: User, message: Message, said: Pressed, key: str
    ) -> None:
        self.counter = counter
        self.user = user
        self.message = message
        self.said = said
        self.key = key
        self.person = person_of(user, message)
        self.texts = texts_for(user.language_code)

    async def job(self) -> Job:
        """Return the job that it belongs to.

        Raises:
            JobUnknown: there is none.
            NotYours: somebody else's.
        """
        return await self.counter.desk.job(self.said.job_id, self.person)


async def may_answer_here(query: CallbackQuery, press: Press) -> bool:
    """Acknowledge a press that others could read the answer of; whether it is answered here.

    A refusal is shown to who pressed and to nobody else; what is about an account opens the private
    chat.
    """
    checked = await outcome_of(_place_of(press))
    locale = query.from_user.language_code
    if isinstance(checked.error, ClapperError):
        code = "t_not_yours" if isinstance(checked.error, NotYours) else ""
        text = say(code, {}, locale) if code else explain(checked.error, locale)
        await _answer(query, text=text[:ALERT_LIMIT], show_alert=True)
        return False
    if checked.error is not None:
        raise checked.error
    if checked.value:
        await _answer(query, url=deep_link(press.counter.bot_name, checked.value))
        return False
    await acknowledge(query, "t_answered")
    return True


async def _place_of(press: Press) -> str | None:
    """Return what the private chat opens with; None where a press is answered in its own chat.

    Raises:
        JobUnknown: there is no such job, or nothing was begun.
        NotYours: it belongs to somebody else.
    """
    action, message = press.said.action, press.message
    if action in {"page", "forget"} and press.said.job_id != str(press.user.id):
        raise NotYours(action)
    if action == "mode":
        if await press.counter.drafts.load(message.chat_id, press.user.id) is None:
            raise NotYours(action)
        return None
    of_job = action in OPTIONS or action in set(Action)
    return elsewhere(action, await press.job() if of_job else None, message)


async def acknowledge(query: CallbackQuery, code: str) -> None:
    """Show who pressed a short word, for a moment."""
    await _answer(query, text=say(code, {}, query.from_user.language_code))


async def _answer(
    query: CallbackQuery, *, text: str | None = None, show_alert: bool = False, url: str = ""
) -> None:
    try:
        await query.answer(text, show_alert=show_alert, url=url or None)
    except TelegramError as error:  # too old to be answered; the button still does what it says
        log.info("press_not_acknowledged", reason=type(error).__name__)
