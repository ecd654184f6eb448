"""Ask for what a form still lacks, and submit a complete one as a job."""

from collections.abc import Awaitable, Callable

import structlog
from telegram import ForceReply, InlineKeyboardButton, InlineKeyboardMarkup, Message, User
from telegram.error import BadRequest, NetworkError

from bots.telegram.address import PLATFORM, address_of, person_of
from bots.telegram.context import TelegramContext
from bots.telegram.messages import edit, remove, reply
from bots.telegram.rendering import callback_data, texts_for
from bots.telegram.request_form import RequestForm
from core.domain.jobs import ReplyTo, Ticket
from core.domain.modes import Mode
from core.domain.requests import Request
from core.i18n.messages import name, say

log = structlog.get_logger(__name__)


async def continue_form(
    context: TelegramContext, user: User, message: Message, form: RequestForm, key: str
) -> None:
    """Ask for the next thing that the form lacks, or submit it as a job.

    Raises:
        InvalidInput: a value or file cannot work.
        Refused: quota, policy, block or a closed intake.
    """
    if form.mode is None and (guessed := form.guess_mode()) is not None:
        form = form.with_mode(guessed)
    if form.mode is None or form.missing() or form.needs_prompt():
        await context.forms.save(message.chat_id, user.id, form)
        await _ask(context, user, message, form)
        return
    await _submit_form(context, user, message, form, form.mode, key)
    await context.forms.save(message.chat_id, user.id, None)


async def _ask(context: TelegramContext, user: User, message: Message, form: RequestForm) -> None:
    texts = texts_for(user.language_code)
    if form.mode is None:
        rows = [
            [
                InlineKeyboardButton(
                    name(m, texts.locale), callback_data=callback_data("mode", "0", m)
                )
            ]
            for m in form.choices()
        ]
        await reply(context, message, texts.say("t_choose"), InlineKeyboardMarkup(rows))
        return
    code = f"t_ask_{form.missing()[0].role}" if form.missing() else "t_ask_prompt"
    hint = say("t_placeholder_hint", {}, texts.locale)
    force = ForceReply(selective=True, input_field_placeholder=hint)
    await reply(context, message, texts.say(code), force)


async def _submit_form(
    context: TelegramContext, user: User, message: Message, form: RequestForm, mode: Mode, key: str
) -> None:
    person = person_of(user, message)
    context.desk.service.compose(mode, form.options, form.media)  # refuse before any message

    async def submit(at: ReplyTo) -> Ticket:
        return await context.desk.ask(mode, form.options, form.media, person, at, key)

    await _submit(context, user, message, submit)


async def submit_request(
    context: TelegramContext, user: User, message: Message, request: Request, key: str
) -> None:
    """Submit a request that was made from an older job.

    Raises:
        Refused: permissions, quota, policy, block or a closed intake.
    """
    await context.permissions.check(message)

    async def submit(at: ReplyTo) -> Ticket:
        return await context.desk.repeat(request, person_of(user, message), at, key)

    await _submit(context, user, message, submit)


async def _submit(
    context: TelegramContext,
    user: User,
    message: Message,
    submit: Callable[[ReplyTo], Awaitable[Ticket]],
) -> None:
    """Post the placeholder that will become the clip, and submit with its address.

    If Telegram does not answer, the job is submitted all the same: its delivery posts a placeholder
    of its own.
    """
    posted = await _post_placeholder(context, user, message)
    at = address_of(user, message, posted.message_id if posted else 0).to_reply()
    ticket: Ticket | None = None
    try:
        ticket = await submit(at)
    finally:
        if ticket is None and posted is not None:
            await remove(context, posted)
    if posted is not None and ticket is not None:
        await _show_ticket(context, posted, ticket, at, user.language_code)


async def _post_placeholder(
    context: TelegramContext, user: User, message: Message
) -> Message | None:
    try:
        return await reply(context, message, say("t_accepted", {}, user.language_code))
    except BadRequest:
        raise
    except NetworkError as error:
        log.info("placeholder_unknown", reason=type(error).__name__)
        return None


async def _show_ticket(
    context: TelegramContext, placeholder: Message, ticket: Ticket, at: ReplyTo, locale: str | None
) -> None:
    """Show position and expected time in the placeholder, with the job's buttons.

    When the same update was handled before, the job has a placeholder already; delete this one.
    """
    job = await context.desk.service.job(ticket.job_id)
    if job.reply_to != at:
        await remove(context, placeholder)
        return
    if not job.state.terminal:
        await edit(context, placeholder, texts_for(locale).ticket(job, ticket), job)


def update_key(update_id: int, bot_id: int) -> str:
    """Build the idempotency key of an update; Telegram repeats what was not confirmed."""
    return f"{PLATFORM}:{bot_id}:{update_id}"
