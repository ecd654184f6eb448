"""Ask by buttons what files without a command are meant for, and find what a press answers."""

from dataclasses import replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bots.shared.offers import priced
from bots.telegram.chat_event import ChatEvent
from bots.telegram.meant_mode import choices, used_files
from bots.telegram.messages import remove_by_id
from bots.telegram.rendering import callback_data
from bots.telegram.request_form import RequestForm
from core.domain.modes import Mode
from core.errors import FormExpired, NotYours
from core.i18n.messages import say
from core.i18n.option_words import mode_title

MODE = "mode"  # the action of the buttons


async def ask_mode(event: ChatEvent, form: RequestForm) -> None:
    """Ask which mode is meant; a button says how many of the files it uses, and what it takes.

    An earlier question about the same form goes away.
    """
    write, modes = event.texts.say, choices(form)
    rows = [
        [InlineKeyboardButton(await _label(event, form, mode), callback_data=_data(mode))]
        for mode in modes
    ]
    lines = [write("t_choose")]
    if form.unassigned and any(used_files(form, mode) < len(form.unassigned) for mode in modes):
        lines.append(write("t_choose_first"))
    if form.left_out:
        kept = len(form.unassigned)
        lines.append(write("t_left_out", given=kept + form.left_out, kept=kept))
    asked = await event.reply("\n".join(lines), InlineKeyboardMarkup(rows))
    now = replace(form, question=asked.message_id)
    await event.context.forms.save(event.caller, event.message.chat_id, now)
    await remove_question(event, form)


async def remove_question(event: ChatEvent, form: RequestForm) -> None:
    """Delete the question whose buttons choose the mode of ``form``, where there is one."""
    if form.question:
        await remove_by_id(event.context, event.message.chat_id, form.question)


async def asked_form(event: ChatEvent) -> RequestForm:
    """Read the form that the question of a pressed button is about.

    Raises:
        DraftUnreadable: another version wrote it.
        FormExpired: it was sent or dropped, or is another one by now.
        NotYours: somebody else was asked.
    """
    form = await event.context.forms.load(event.message.chat_id, event.user.id)
    if form is not None and form.question in {0, event.message.message_id}:
        return form
    if _asked_about(event) is None:
        raise NotYours(MODE)
    raise FormExpired


def as_asked(event: ChatEvent) -> ChatEvent:
    """Return the press as an event of the message that was asked about: it is answered there."""
    about = _asked_about(event)
    if about is None or bool(about.is_topic_message) != bool(event.message.is_topic_message):
        return event
    return replace(event, message=about)


def _asked_about(event: ChatEvent) -> Message | None:
    """Find the message of the person that the question answers."""
    about = event.message.reply_to_message
    own = about is not None and about.from_user is not None and about.from_user.id == event.user.id
    return about if own else None


def _data(mode: Mode) -> str:
    return callback_data(MODE, "0", mode)


async def _label(event: ChatEvent, form: RequestForm, mode: Mode) -> str:
    label, used = mode_title(mode, event.locale), used_files(form, mode)
    given = len(form.unassigned) + form.left_out
    if 0 < used < given:
        label = say("t_mode_part", {"label": label, "used": used, "given": given}, event.locale)
    chosen = form.with_mode(mode)
    if chosen.missing() or chosen.needs_prompt():
        return label
    told = await event.users.preview(event.caller, mode, chosen.options, chosen.media)
    return priced(label, told.cost_ms or None, event.locale)
