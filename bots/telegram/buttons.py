"""Handle buttons; all they need is in their callback data, so they survive a restart."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog
from telegram import ForceReply, Message, Update

from bots.telegram.address import TelegramAddress
from bots.telegram.button_press import OPTIONS, ButtonPress, acknowledge, acknowledge_in_group
from bots.telegram.context import TelegramContext
from bots.telegram.delivery import FILE_IDS
from bots.telegram.error_replies import reply_on_error
from bots.telegram.messages import edit, remove, reply
from bots.telegram.private_chat import is_private
from bots.telegram.rendering import clip_text, parse_callback_data
from bots.telegram.request_form import RequestForm
from bots.telegram.submission import continue_form, submit_request, update_key
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
JobHandler = Callable[[ButtonPress], Awaitable[None]]


async def receive_press(context: TelegramContext, update: Update) -> None:
    """Acknowledge a pressed button at once, then handle it."""
    query = update.callback_query
    if query is None:
        return
    message = query.message if isinstance(query.message, Message) else None
    data = parse_callback_data(query.data)
    if data is None or message is None:
        await acknowledge(query, "t_answered" if message else "t_too_old")
        return
    key = update_key(update.update_id, context.bot.id)
    press = ButtonPress(context, query.from_user, message, data, key)
    if not is_private(message) and not await acknowledge_in_group(query, press):
        return
    if is_private(message):
        await acknowledge(query, "t_answered")
    work = _handle(press)
    if data.action in WITHOUT_WAITING:
        await reply_on_error(context, message, query.from_user.language_code, work)
        return
    async with context.locks.of(message.chat_id, query.from_user.id):
        await reply_on_error(context, message, query.from_user.language_code, work)


async def _handle(press: ButtonPress) -> None:
    action = press.data.action
    if action in OPTIONS:
        await _change(press)
    elif action in _HANDLERS:
        await _HANDLERS[action](press)


async def _cancel(press: ButtonPress) -> None:
    await press.context.desk.cancel(press.data.job_id, press.person)


async def _again(press: ButtonPress) -> None:
    await _submit(press, again((await press.job()).request))


async def _quality(press: ButtonPress) -> None:
    limits = press.context.desk.service.limits
    await _submit(press, quality((await press.job()).request, limits))


async def _submit(press: ButtonPress, request: Request) -> None:
    await submit_request(press.context, press.user, press.message, request, press.key)


async def _edit(press: ButtonPress) -> None:
    """Begin a form with everything of the job but its prompt, and ask for that."""
    job = await press.job()
    options = replace(options_of(job.request), prompt="", seed=None)
    form = RequestForm(mode=job.request.mode, options=options, media=job.request.media())
    await press.context.forms.save(press.message.chat_id, press.user.id, form)
    force = ForceReply(selective=True)
    await reply(press.context, press.message, press.texts.say("t_ask_prompt"), force)


async def _longer(press: ButtonPress) -> None:
    job = await press.job()
    clip = await press.context.desk.service.clip(job.id)
    service = press.context.desk.service
    with service.workspace() as folder:
        still = await last_frame(clip.path, folder)
        frame = await service.admit(still, "image", MediaKind.IMAGE, press.person.requester)
    await _submit(press, longer(job.request, frame))


async def _show_last_frame(press: ButtonPress) -> None:
    job = await press.job()
    clip = await press.context.desk.service.clip(job.id)
    with press.context.desk.service.workspace() as folder:
        still = await last_frame(clip.path, folder)
        await press.context.bot.send_document(
            press.message.chat_id,
            still.read_bytes(),
            filename=f"last-frame-{job.id[:8]}.png",
            caption=press.texts.say("use_frame", job=job.id[:8]),
        )


async def _details(press: ButtonPress) -> None:
    await reply(press.context, press.message, press.texts.details(await press.job()))


async def _fetch(press: ButtonPress) -> None:
    job = await press.job()
    if not is_private(press.message):
        await press.context.desk.check_showing(job, press.person)
    await show_again(press.context, press.user, press.message, job)


async def _unlink(press: ButtonPress) -> None:
    await remove_account(press.context, press.user, press.message, press.data.job_id)


async def _delete(press: ButtonPress) -> None:
    job = await press.job()
    await press.context.desk.service.delete(job.id)
    await press.context.desk.community.remember(FILE_IDS, job.id, None)
    await remove(press.context, press.message)


async def _page(press: ButtonPress) -> None:
    """Show another page of the history, only to its owner.

    Raises:
        NotYours: the history belongs to somebody else.
    """
    if press.data.job_id != str(press.user.id):
        raise NotYours("history")
    page = max(1, int(press.data.value or 1))
    text, markup = await history_page(press.context, press.user, press.message, page)
    await press.context.bot.edit_message_text(
        clip_text(text),
        press.message.chat_id,
        press.message.message_id,
        parse_mode="HTML",
        reply_markup=markup,
    )


async def _forget(press: ButtonPress) -> None:
    """Delete everything of the person who was asked.

    Raises:
        NotYours: another person was asked.
    """
    if press.data.job_id != str(press.user.id):
        raise NotYours("forget")
    count = await forget_all(press.context, press.user, press.message)
    await reply(press.context, press.message, press.texts.say("forgotten", count=count))


async def _mode(press: ButtonPress) -> None:
    """Continue the person's form in the chosen mode."""
    form = await press.context.forms.load(press.message.chat_id, press.user.id)
    if form is None:
        await reply(press.context, press.message, press.texts.say("expired_form"))
        return
    chosen = form.with_mode(Mode(press.data.value))
    await continue_form(press.context, press.user, press.message, chosen, press.key)


async def _change(press: ButtonPress) -> None:
    """Replace a waiting job by one with another preset, shape or length, in the same message.

    A press that a crash interrupted finds the new job by its key and shows it.

    Raises:
        AlreadyFinished: the job is running or finished; nothing was changed.
        Refused: quota, policy, block or a closed intake; the job goes on waiting.
    """
    context, job = press.context, await press.job()
    at = TelegramAddress.of(job.reply_to)
    request = _changed(press, job)
    ticket = await context.desk.replace(job.id, request, press.person, at.to_reply(), press.key)
    context.edits.forget(at.chat_key, str(at.message_id))
    made = await context.desk.service.job(ticket.job_id)
    if not made.state.terminal:
        await edit(context, press.message, press.texts.ticket(made, ticket), made)


def _changed(press: ButtonPress, job: Job) -> Request:
    old = options_of(job.request)
    option, value = press.data.action, press.data.value
    sampling = job.request.sampling
    changes: dict[str, object] = {"width": None, "height": None}
    if option == "seconds":
        changes = {"seconds": float(value)}
    elif option == "preset":
        changes |= {"preset": value, "aspect": _nearest_aspect(sampling.size.ratio)}
    else:
        changes |= {"aspect": value}
    options = replace(old, **changes)  # pyright: ignore[reportArgumentType]  # built above
    service = press.context.desk.service
    return service.compose(job.request.mode, options, job.request.media()).request


def _nearest_aspect(ratio: float) -> str:
    return min(ASPECTS, key=lambda name: abs(ASPECTS[name] - ratio))


_HANDLERS: dict[str, JobHandler] = {
    Action.CANCEL: _cancel,
    Action.AGAIN: _again,
    Action.EDIT: _edit,
    Action.LONGER: _longer,
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
