"""The commands about oneself: line, cancel, history, again, quota, links, forget, help, start."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message, User
from telegram.error import BadRequest

from bots.shared.accounts import accounts_text, handle_of, unlink
from bots.telegram.address import address_of, person_of
from bots.telegram.admin_commands import ADMIN_LINK, run_admin
from bots.telegram.delivery import FILE_IDS
from bots.telegram.private import DETAILS_LINK, JOB_LINK, Audience, at_home, is_private, point
from bots.telegram.rendering import callback, texts_for
from bots.telegram.submission import Counter, accept_request, reply
from core.domain.followups import Action, again
from core.domain.jobs import Job, JobState
from core.domain.people import Requester
from core.errors import JobUnknown
from core.i18n.messages import say
from core.service.user_api import find_job

log = structlog.get_logger(__name__)

PAGE = 5  # jobs on a page of the history
LOOKED_AT = 50  # jobs searched for what was typed
Command = Callable[[Counter, User, Message, str, str], Awaitable[None]]


async def _queue(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    del rest, key
    account = await counter.desk.community.accounts.account(person_of(user, message).requester)
    view = await counter.desk.service.line(account)
    await reply(counter, message, texts_for(user.language_code).line(view))


async def _cancel(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    """Stop a job: the one that was named, or the newest live one.

    Raises:
        JobUnknown: nothing to stop, or not of this person.
    """
    del key
    person = person_of(user, message)
    jobs = await counter.desk.jobs(person, LOOKED_AT)
    live = [job for job in jobs if not job.state.terminal]
    if not rest and not live:
        raise JobUnknown("")
    chosen = find_job(jobs, rest) if rest else live[0]
    await counter.desk.cancel(chosen.id, person)
    await reply(counter, message, texts_for(user.language_code).say("cancelled_ack"))


async def _history(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    del rest, key
    text, markup = await history_page(counter, user, message, 1)
    await reply(counter, message, text, markup)


async def _again(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    """Make another take of the job that was named, or of the newest.

    Raises:
        JobUnknown: nothing to repeat.
    """
    jobs = await counter.desk.jobs(person_of(user, message), LOOKED_AT)
    if not jobs:
        raise JobUnknown(rest[:40])
    chosen = find_job(jobs, rest) if rest else jobs[0]
    if not at_home(chosen, message):  # nobody here saw it yet
        await point(counter, user, message, f"{JOB_LINK}{chosen.id}")
        return
    await accept_request(counter, user, message, again(chosen.request), key)


async def _quota(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    del rest, key
    view = await counter.desk.quota(person_of(user, message))
    await reply(counter, message, texts_for(user.language_code).quota(view, counter.window_hours))


async def _link(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    del key
    texts = texts_for(user.language_code)
    person = person_of(user, message).requester
    if rest:
        await counter.desk.community.accounts.link(
            person, rest, f"@{user.username or user.first_name}"
        )
        await reply(counter, message, texts.say("linked"))
    else:
        code = await counter.desk.community.accounts.link_code(person)
        await reply(counter, message, texts.say("link_code_text", code=code))


async def _unlink(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    del rest, key
    person = person_of(user, message).requester
    keys = await counter.desk.community.accounts.keys(person)
    others = [who for who in keys if who != person]
    locale = user.language_code
    rows = [[unlink_button(who, locale)] for who in others]
    text = accounts_text(texts_for(locale), keys, person)
    await reply(counter, message, text, InlineKeyboardMarkup(rows))


def unlink_button(who: Requester, locale: str | None) -> InlineKeyboardButton:
    """Return a button that takes an account out of the person's."""
    label = say("unlink_label", {"who": who.key}, locale)
    return InlineKeyboardButton(label, callback_data=callback("unlink", handle_of(who)))


async def remove_account(counter: Counter, user: User, message: Message, handle: str) -> None:
    """Take the account that a button names out of the person's, and say so."""
    person = person_of(user, message).requester
    done = await unlink(counter.desk.community, person, handle)
    code = "unlinked" if done else "unlink_gone"
    await reply(counter, message, texts_for(user.language_code).say(code))


