"""Handle buttons; all they need is in their callback data, so they survive a restart."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from telegram import ForceReply, Message, Update

from bots.shared.admin_texts import typed_entry
from bots.telegram.account_links import remove_account
from bots.telegram.address import is_veiled
from bots.telegram.button_press import (
    ButtonPress,
    acknowledge,
    acknowledge_in_group,
    changed_by,
)
from bots.telegram.chat_event import chat_event
from bots.telegram.context import TelegramContext
from bots.telegram.delivery import FILE_IDS
from bots.telegram.edits import replace_job
from bots.telegram.error_replies import reply_on_error
from bots.telegram.feed import answer_report, publish, report, take_down
from bots.telegram.history import turn_history
from bots.telegram.messages import edit_text, remove, reply_file
from bots.telegram.mode_question import MODE, as_asked, asked_form
from bots.telegram.private_chat import is_private
from bots.telegram.remix import begin_remix, show_details
from bots.telegram.rendering import check_buttons, parse_callback_data
from bots.telegram.request_form import RequestForm
from bots.telegram.style_menu import MENU, offer_styles, open_menu, set_style
from bots.telegram.submission import continue_form, submit_follow_up
from bots.telegram.user_commands import (
    ask_access,
    forget_all,
    show_again,
)
from core.domain.followups import Action, options_of, with_option
from core.domain.lineage import JobOrigin
from core.domain.modes import Mode
from core.domain.options import Option, Options
from core.domain.styles import STYLE
from core.errors import FormExpired, NotYours
from core.service.operator_api import AccessDecision

PAGE_DIGITS = 4  # of a history; more is no page
WITHOUT_WAITING: frozenset[str] = frozenset({Action.CANCEL, Action.DETAILS})
ButtonHandler = Callable[[ButtonPress], Awaitable[None]]


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
    event = await chat_event(context, query.from_user, message, update.update_id)
    press = ButtonPress(event, data)
    if not is_private(message) and not await acknowledge_in_group(query, press):
        return
    if is_private(message):
        await acknowledge(query, "t_answered")
    if data.action in WITHOUT_WAITING:
        await reply_on_error(event, _handle(press))
        return
    async with context.locks.of(message.chat_id, query.from_user.id):
        await reply_on_error(event, _handle(press))


async def _handle(press: ButtonPress) -> None:
    action = press.data.action
    if (option := changed_by(action)) is not None:
        await _change(press, option)
    elif action in _HANDLERS:
        await _HANDLERS[action](press)


async def _cancel(press: ButtonPress) -> None:
    await press.event.users.cancel(press.event.caller, press.data.job_id)


async def _rather(press: ButtonPress) -> None:
    """Take back a waiting job whose mode was guessed, and go on in the mode that is meant.

    Raises:
        AlreadyFinished: it is over; nothing was changed.
        NotYours: it belongs to somebody else; an operator's right does not help.
    """
    event, job = press.event, await press.job()
    if press.data.value not in set(Mode):  # or a button of another version
        return
    if not await event.users.owns(event.caller, job):
        raise NotYours(job.id)
    prompt = replace(Options(), prompt=job.request.prompt)
    form = RequestForm(options=prompt, unassigned=job.request.files, spoiler=is_veiled(job))
    form = form.with_mode(Mode(press.data.value))
    await event.context.forms.save(event.caller, event.message.chat_id, form)  # holds the files
    await event.users.cancel(event.caller, job.id)
    await continue_form(event, form)


async def _follow_up(press: ButtonPress) -> None:
    event = press.event
    if event.context.presses.is_second(str(event.user.id), press.data.action, press.data.job_id):
        return
    await submit_follow_up(press.event, press.data.job_id, Action(press.data.action))


async def _edit(press: ButtonPress) -> None:
    """Begin a form with everything of the job but its prompt, and ask for that."""
    event, job = press.event, await press.job()
    options = replace(options_of(job.request), prompt="", seed=None)
    form = RequestForm(
        mode=job.request.mode,
        options=options,
        media=job.request.media(),
        spoiler=is_veiled(job),
        origin=JobOrigin(Action.EDIT, job.id),
        style=job.request.style,
    )
    await event.context.forms.save(event.caller, event.message.chat_id, form)
    await event.reply(event.texts.say("t_ask_prompt"), ForceReply(selective=True))
    await offer_styles(event, job)


async def _show_last_frame(press: ButtonPress) -> None:
    event, short_id = press.event, press.data.job_id[:8]
    with event.users.files.workspace() as folder:
        frame = await event.users.clips.last_frame(event.caller, press.data.job_id, folder)
        caption = event.texts.say("use_frame", job=short_id)
        name = f"last-frame-{short_id}.png"
        await reply_file(event.context, event.message, frame, name, caption)


async def _details(press: ButtonPress) -> None:
    await show_details(press.event, press.data.job_id)


async def _remix(press: ButtonPress) -> None:
    await begin_remix(press.event, press.data.job_id)


async def _publish(press: ButtonPress) -> None:
    await publish(press.event, press.data.job_id, press.data.value)


async def _take_down(press: ButtonPress) -> None:
    await take_down(press.event, press.data.job_id)


async def _report(press: ButtonPress) -> None:
    await report(press.event, press.data.job_id, press.data.value)


async def _answer_report(press: ButtonPress) -> None:
    await answer_report(press.event, press.data.job_id, press.data.value)


async def _fetch(press: ButtonPress) -> None:
    job = await press.job()
    if not is_private(press.event.message):
        await press.event.users.check_showing(press.event.caller, job.id)
    await show_again(press.event, job)


async def _unlink(press: ButtonPress) -> None:
    await remove_account(press.event, press.data.job_id)


async def _delete(press: ButtonPress) -> None:
    event, job_id = press.event, press.data.job_id
    await event.users.delete(event.caller, job_id)
    await event.context.services.state.remember(FILE_IDS, job_id, None)
    await remove(event.context, event.message)
    await event.context.delivery.remove_copies(job_id)


async def _page(press: ButtonPress) -> None:
    """Show another page of the history, only to its owner.

    Raises:
        NotYours: the history belongs to somebody else.
    """
    event = press.event
    if press.data.job_id != str(event.user.id):
        raise NotYours("history")
    typed = press.data.value
    page = max(1, int(typed)) if typed.isdecimal() and len(typed) <= PAGE_DIGITS else 1
    await turn_history(event, page)


async def _forget(press: ButtonPress) -> None:
    """Delete everything of the person who was asked.

    Raises:
        NotYours: another person was asked.
    """
    event = press.event
    if press.data.job_id != str(event.user.id):
        raise NotYours("forget")
    await event.reply(event.texts.say("forgotten", count=await forget_all(event)))


async def _ask(press: ButtonPress) -> None:
    """Ask the operators to let the person in.

    Raises:
        NotYours: another person was asked.
    """
    if press.data.job_id != str(press.event.user.id):
        raise NotYours("ask")
    await ask_access(press.event)


async def _access(press: ButtonPress) -> None:
    """Note an operator's answer to somebody who asks.

    Raises:
        OperatorsOnly: the person is none.
    """
    event = press.event
    operator = event.users.operator(event.caller)
    verb, _, typed = press.data.value.partition(".")
    if verb not in set(AccessDecision):
        return
    done = [await operator.decide(one, AccessDecision(verb)) for one in typed_entry(typed)]
    code = f"access_did_{verb}" if any(done) else "access_over"
    await edit_text(event.context, event.message, event.texts.say(code, entry=typed), None)


async def _mode(press: ButtonPress) -> None:
    """Continue the person's form in the chosen mode.

    Raises:
        DraftUnreadable: another version wrote the form.
        FormExpired: it was sent or dropped, or is another one by now.
        NotYours: somebody else was asked.
    """
    event = press.event
    question = str(event.message.message_id)
    if event.context.presses.is_second(str(event.user.id), MODE, question):
        return
    if press.data.value not in set(Mode):  # a button of another version
        raise FormExpired
    form = await asked_form(event)
    await continue_form(as_asked(event), form.with_mode(Mode(press.data.value)))


async def _change(press: ButtonPress, option: Option) -> None:
    """Replace a waiting job by one with another value of ``option``, in the same message.

    Raises:
        AlreadyFinished: the job is running or finished; nothing was changed.
        Refused: quota, policy, block or a closed intake; the job goes on waiting.
    """
    event, old = press.event, await press.job()
    request, users = old.request, event.users
    options = with_option(request, option, press.data.value, users.limits)
    style = request.style
    composition = await users.compose(event.caller, request.mode, options, request.media(), style)
    await replace_job(event, old, composition)


_HANDLERS: dict[str, ButtonHandler] = {
    Action.CANCEL: _cancel,
    Action.AGAIN: _follow_up,
    Action.EDIT: _edit,
    Action.LONGER: _follow_up,
    Action.LAST_FRAME: _show_last_frame,
    Action.QUALITY: _follow_up,
    Action.SMALLER: _follow_up,
    Action.REMIX: _remix,
    Action.PUBLISH: _publish,
    Action.DETAILS: _details,
    Action.FETCH: _fetch,
    Action.DELETE: _delete,
    "page": _page,
    "forget": _forget,
    "unlink": _unlink,
    MODE: _mode,
    "rather": _rather,
    MENU: open_menu,
    STYLE: set_style,
    "ask": _ask,
    "access": _access,
    "takedown": _take_down,
    "report": _report,
    "answer": _answer_report,
}

check_buttons(_HANDLERS)
