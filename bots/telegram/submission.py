"""Ask for what a form still lacks, and submit a complete one as a job."""

from dataclasses import dataclass, replace

import structlog
from telegram import ForceReply, Message

from bots.shared.drafts import of_drafts
from bots.shared.job_notes import notes_on
from bots.shared.texts import Texts
from bots.telegram.address import TelegramAddress, address_of, is_veiled
from bots.telegram.api_errors import NOT_THERE
from bots.telegram.chat_event import ChatEvent
from bots.telegram.error_replies import explain_in
from bots.telegram.meant_mode import guess_mode
from bots.telegram.messages import edit, remove, write
from bots.telegram.mode_question import ask_mode, remove_question
from bots.telegram.private_chat import PLAIN_LINK, is_private, refer_to_private_chat
from bots.telegram.request_form import RequestForm
from core.domain.followups import Action
from core.domain.jobs import ReplyTo, Ticket
from core.domain.requests import Composition
from core.errors import DeliveryRetry, InternalError
from core.i18n.messages import say
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """How a job is shown, and what is said about how it was asked for."""

    spoiler: bool = False
    guessed: bool = False  # the mode was not said; buttons offer others
    unknown: tuple[str, ...] = ()  # what looked like an option and stayed in the prompt
    private: bool = False  # it is posted in the private chat


async def continue_form(event: ChatEvent, form: RequestForm) -> None:
    """Ask for the next thing that the form lacks, or submit it as a job.

    Raises:
        InvalidInput: a value or file cannot work.
        Refused: quota, policy, block or a closed intake.
    """
    if form.mode is None and (guessed := guess_mode(form)) is not None:
        form = form.with_mode(guessed)
    if form.mode is None or form.missing() or form.needs_prompt():
        await event.context.forms.save(event.caller, event.message.chat_id, form)
        await _ask(event, form)
        return
    composition = await event.users.compose(
        event.caller, form.mode, form.options, form.media, form.style
    )
    composition = replace(composition, origin=form.origin)
    shown = Shown(form.spoiler, form.guessed, form.unknown, form.private)
    if await _submit(event, composition, shown):
        await event.context.forms.save(event.caller, event.message.chat_id, None)
        await remove_question(event, form)


async def was_submitted(event: ChatEvent) -> bool:
    """Tell whether this event made a job before a crash; ends the form that it came from.

    Asked before anything that may refuse: what was accepted once is accepted.
    """
    if await event.users.known(event.caller, event.key) is None:
        return False
    await event.context.forms.save(event.caller, event.message.chat_id, None)
    return True


async def _ask(event: ChatEvent, form: RequestForm) -> None:
    texts = event.texts
    if form.mode is None:
        await ask_mode(event, form)
        return
    hint = say("t_placeholder_hint", {}, texts.locale)
    force = ForceReply(selective=True, input_field_placeholder=hint)
    await event.reply(next_question(texts, form), force)


def next_question(texts: Texts, form: RequestForm) -> str:
    """Ask for the first file that is missing, or else for the prompt."""
    for slot in form.missing():
        own = slot.role == slot.kind  # named by its kind alone
        return texts.say(f"t_ask_{slot.kind}" if own else "t_ask_file", role=slot.role)
    return texts.say("t_ask_prompt")


async def submit_follow_up(event: ChatEvent, job_id: str, action: Action) -> None:
    """Submit what a button under a job asks for next.

    Raises:
        JobUnknown: there is no such job.
        NotYours: it belongs to somebody else.
        NothingToFetch: it needs the clip, and there is none.
        Refused: permissions, quota, policy, block or a closed intake.
    """
    if await was_submitted(event):
        return
    await event.users.access.check(event.caller)
    await event.context.permissions.check(event.message)
    job = await event.users.job(event.caller, job_id)
    composition = await event.users.follow_up(event.caller, job_id, action)
    await _submit(event, composition, Shown(is_veiled(job)))


async def submit_composed(event: ChatEvent, composition: Composition, shown: Shown) -> bool:
    """Submit what was composed for a press; False where a refusal was shown already.

    Raises:
        Refused: permissions, quota, policy, block or a closed intake.
    """
    if await was_submitted(event):
        return False
    await event.users.access.check(event.caller)
    await event.context.permissions.check(event.message)
    return await _submit(event, composition, shown)


async def _submit(event: ChatEvent, composition: Composition, shown: Shown) -> bool:
    """Post the placeholder that will become the clip, and submit with its address.

    If Telegram does not answer, the job is submitted all the same: its delivery posts a placeholder
    of its own. A refusal takes the place of the placeholder, and False is returned.

    Raises:
        Refused: permissions, quota, policy, block or a closed intake.
    """
    apart = shown.private and not is_private(event.message)
    try:
        posted = await _post_placeholder(event, apart=apart)
    except NOT_THERE:
        await refer_to_private_chat(event, PLAIN_LINK, "t_start_private")
        return False
    message_id = posted.message_id if posted else 0
    at = address_of(event.user, event.message, message_id, event.locale, spoiler=shown.spoiler)
    notes = notes_on(composition, event.locale)
    styles = bool(await event.users.styles.listed(event.caller))
    at = replace(at, guessed=shown.guessed, styles=styles, notes=notes)
    if apart:
        at = replace(at, chat_id=event.user.id, asked_id=0, thread_id=None)
    submitted = await outcome_of(
        event.users.submit(event.caller, composition, at.to_reply(), event.key)
    )
    if (ticket := submitted.value) is None:
        error = submitted.error or InternalError()
        if posted is not None and await explain_in(event, posted, error):
            return False
        raise error
    if posted is not None:
        await _show_ticket(event, posted, ticket, at.to_reply(), shown.unknown)
    if apart:
        await refer_to_private_chat(event, PLAIN_LINK, "t_goes_private")
    return True


async def _post_placeholder(event: ChatEvent, *, apart: bool) -> Message | None:
    """Post the message that becomes the clip: an answer here, or ``apart`` in the private chat.

    Raises:
        PostingForbidden, DeliveryImpossible, MessageGone: the bot may not write there yet.
    """
    text = say("t_accepted", {}, event.locale)
    try:
        if apart:
            return await write(event.context, event.user.id, text)
        return await event.reply(text)
    except DeliveryRetry as error:
        log.info("placeholder_unknown", reason=error.reason)
        return None


async def _show_ticket(
    event: ChatEvent, placeholder: Message, ticket: Ticket, at: ReplyTo, unknown: tuple[str, ...]
) -> None:
    """Show position and expected time in the placeholder, with the job's buttons.

    When the same update was handled before, the job has a placeholder already; delete this one.
    """
    job = await event.users.job(event.caller, ticket.job_id)
    if job.reply_to != at:
        await remove(event.context, placeholder)
        return
    if not job.state.terminal:
        text = event.texts.ticket(job, ticket)
        text = of_drafts(job, text, event.locale, event.context.delivery.offers, new=True)
        if unknown:
            text += "\n" + event.texts.say("t_not_options", names=", ".join(unknown))
        here = TelegramAddress.of(job.reply_to)
        await event.context.edits.first(
            here.chat_key,
            str(here.message_id),
            lambda: edit(event.context, placeholder, text, job),
        )
