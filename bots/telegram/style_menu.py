"""Choose a named style by a button: for a job that waits, or to make a finished clip with it."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.telegram.address import is_veiled
from bots.telegram.button_press import ButtonPress
from bots.telegram.chat_event import ChatEvent
from bots.telegram.edits import replace_job
from bots.telegram.messages import remove
from bots.telegram.rendering import callback_data
from bots.telegram.submission import Shown, submit_composed
from core.domain.followups import Action, options_of
from core.domain.jobs import Job
from core.domain.lineage import JobOrigin
from core.domain.options import OPTIONS, Options
from core.domain.styles import NONE, STYLE, Style, key_of
from core.errors import NotYours
from core.i18n.messages import say

MENU = "styles"  # the button that opens the choice; the choices themselves are named STYLE
MOST, PER_ROW = 24, 2  # styles that are offered; the others are typed
_SIZES = {"aspect": ("width", "height")}  # one choice: the sides of before go with it


async def offer_styles(event: ChatEvent, job: Job) -> None:
    """Ask which style to use; say nothing where the chat has none."""
    styles = (await event.users.styles.listed(event.caller))[:MOST]
    if not styles or job.asked is None:
        return
    present = job.asked.style.name if job.asked.style else ""
    names = [one.name for one in styles]
    buttons = [_button(job, one, one, present=key_of(one) == key_of(present)) for one in names]
    rows = [buttons[i : i + PER_ROW] for i in range(0, len(buttons), PER_ROW)]
    without = say("t_style_none", {}, event.locale)
    rows.append([_button(job, NONE, without, present=not present)])
    await event.reply(say("t_style_ask", {}, event.locale), InlineKeyboardMarkup(rows))


def handle_of(name: str) -> str:
    """Name a style in the data of a button, which has room for less than a name."""
    return hashlib.sha256(key_of(name).encode()).hexdigest()[:12]


def _button(job: Job, name: str, label: str, *, present: bool) -> InlineKeyboardButton:
    data = callback_data(STYLE, job.id, handle_of(name))
    return InlineKeyboardButton(f"• {label}" if present else label, callback_data=data)


async def open_menu(press: ButtonPress) -> None:
    """Offer the styles for the job whose button was pressed.

    Raises:
        NotYours: it belongs to somebody else; an operator's right does not help.
    """
    await offer_styles(press.event, await _own(press))


async def set_style(press: ButtonPress) -> None:
    """Give a waiting job another style, or make a finished clip again with it.

    Raises:
        NotYours: the job belongs to somebody else; an operator's right does not help.
        AlreadyFinished: the job began meanwhile; it is made as it was.
        Refused: quota, policy, block or a closed intake.
    """
    event, job = press.event, await _own(press)
    styles = await event.users.styles.listed(event.caller)
    chosen = _chosen(styles, press.data.value)
    if chosen is None or job.asked is None:  # removed since
        await event.reply(event.texts.say("t_style_gone"))
        return
    if event.context.presses.is_second(str(event.user.id), f"{STYLE}{chosen}", job.id):
        return
    request = job.asked
    options = _with_style(options_of(request, event.users.limits), chosen, styles)
    composition = await event.users.compose(event.caller, request.mode, options, request.media())
    if job.state.waiting:
        await replace_job(event, job, composition)
    elif job.state.terminal:
        origin = JobOrigin(Action.EDIT, job.id)
        shown = Shown(is_veiled(job))
        if await submit_composed(event, replace(composition, origin=origin), shown):
            await event.context.forms.save(event.caller, event.message.chat_id, None)
    else:
        await event.reply(event.texts.say("t_edited_late"))
        return
    await remove(event.context, event.message)


async def _own(press: ButtonPress) -> Job:
    job = await press.job()
    if not await press.event.users.owns(press.event.caller, job):
        raise NotYours(job.id)
    return job


def _chosen(styles: Sequence[Style], handle: str) -> str | None:
    """Return the name that a button stands for; None where that style is gone."""
    names = (NONE, *(one.name for one in styles))
    return next((name for name in names if handle_of(name) == handle), None)


def _with_style(options: Options, name: str, styles: Sequence[Style]) -> Options:
    """Return ``options`` with a style, and open what that style chooses."""
    style = next((one for one in styles if one.name == name), None)
    opened = set(style.options) if style else set[str]()
    opened |= {side for one in opened for side in _SIZES.get(one, ())}
    blank = {one: OPTIONS[one].blank for one in opened}
    return replace(options, **{**blank, STYLE: name})
