"""What every Telegram handler needs, and the one way from a complete draft to an accepted job."""

from dataclasses import dataclass

from telegram import (
    Bot,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    ReplyParameters,
    User,
)
from telegram.constants import ParseMode

from bots.edits import EditScheduler
from bots.telegram.delivery import TelegramDelivery
from bots.telegram.drafts import Draft, Drafts
from bots.telegram.intake import Intake
from bots.telegram.ladder import Unchanged, guarded
from bots.telegram.look import callback, clip_text, job_keyboard, texts_for
from bots.telegram.place import PLATFORM, address_of, person_of
from core.desk import Desk
from core.errors import DeliveryFailed
from core.jobs import Job, ReplyTo, Ticket
from core.messages import name, say
from core.modes import Mode
from core.requests import Request


@dataclass(frozen=True, slots=True)
class Counter:
    """What every handler needs."""

    desk: Desk
    bot: Bot
    bot_name: str
    delivery: TelegramDelivery
    edits: EditScheduler
    drafts: Drafts
    intake: Intake
    window_hours: float


async def reply(
    counter: Counter,
    message: Message,
    text: str,
    markup: InlineKeyboardMarkup | ForceReply | None = None,
) -> Message:
    """Answer ``message``, also when it is gone by then."""
    return await counter.bot.send_message(
        message.chat_id,
        clip_text(text),
        parse_mode=ParseMode.HTML,
        message_thread_id=message.message_thread_id if message.is_topic_message else None,
        reply_parameters=ReplyParameters(message.message_id, allow_sending_without_reply=True),
        reply_markup=markup,
    )


async def advance(counter: Counter, user: User, message: Message, draft: Draft, key: str) -> None:
    """Go on with a draft: ask for the next missing thing, or accept it as a job.

    Raises:
        InvalidInput: a value or file cannot work.
        Refused: quota, policy, block or a closed intake.
    """
    if draft.mode is None and (guessed := draft.guess()) is not None:
        draft = draft.with_mode(guessed)
    if draft.mode is None or draft.missing() or draft.needs_prompt():
        await counter.drafts.save(message.chat_id, user.id, draft)
        await _ask(counter, user, message, draft)
        return
    await _accept(counter, user, message, draft, draft.mode, key)
    await counter.drafts.save(message.chat_id, user.id, None)


async def _ask(counter: Counter, user: User, message: Message, draft: Draft) -> None:
    texts = texts_for(user.language_code)
    if draft.mode is None:
        rows = [
            [InlineKeyboardButton(name(m, texts.locale), callback_data=callback("mode", "0", m))]
            for m in draft.choices()
        ]
        await reply(counter, message, texts.say("t_choose"), InlineKeyboardMarkup(rows))
        return
    code = f"t_ask_{draft.missing()[0].role}" if draft.missing() else "t_ask_prompt"
    hint = say("t_placeholder_hint", {}, texts.locale)
    force = ForceReply(selective=True, input_field_placeholder=hint)
    await reply(counter, message, texts.say(code), force)


async def _accept(
    counter: Counter, user: User, message: Message, draft: Draft, mode: Mode, key: str
) -> None:
    person = person_of(user, message)
    counter.desk.service.compose(mode, draft.options, draft.media)  # refuse before any message
    placeholder = await reply(counter, message, say("t_accepted", {}, user.language_code))
    at = address_of(user, message, placeholder.message_id).to_reply()
    try:
        ticket = await counter.desk.ask(mode, draft.options, draft.media, person, at, key)
    except BaseException:
        await remove(counter, placeholder)
        raise
    await show_ticket(counter, placeholder, ticket, at, user.language_code)


async def accept_request(
    counter: Counter, user: User, message: Message, request: Request, key: str
) -> Ticket:
    """Accept a request that a button made from an older job.

    Raises:
        Refused: quota, policy, block or a closed intake.
    """
    placeholder = await reply(counter, message, say("t_accepted", {}, user.language_code))
    at = address_of(user, message, placeholder.message_id).to_reply()
    try:
        ticket = await counter.desk.repeat(request, person_of(user, message), at, key)
    except BaseException:
        await remove(counter, placeholder)
        raise
    await show_ticket(counter, placeholder, ticket, at, user.language_code)
    return ticket


async def show_ticket(
    counter: Counter, placeholder: Message, ticket: Ticket, at: ReplyTo, locale: str | None
) -> None:
    """Show place in line and expected time in our message, with the job's buttons.

    A second answer to the same update finds the job already answered elsewhere and goes away.
    """
    job = await counter.desk.service.job(ticket.job_id)
    if job.reply_to != at:
        await remove(counter, placeholder)
        return
    if not job.state.terminal:
        await edit(counter, placeholder, texts_for(locale).ticket(job, ticket), job)


async def edit(counter: Counter, message: Message, text: str, job: Job) -> None:
    """Show ``text`` in one of our messages, if it is still there."""
    locale = job.reply_to.address.get("locale")

    async def run() -> None:
        await counter.bot.edit_message_text(
            clip_text(text),
            message.chat_id,
            message.message_id,
            parse_mode=ParseMode.HTML,
            reply_markup=job_keyboard(job, locale),
        )

    try:
        await guarded(run)
    except (DeliveryFailed, Unchanged):
        return


async def remove(counter: Counter, message: Message) -> None:
    """Take one of our messages away, if it is still there."""
    try:
        await guarded(lambda: counter.bot.delete_message(message.chat_id, message.message_id))
    except DeliveryFailed:
        return


def update_key(update_id: int, bot_id: int) -> str:
    """Return the idempotency key of an update; Telegram repeats what was not confirmed."""
    return f"{PLATFORM}:{bot_id}:{update_id}"
