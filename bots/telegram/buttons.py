"""Buttons under jobs and questions: all they know is in their data, so they survive a restart."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog
from telegram import ForceReply, Message, Update

from bots.telegram.address import Address
from bots.telegram.delivery import FILE_IDS
from bots.telegram.drafts import Draft
from bots.telegram.error_replies import answered
from bots.telegram.press import OPTIONS, Press, acknowledge, may_answer_here
from bots.telegram.private import is_private
from bots.telegram.rendering import clip_text, pressed
from bots.telegram.submission import (
    Counter,
    accept_request,
    advance,
    edit,
    remove,
    reply,
    update_key,
)
from bots.telegram.user_commands import forget_all, history_page, remove_account, show_again
from core.domain.followups import Action, again, longer, options_of, quality
from core.domain.jobs import Job
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.request_builder import ASPECTS
from core.domain.requests import Request
from core.errors import NotYours
from core.media.output.transcode import last_frame

log = structlog.get_logger(__name__)

WITHOUT_WAITING: frozenset[str] = frozenset({Action.CANCEL, Action.DETAILS})
JobHandler = Callable[["Press"], Awaitable[None]]


async def receive_press(counter: Counter, update: Update) -> None:
    """Answer a pressed button at once, then do what it says."""
    query = update.callback_query
    if query is None:
        return
    message = query.message if isinstance(query.message, Message) else None
    said = pressed(query.data)
    if said is None or message is None:
        await acknowledge(query, "t_answered" if message else "t_too_old")
        return
    key = update_key(update.update_id, counter.bot.id)
    press = Press(counter, query.from_user, message, said, key)
    if not is_private(message) and not await may_answer_here(query, press):
        return
    if is_private(message):
        await acknowledge(query, "t_answered")
    work = _handle(press)
    if said.action in WITHOUT_WAITING:
        await answered(counter, message, query.from_user.language_code, work)
        return
    async with counter.lanes.of(message.chat_id, query.from_user.id):
        await answered(counter, message, query.from_user.language_code, work)


async def _handle(press: Press) -> None:
    action = press.said.action
    if action in OPTIONS:
        await _change(press)
    elif action in _HANDLERS:
        await _HANDLERS[action](press)


async def _cancel(press: Press) -> None:
    await press.counter.desk.cancel(press.said.job_id, press.person)


async def _again(press: Press) -> None:
    await _submit(press, again((await press.job()).request))


async def _quality(press: Press) -> None:
    limits = press.counter.desk.service.limits
    await _submit(press, quality((await press.job()).request, limits))


async def _submit(press: Press, request: Request) -> None:
    await accept_request(press.counter, press.user, press.message, request, press.key)


async def _edit(press: Press) -> None:
    """Begin a draft with everything of the job but its words, and ask for those."""
    job = await press.job()
    options = replace(options_of(job.request), prompt="", seed=None)
    draft = Draft(mode=job.request.mode, options=options, media=job.request.media())
    await press.counter.drafts.save(press.message.chat_id, press.user.id, draft)
    force = ForceReply(selective=True)
    await reply(press.counter, press.message, press.texts.say("t_ask_prompt"), force)


async def _go_on(press: Press) -> None:
    job = await press.job()
    clip = await press.counter.desk.service.clip(job.id)
    service = press.counter.desk.service
    with service.workspace() as folder:
        still = await last_frame(clip.path, folder)
        frame = await service.admit(still, "image", MediaKind.IMAGE, press.person.requester)
    await _submit(press, longer(job.request, frame))


async def _show_last_frame(press: Press) -> None:
    job = await press.job()
    clip = await press.counter.desk.service.clip(job.id)
    with press.counter.desk.service.workspace() as folder:
        still = await last_frame(clip.path, folder)
        await press.counter.bot.send_document(
            press.message.chat_id,
            still.read_bytes(),
            filename=f"last-frame-{job.id[:8]}.png",
            caption=press.texts.say("use_frame", job=job.id[:8]),
        )


async def _details(press: Press) -> None:
    await reply(press.counter, press.message, press.texts.details(await press.job()))


async def _fetch(press: Press) -> None:
    job = await press.job()
    if not is_private(press.message):
        await press.counter.desk.check_showing(job, press.person)
    await show_again(press.counter, press.user, press.message, job)


async def _unlink(press: Press) -> None:
    await remove_account(press.counter, press.user, press.message, press.said.job_id)


async def _delete(press: Press) -> None:
    job = await press.job()
    await press.counter.desk.service.delete(job.id)
    await press.counter.desk.community.state.remember(FILE_IDS, job.id, None)
    await remove(press.counter, press.message)


async def _page(press: Press) -> None:
    """Turn a page of the history, for whom it was made.

    Raises:
        NotYours: somebody else's history.
    """
    if press.said.job_id != str(press.user.id):
        raise NotYours("history")
    page = max(1, int(press.said.value or 1))
    text, markup = await history_page(press.counter, press.user, press.message, page)
    await press.counter.bot.edit_message_text(
        clip_text(text),
        press.message.chat_id,
        press.message.message_id,
        parse_mode="HTML",
        reply_markup=markup,
    )


async def _forget(press: Press) -> None:
    """Delete everything of the person that was asked.

    Raises:
        NotYours: somebody else was asked.
    """
    if press.said.job_id != str(press.user.id):
        raise NotYours("forget")
    count = await forget_all(press.counter, press.user, press.message)
    await reply(press.counter, press.message, press.texts.say("forgotten", count=count))


async def _mode(press: Press) -> None:
    """Go on with the loose files of the person's draft in the chosen mode."""
    draft = await press.counter.drafts.load(press.message.chat_id, press.user.id)
    if draft is None:
        await reply(press.counter, press.message, press.texts.say("expired_form"))
        return
    chosen = draft.with_mode(Mode(press.said.value))
    await advance(press.counter, press.user, press.message, chosen, press.key)


