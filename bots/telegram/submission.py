"""What every Telegram handler needs, and the one way from a complete draft to an accepted job."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
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
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError

from bots.shared.edit_scheduler import EditScheduler
from bots.telegram.address import PLATFORM, address_of, person_of
from bots.telegram.api_errors import seconds_of
from bots.telegram.attachments import Intake
from bots.telegram.delivery import TelegramDelivery
from bots.telegram.drafts import Draft, Drafts
from bots.telegram.permissions import Rights
from bots.telegram.rendering import callback, clip_text, job_keyboard, texts_for
from bots.telegram.status_messages import Screen
from bots.telegram.update_inbox import Lanes
from core.domain.jobs import Job, ReplyTo, Ticket
from core.domain.modes import Mode
from core.domain.requests import Request
from core.i18n.messages import name, say
from core.service.user_api import Desk

log = structlog.get_logger(__name__)

PAUSES = 3  # times that an answer waits as long as Telegram asks for


@dataclass(frozen=True, slots=True)
class Counter:
    """What every handler needs."""

    desk: Desk
    bot: Bot
    bot_name: str
    screen: Screen
    delivery: TelegramDelivery
    edits: EditScheduler
    drafts: Drafts
    intake: Intake
    rights: Rights
    lanes: Lanes
    window_hours: float


async def reply(
    counter: Counter,
    message: Message,
    text: str,
    markup: InlineKeyboardMarkup | ForceReply | None = None,
) -> Message:
    """Answer ``message``, also when it is gone by then; waits where Telegram asks for a pause."""

    async def send() -> Message:
        return await counter.bot.send_message(
            message.chat_id,
            clip_text(text),
            parse_mode=ParseMode.HTML,
            message_thread_id=message.message_thread_id if message.is_topic_message else None,
            reply_parameters=ReplyParameters(message.message_id, allow_sending_without_reply=True),
            reply_markup=markup,
        )

    for _ in range(PAUSES):
        try:
            return await send()
        except RetryAfter as wait:
            log.info("reply_waits", after_s=seconds_of(wait))
            await asyncio.sleep(seconds_of(wait))
    return await send()


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

    async def submit(at: ReplyTo) -> Ticket:
        return await counter.desk.ask(mode, draft.options, draft.media, person, at, key)

    await _submit(counter, user, message, submit)


async def accept_request(
    counter: Counter, user: User, message: Message, request: Request, key: str
) -> None:
    """Accept a request that was made from an older job.

    Raises:
        Refused: rights, quota, policy, block or a closed intake.
    """
    await counter.rights.check(message)

    async def submit(at: ReplyTo) -> Ticket:
        return await counter.desk.repeat(request, person_of(user, message), at, key)

    await _submit(counter, user, message, submit)


async def _submit(
    counter: Counter,
    user: User,
    message: Message,
    submit: Callable[[ReplyTo], Awaitable[Ticket]],
) -> None:
    """Post the message that will become the clip, and submit with its address.

    Without an answer of Telegram's the job is accepted all the same: the delivery posts its own.
    """
    posted = await _placeholder(counter, user, message)
    at = address_of(user, message, posted.message_id if posted else 0).to_reply()
    ticket: Ticket | None = None
    try:
        ticket = await submit(at)
    finally:
        if ticket is None and posted is not None:
            await remove(counter, posted)
    if posted is not None and ticket is not None:
        await _show_ticket(counter, posted, ticket, at, user.language_code)


async def _placeholder(counter: Counter, user: User, message: Message) -> Message | None:
    try:
        return await reply(counter, message, say("t_accepted", {}, user.language_code))
    except BadRequest:
        raise
    except NetworkError as error:
        log.info("placeholder_unknown", reason=type(error).__name__)
        return None


async def _show_ticket(
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

    await _quietly(run)


async def remove(counter: Counter, message: Message) -> None:
    """Take one of our messages away, if it is still there."""

    async def run() -> None:
        await counter.bot.delete_message(message.chat_id, message.message_id)

    await _quietly(run)


async def _quietly(call: Callable[[], Awaitable[None]]) -> None:
    """Do what may as well not happen: a later event shows the same, or nobody misses it."""
    try:
        await call()
    except TelegramError as error:
        log.info("message_left_as_it_is", reason=type(error).__name__)


def update_key(update_id: int, bot_id: int) -> str:
    """Return the idempotency key of an update; Telegram repeats what was not confirmed."""
    return f"{PLATFORM}:{bot_id}:{update_id}"
