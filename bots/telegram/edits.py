"""Take up an edited message: a waiting job changes, a refused request is tried again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from telegram import Message

from bots.shared.job_notes import notes_on
from bots.telegram.address import PLATFORM, TelegramAddress
from bots.telegram.chat_event import ChatEvent
from bots.telegram.messages import edit_by_id
from bots.telegram.option_parser import TypedText
from bots.telegram.rendering import texts_for
from bots.telegram.request_form import RequestForm
from core.domain.followups import options_of
from core.domain.jobs import Job
from core.domain.requests import Composition

SOON = timedelta(minutes=15)  # after a message was sent; of an older one an edit starts nothing
LOOKED_THROUGH = 50  # newest jobs of a person


def is_recent(message: Message) -> bool:
    """Tell whether a message was sent so lately that editing it means another request."""
    return datetime.now(UTC) - message.date < SOON


async def job_asked_by(event: ChatEvent) -> Job | None:
    """Find the newest job that the person's message asked for."""
    for job in await event.users.jobs(event.caller, LOOKED_THROUGH):
        if job.reply_to.platform != PLATFORM or job.asked is None:
            continue
        at = TelegramAddress.of(job.reply_to)
        if (at.chat_id, at.asked_id) == (event.message.chat_id, event.message.message_id):
            return job
    return None


async def change_job(event: ChatEvent, job: Job, typed: TypedText) -> None:
    """Let a waiting job be what its message says now; one that runs is made as it was.

    Raises:
        InvalidInput: a value cannot work; the job goes on waiting as it was.
        Refused: quota, policy, block or a closed intake; so it does.
    """
    request, users = job.request, event.users
    form = RequestForm(mode=request.mode, media=request.media()).with_text(typed)
    options = form.options
    if options.seed is None:
        options = replace(options, seed=options_of(request).seed)
    composition = await users.compose(event.caller, request.mode, options, form.media)
    if composition.request == request or job.state.terminal:
        return
    if not job.state.waiting:
        await event.reply(event.texts.say("t_edited_late"))
        return
    await replace_job(event, job, composition)


async def replace_job(event: ChatEvent, old: Job, composition: Composition) -> None:
    """Put another request in the place of a waiting job, in the same message.

    What a crash interrupted finds the new job by its key and shows it.

    Raises:
        AlreadyFinished: the job is running or finished; nothing was changed.
        Refused: quota, policy, block or a closed intake; the job goes on waiting.
    """
    users, at = event.users, TelegramAddress.of(old.reply_to)
    at = replace(at, notes=notes_on(composition, at.locale))
    ticket = await users.replace(event.caller, old.id, composition, at.to_reply(), event.key)
    event.context.edits.forget(at.chat_key, str(at.message_id))
    new = await users.job(event.caller, ticket.job_id)
    if not new.state.terminal:
        await edit_by_id(event.context, at, texts_for(at.locale).ticket(new, ticket), new)