async def _forget(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    del rest, key
    locale = user.language_code
    button = InlineKeyboardButton(
        say("forget_label", {}, locale), callback_data=callback("forget", str(user.id))
    )
    ask = texts_for(locale).say("forget_ask")
    await reply(counter, message, ask, InlineKeyboardMarkup([[button]]))


async def _help(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    del rest, key
    await reply(counter, message, texts_for(user.language_code).help())


async def _start(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
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
        await point(counter, user, message, rest[:64])
    elif wanted is not None and _is_personal(wanted):
        await wanted.run(counter, user, message, "", key)
    elif rest.startswith(ADMIN_LINK):
        await run_admin(counter, user, message, rest.removeprefix(ADMIN_LINK))
    elif rest.startswith(DETAILS_LINK):
        job = await counter.desk.job(rest.removeprefix(DETAILS_LINK), person_of(user, message))
        await reply(counter, message, texts.details(job))
    elif rest.startswith(JOB_LINK):
        job = await counter.desk.job(rest.removeprefix(JOB_LINK), person_of(user, message))
        await show_again(counter, user, message, job)
    elif rest == "help":
        await _help(counter, user, message, "", key)
    else:
        await reply(counter, message, texts.say("t_start"))


async def _drop(counter: Counter, user: User, message: Message, rest: str, key: str) -> None:
    del rest, key
    begun = await counter.drafts.load(message.chat_id, user.id)
    await counter.drafts.save(message.chat_id, user.id, None)
    code = "t_nothing_to_drop" if begun is None else "t_dropped"
    await reply(counter, message, texts_for(user.language_code).say(code))


@dataclass(frozen=True, slots=True)
class AccountCommand:
    """A command, and whom its answer is for: there is no default, so none can forget it."""

    run: Command
    audience: Audience


ACCOUNT: dict[str, AccountCommand] = {
    "queue": AccountCommand(_queue, Audience.PERSON),
    "cancel": AccountCommand(_cancel, Audience.CHAT),  # answers with a word, about no job
    "history": AccountCommand(_history, Audience.PERSON),
    "again": AccountCommand(_again, Audience.HOME),
    "quota": AccountCommand(_quota, Audience.PERSON),
    "link": AccountCommand(_link, Audience.PERSON),
    "unlink": AccountCommand(_unlink, Audience.PERSON),
    "forget": AccountCommand(_forget, Audience.PERSON),
    "help": AccountCommand(_help, Audience.CHAT),
    "start": AccountCommand(_start, Audience.HOME),
    "drop": AccountCommand(_drop, Audience.CHAT),
}


def _is_personal(command: AccountCommand | None) -> bool:
    return command is not None and command.audience is Audience.PERSON


async def run_account(
    counter: Counter, user: User, message: Message, name: str, rest: str, key: str
) -> None:
    """Do a command about oneself, or lead to the private chat where others would read its answer.

    Raises:
        ClapperError: what was typed cannot work.
    """
    command = ACCOUNT[name]
    if command.audience is not Audience.PERSON or is_private(message):
        await command.run(counter, user, message, rest, key)
        return
    code_seen = name == "link" and bool(rest)
    if code_seen:
        await counter.desk.community.accounts.burn(rest)
    await point(counter, user, message, name, "t_code_seen" if code_seen else "t_private")


async def history_page(
    counter: Counter, user: User, message: Message, page: int
) -> tuple[str, InlineKeyboardMarkup]:
    """Return one page of the person's jobs: a line each, and a button to fetch each clip."""
    jobs = await counter.desk.jobs(person_of(user, message), page * PAGE + 1)
    shown = jobs[(page - 1) * PAGE : page * PAGE]
    locale = user.language_code
    fetch = [
        InlineKeyboardButton(str(number), callback_data=callback(Action.FETCH, job.id))
        for number, job in enumerate(shown, 1)
        if job.state is JobState.SUCCEEDED
    ]
    turn: list[InlineKeyboardButton] = []
    for label, other, there in (
        ("newer_label", page - 1, page > 1),
        ("older_label", page + 1, len(jobs) > page * PAGE),
    ):
        if there:
            data = callback("page", str(user.id), str(other))
            turn.append(InlineKeyboardButton(say(label, {}, locale), callback_data=data))
    rows = [row for row in (fetch, turn) if row]
    return texts_for(locale).history(shown, page), InlineKeyboardMarkup(rows)


async def show_again(counter: Counter, user: User, message: Message, job: Job) -> None:
    """Post a finished clip once more: by Telegram's own copy, else from disk.

    Raises:
        NothingToFetch: it is not there any more.
    """
    at = address_of(user, message, 0)
    file_id = await counter.desk.community.state.recall(FILE_IDS, job.id)
    if file_id is not None:
        try:
            await counter.screen.clip_again(job, str(file_id), at)
        except BadRequest as error:  # Telegram forgot it
            log.info("copy_unusable", reason=error.message[:80])
        else:
            return
    await counter.delivery.post(job, await counter.desk.service.clip(job.id), at)


async def forget_all(counter: Counter, user: User, message: Message) -> int:
    """Delete all that is kept of the person here; returns how many jobs there were."""
    person = person_of(user, message)
    before: int | None = None
    while jobs := await counter.desk.jobs(person, LOOKED_AT, before):
        before = jobs[-1].created_at_ms
        for job in jobs:
            await counter.desk.community.state.remember(FILE_IDS, job.id, None)
    await counter.drafts.forget(user.id)
    return await counter.desk.forget(person)
