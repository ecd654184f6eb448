"""Run the commands about a person's own account: queue, cancel, history, quota, links and so on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message, User
from telegram.error import BadRequest

from bots.shared.accounts import accounts_text, handle_of, unlink
from bots.telegram.address import address_of, person_of
from bots.telegram.admin_commands import ADMIN_LINK, run_admin
from bots.telegram.context import TelegramContext
from bots.telegram.delivery import FILE_IDS
from bots.telegram.messages import reply
from bots.telegram.private_chat import (
    DETAILS_LINK,
    JOB_LINK,
    Audience,
    is_private,
    posted_in,
    refer_to_private_chat,
)
from bots.telegram.rendering import callback_data, texts_for
from bots.telegram.submission import submit_request
from core.domain.followups import Action, again
from core.domain.jobs import Job, JobState
from core.domain.people import Requester
from core.errors import JobUnknown
from core.i18n.messages import say
from core.service.user_api import find_job

log = structlog.get_logger(__name__)

PAGE = 5  # jobs on a page of the history
SEARCHED = 50  # newest jobs searched for what was typed
Command = Callable[[TelegramContext, User, Message, str, str], Awaitable[None]]


async def _queue(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    del rest, key
    account = await context.desk.community.account(person_of(user, message).requester)
    view = await context.desk.service.line(account)
    await reply(context, message, texts_for(user.language_code).line(view))


async def _cancel(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    """Cancel the job that was named, or the newest live one.

    Raises:
        JobUnknown: the person has no such job.
    """
    del key
    person = person_of(user, message)
    jobs = await context.desk.jobs(person, SEARCHED)
    live = [job for job in jobs if not job.state.terminal]
    if not rest and not live:
        raise JobUnknown("")
    chosen = find_job(jobs, rest) if rest else live[0]
    await context.desk.cancel(chosen.id, person)
    await reply(context, message, texts_for(user.language_code).say("cancelled_ack"))


async def _history(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    del rest, key
    text, markup = await history_page(context, user, message, 1)
    await reply(context, message, text, markup)


async def _again(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    """Submit another take of the job that was named, or of the newest.

    Raises:
        JobUnknown: the person has no such job.
    """
    jobs = await context.desk.jobs(person_of(user, message), SEARCHED)
    if not jobs:
        raise JobUnknown(rest[:40])
    chosen = find_job(jobs, rest) if rest else jobs[0]
    if not posted_in(chosen, message):
        await refer_to_private_chat(context, user, message, f"{JOB_LINK}{chosen.id}")
        return
    await submit_request(context, user, message, again(chosen.request), key)


async def _quota(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    del rest, key
    view = await context.desk.quota(person_of(user, message))
    await reply(context, message, texts_for(user.language_code).quota(view, context.window_hours))


async def _link(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    del key
    texts = texts_for(user.language_code)
    person = person_of(user, message).requester
    if rest:
        await context.desk.community.link(person, rest, f"@{user.username or user.first_name}")
        await reply(context, message, texts.say("linked"))
    else:
        code = await context.desk.community.link_code(person)
        await reply(context, message, texts.say("link_code_text", code=code))


async def _unlink(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    del rest, key
    person = person_of(user, message).requester
    keys = await context.desk.community.keys(person)
    others = [who for who in keys if who != person]
    locale = user.language_code
    rows = [[unlink_button(who, locale)] for who in others]
    text = accounts_text(texts_for(locale), keys, person)
    await reply(context, message, text, InlineKeyboardMarkup(rows))


def unlink_button(who: Requester, locale: str | None) -> InlineKeyboardButton:
    """Build the button that unlinks an account."""
    label = say("unlink_label", {"who": who.key}, locale)
    return InlineKeyboardButton(label, callback_data=callback_data("unlink", handle_of(who)))


async def remove_account(
    context: TelegramContext, user: User, message: Message, handle: str
) -> None:
    """Unlink the account that a button names, and confirm it."""
    person = person_of(user, message).requester
    done = await unlink(context.desk.community, person, handle)
    code = "unlinked" if done else "unlink_gone"
    await reply(context, message, texts_for(user.language_code).say(code))


async def _forget(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    del rest, key
    locale = user.language_code
    button = InlineKeyboardButton(
        say("forget_label", {}, locale), callback_data=callback_data("forget", str(user.id))
    )
    ask = texts_for(locale).say("forget_ask")
    await reply(context, message, ask, InlineKeyboardMarkup([[button]]))


async def _help(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    del rest, key
    await reply(context, message, texts_for(user.language_code).help())


async def _start(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    """Greet, or show what a deep link names: ``/start help``, or a job by ``/start job_<id>``.

    Raises:
        JobUnknown: no such job.
        NotYours: somebody else's.
        NothingToFetch: the clip is not there.
    """
    texts = texts_for(user.language_code)
    wanted = ACCOUNT.get(rest)
    about = rest.startswith((JOB_LINK, DETAILS_LINK, ADMIN_LINK)) or _is_personal(wanted)
    if about and not is_private(message):
        await refer_to_private_chat(context, user, message, rest[:64])
    elif wanted is not None and _is_personal(wanted):
        await wanted.run(context, user, message, "", key)
    elif rest.startswith(ADMIN_LINK):
        await run_admin(context, user, message, rest.removeprefix(ADMIN_LINK))
    elif rest.startswith(DETAILS_LINK):
        job = await context.desk.job(rest.removeprefix(DETAILS_LINK), person_of(user, message))
        await reply(context, message, texts.details(job))
    elif rest.startswith(JOB_LINK):
        job = await context.desk.job(rest.removeprefix(JOB_LINK), person_of(user, message))
        await show_again(context, user, message, job)
    elif rest == "help":
        await _help(context, user, message, "", key)
    else:
        await reply(context, message, texts.say("t_start"))


async def _drop(
    context: TelegramContext, user: User, message: Message, rest: str, key: str
) -> None:
    del rest, key
    begun = await context.forms.load(message.chat_id, user.id)
    await context.forms.save(message.chat_id, user.id, None)
    code = "t_nothing_to_drop" if begun is None else "t_dropped"
    await reply(context, message, texts_for(user.language_code).say(code))


@dataclass(frozen=True, slots=True)
class AccountCommand:
    """A command and its audience, which has no default so that none can forget it."""

    run: Command
    audience: Audience


ACCOUNT: dict[str, AccountCommand] = {
    "queue": AccountCommand(_queue, Audience.PERSON),
    "cancel": AccountCommand(_cancel, Audience.CHAT),  # answers with a word, about no job
    "history": AccountCommand(_history, Audience.PERSON),
    "again": AccountCommand(_again, Audience.JOB_CHAT),
    "quota": AccountCommand(_quota, Audience.PERSON),
    "link": AccountCommand(_link, Audience.PERSON),
    "unlink": AccountCommand(_unlink, Audience.PERSON),
    "forget": AccountCommand(_forget, Audience.PERSON),
    "help": AccountCommand(_help, Audience.CHAT),
    "start": AccountCommand(_start, Audience.JOB_CHAT),
    "drop": AccountCommand(_drop, Audience.CHAT),
}


def _is_personal(command: AccountCommand | None) -> bool:
    return command is not None and command.audience is Audience.PERSON


async def run_account(
    context: TelegramContext, user: User, message: Message, name: str, rest: str, key: str
) -> None:
    """Run an account command, or refer to the private chat where others would read its answer.

    Raises:
        ClapperError: the command cannot be carried out.
    """
    command = ACCOUNT[name]
    if command.audience is not Audience.PERSON or is_private(message):
        await command.run(context, user, message, rest, key)
        return
    code_seen = name == "link" and bool(rest)
    if code_seen:
        await context.desk.community.burn(rest)
    await refer_to_private_chat(
        context, user, message, name, "t_code_seen" if code_seen else "t_private"
    )


async def history_page(
    context: TelegramContext, user: User, message: Message, page: int
) -> tuple[str, InlineKeyboardMarkup]:
    """Build one page of the person's jobs, with a button to fetch each clip."""
    jobs = await context.desk.jobs(person_of(user, message), page * PAGE + 1)
    shown = jobs[(page - 1) * PAGE : page * PAGE]
    locale = user.language_code
    fetch = [
        InlineKeyboardButton(str(number), callback_data=callback_data(Action.FETCH, job.id))
        for number, job in enumerate(shown, 1)
        if job.state is JobState.SUCCEEDED
    ]
    turn: list[InlineKeyboardButton] = []
    for label, other, there in (
        ("newer_label", page - 1, page > 1),
        ("older_label", page + 1, len(jobs) > page * PAGE),
    ):
        if there:
            data = callback_data("page", str(user.id), str(other))
            turn.append(InlineKeyboardButton(say(label, {}, locale), callback_data=data))
    rows = [row for row in (fetch, turn) if row]
    return texts_for(locale).history(shown, page), InlineKeyboardMarkup(rows)


async def show_again(context: TelegramContext, user: User, message: Message, job: Job) -> None:
    """Post a finished clip again, by its file id on Telegram or else from disk.

    Raises:
        NothingToFetch: the clip was deleted.
    """
    at = address_of(user, message, 0)
    file_id = await context.desk.community.recall(FILE_IDS, job.id)
    if file_id is not None:
        try:
            await context.messages.repost_clip(job, str(file_id), at)
        except BadRequest as error:  # Telegram forgot it
            log.info("copy_unusable", reason=error.message[:80])
        else:
            return
    await context.delivery.post(job, await context.desk.service.clip(job.id), at)


async def forget_all(context: TelegramContext, user: User, message: Message) -> int:
    """Delete everything stored of the person; returns how many jobs there were."""
    person = person_of(user, message)
    before: int | None = None
    while jobs := await context.desk.jobs(person, SEARCHED, before):
        before = jobs[-1].created_at_ms
        for job in jobs:
            await context.desk.community.remember(FILE_IDS, job.id, None)
    await context.forms.forget(user.id)
    return await context.desk.forget(person)
