"""Take up an edited message: a waiting job changes, a refused request is tried again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from telegram import Message

from bots.shared.job_notes import notes_on
from bots.telegram.address import PLATFORM, TelegramAddress
from bots.telegram.api_errors import NOT_THERE
from bots.telegram.chat_event import ChatEvent
from bots.telegram.messages import edit_by_id, edit_text_by_id, write
from bots.telegram.option_parser import TypedText
from bots.telegram.private_chat import PLAIN_LINK, refer_to_private_chat
from bots.telegram.rendering import texts_for
from bots.telegram.request_form import RequestForm
from core.domain.followups import options_of
from core.domain.jobs import Job
from core.domain.requests import Composition
from core.i18n.messages import say

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
        at, message = TelegramAddress.of(job.reply_to), event.message
        same_album = bool(at.album) and at.album == message.media_group_id
        if at.chat_id == message.chat_id and (same_album or at.asked_id == message.message_id):
            return job
    return None


async def change_job(event: ChatEvent, job: Job, typed: TypedText) -> None:
    """Let a waiting job be what its message says now; one that runs is made as it was.

    What it hides now is hidden also where the job runs already.

    Raises:
        InvalidInput: a value cannot work; the job goes on waiting as it was.
        Refused: quota, policy, block or a closed intake; so it does.
    """
    job = await _hidden(event, job, typed)
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


async def _hidden(event: ChatEvent, job: Job, typed: TypedText) -> Job:
    """Veil the clip to come, or send it to the private chat; what is hidden stays so."""
    before = TelegramAddress.of(job.reply_to)
    at = replace(before, spoiler=before.spoiler or typed.spoiler)
    moves = typed.private and before.is_group
    if moves:
        at = replace(at, chat_id=at.user_id, message_id=0, asked_id=0, thread_id=None)
    if at == before or job.state.terminal:
        return job
    if moves:
        at = replace(at, message_id=await _begin_apart(event))
    await event.context.services.redirect(job.id, at.to_reply())
    if moves and before.message_id:
        event.context.edits.forget(before.chat_key, str(before.message_id))
        await edit_text_by_id(event.context, before, event.texts.say("t_goes_private"))
    return replace(job, reply_to=at.to_reply())


async def _begin_apart(event: ChatEvent) -> int:
    """Post the message that becomes the clip in the private chat; 0 where that is closed.

    The clip is in the person's history then, and they are told how to open it.
    """
    try:
        posted = await write(event.context, event.user.id, say("t_accepted", {}, event.locale))
    except NOT_THERE:
        await refer_to_private_chat(event, PLAIN_LINK, "t_start_private")
        return 0
    return posted.message_id


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