async def _change(press: Press) -> None:
    """Replace a waiting job by one with another preset, shape or length, in the same message.

    A press that was cut off by a crash finds the other job by its key and shows it.

    Raises:
        AlreadyFinished: it is running or over; nothing was changed.
        Refused: quota, policy, block or a closed intake; the job goes on waiting.
    """
    counter, job = press.counter, await press.job()
    at = Address.of(job.reply_to)
    request = _changed(press, job)
    ticket = await counter.desk.replace(job.id, request, press.person, at.to_reply(), press.key)
    counter.edits.forget(at.chat_key, str(at.message_id))
    made = await counter.desk.service.job(ticket.job_id)
    if not made.state.terminal:
        await edit(counter, press.message, press.texts.ticket(made, ticket), made)


def _changed(press: Press, job: Job) -> Request:
    old = options_of(job.request)
    option, value = press.said.action, press.said.value
    sampling = job.request.sampling
    changes: dict[str, object] = {"width": None, "height": None}
    if option == "seconds":
        changes = {"seconds": float(value)}
    elif option == "preset":
        changes |= {"preset": value, "aspect": _nearest_aspect(sampling.size.ratio)}
    else:
        changes |= {"aspect": value}
    options = replace(old, **changes)  # pyright: ignore[reportArgumentType]  # built above
    service = press.counter.desk.service
    return service.compose(job.request.mode, options, job.request.media()).request


def _nearest_aspect(ratio: float) -> str:
    return min(ASPECTS, key=lambda name: abs(ASPECTS[name] - ratio))


_HANDLERS: dict[str, JobHandler] = {
    Action.CANCEL: _cancel,
    Action.AGAIN: _again,
    Action.EDIT: _edit,
    Action.LONGER: _go_on,
    Action.LAST_FRAME: _show_last_frame,
    Action.QUALITY: _quality,
    Action.DETAILS: _details,
    Action.FETCH: _fetch,
    Action.DELETE: _delete,
    "page": _page,
    "forget": _forget,
    "unlink": _unlink,
    "mode": _mode,
}
