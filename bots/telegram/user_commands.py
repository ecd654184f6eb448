"""Run the commands about a person's own account: queue, cancel, history, quota, links and so on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.telegram.account_links import link_account, list_accounts
from bots.telegram.address import address_of, is_veiled
from bots.telegram.admin_commands import ADMIN_LINK, run_admin
from bots.telegram.api_errors import NOT_THERE
from bots.telegram.chat_event import ChatEvent
from bots.telegram.delivery import FILE_IDS
from bots.telegram.feed import PUBLISH_LINK, REPORT_LINK, ask_reason, show_offer_by_link
from bots.telegram.history import show_history
from bots.telegram.private_chat import (
    ASK_LINK,
    DETAILS_LINK,
    JOB_LINK,
    Audience,
    is_private,
    posted_in,
    refer_to_private_chat,
)
from bots.telegram.remix import (
    REMIX_LINK,
    SEEN_LINK,
    begin_remix_by_link,
    show_details,
    show_seen,
)
from bots.telegram.rendering import callback_data
from bots.telegram.style_commands import run_styles
from bots.telegram.submission import submit_follow_up
from core.domain.followups import Action
from core.domain.jobs import Job
from core.errors import NoJob
from core.i18n.messages import say

log = structlog.get_logger(__name__)

BATCH = 50  # jobs read at a time
Command = Callable[[ChatEvent, str], Awaitable[None]]  # with what was typed after the command


async def _queue(event: ChatEvent, _: str) -> None:
    await event.reply(event.texts.line(await event.users.queue(event.caller)))


async def _cancel(event: ChatEvent, rest: str) -> None:
    """Cancel the job that was named, or the newest live one.

    Raises:
        JobUnknown: the person has no such job.
        NoJob: they have none at all.
    """
    chosen = await event.users.find(event.caller, rest) if rest else await _newest_live(event)
    await event.users.cancel(event.caller, chosen.id)
    await event.reply(event.texts.say("cancelled_ack"))


async def _newest_live(event: ChatEvent) -> Job:
    for job in await event.users.jobs(event.caller, BATCH):
        if not job.state.terminal:
            return job
    raise NoJob("no_live_job")


async def _history(event: ChatEvent, _: str) -> None:
    await show_history(event)


async def _again(event: ChatEvent, rest: str) -> None:
    """Submit another take of the job that was named, or of the newest.

    Raises:
        JobUnknown: the person has no such job.
        NoJob: they have none at all.
    """
    chosen = await event.users.find(event.caller, rest) if rest else await _newest(event)
    if not posted_in(chosen, event.message):
        await refer_to_private_chat(event, f"{JOB_LINK}{chosen.id}")
        return
    await submit_follow_up(event, chosen.id, Action.AGAIN)


async def _newest(event: ChatEvent) -> Job:
    jobs = await event.users.jobs(event.caller, 1)
    if not jobs:
        raise NoJob("no_job_yet")
    return jobs[0]


async def _quota(event: ChatEvent, _: str) -> None:
    window_hours = event.context.services.settings.quota.window_hours
    view = await event.users.quota(event.caller)
    await event.reply(event.texts.quota(view, window_hours))


async def _forget(event: ChatEvent, _: str) -> None:
    label = say("forget_label", {}, event.locale)
    data = callback_data("forget", str(event.user.id))
    button = InlineKeyboardButton(label, callback_data=data)
    await event.reply(event.texts.say("forget_ask"), InlineKeyboardMarkup([[button]]))


async def _help(event: ChatEvent, _: str) -> None:
    free = event.texts.say("t_help_free")
    await event.reply(f"{event.texts.help()}\n{free}")


async def _start(event: ChatEvent, rest: str) -> None:
    """Greet, or show what a deep link names: ``/start help``, or a job by ``/start job_<id>``.

    Raises:
        AccessClosed: nobody let the person in yet.
        JobUnknown: no such job.
        NotYours: it belongs to somebody else.
        NothingToFetch: the clip was deleted.
    """
    wanted = ACCOUNT.get(rest)
    opened = next((begins for begins in _LINKS if rest.startswith(begins)), "")
    if (opened or _is_personal(wanted)) and not is_private(event.message):
        await refer_to_private_chat(event, rest[:64])
    elif wanted is not None and _is_personal(wanted):
        await wanted.run(event, "")
    elif opened:
        await _LINKS[opened](event, rest)
    elif rest == ASK_LINK and is_private(event.message):
        await ask_access(event)
    elif rest == "help":
        await _help(event, "")
    else:
        await event.users.access.check(event.caller)
        await event.reply(event.texts.say("t_start"))


async def _admin_link(event: ChatEvent, link: str) -> None:
    await run_admin(event, link.removeprefix(ADMIN_LINK))


async def _details_link(event: ChatEvent, link: str) -> None:
    await show_details(event, link.removeprefix(DETAILS_LINK))


async def _job_link(event: ChatEvent, link: str) -> None:
    await show_again(event, await event.users.job(event.caller, link.removeprefix(JOB_LINK)))


async def _report_link(event: ChatEvent, link: str) -> None:
    await ask_reason(event, link.removeprefix(REPORT_LINK))


_LINKS: dict[str, Command] = {  # what a deep link begins with, and what it opens
    ADMIN_LINK: _admin_link,
    DETAILS_LINK: _details_link,
    SEEN_LINK: show_seen,
    JOB_LINK: _job_link,
    PUBLISH_LINK: show_offer_by_link,
    REPORT_LINK: _report_link,
    REMIX_LINK: begin_remix_by_link,
}


async def ask_access(event: ChatEvent) -> None:
    """Ask the operators to let the person in, and say so.

    Raises:
        AccessNotAsked: they wait already, were turned down lately, or nobody could answer.
        RequesterBlocked: an operator blocked this person.
    """
    user = event.user
    await event.users.access.ask(event.caller, f"@{user.username or user.first_name}")
    await event.reply(event.texts.say("access_sent"))


async def _drop(event: ChatEvent, _: str) -> None:
    chat_id, forms = event.message.chat_id, event.context.forms
    form = await forms.load(chat_id, event.user.id)
    await forms.save(event.caller, chat_id, None)
    await event.reply(event.texts.say("t_nothing_to_drop" if form is None else "t_dropped"))


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
    "link": AccountCommand(link_account, Audience.PERSON),
    "unlink": AccountCommand(list_accounts, Audience.PERSON),
    "forget": AccountCommand(_forget, Audience.PERSON),
    "help": AccountCommand(_help, Audience.CHAT),
    "start": AccountCommand(_start, Audience.JOB_CHAT),
    "drop": AccountCommand(_drop, Audience.CHAT),
    "styles": AccountCommand(run_styles, Audience.CHAT),  # of a place, about nobody
}


def _is_personal(command: AccountCommand | None) -> bool:
    return command is not None and command.audience is Audience.PERSON


async def run_account(event: ChatEvent, name: str, rest: str) -> None:
    """Run an account command, or refer to the private chat where others would read its answer.

    Raises:
        ClapperError: the command cannot be carried out.
    """
    command = ACCOUNT[name]
    if command.audience is not Audience.PERSON or is_private(event.message):
        await command.run(event, rest)
        return
    code_seen = name == "link" and bool(rest)
    if code_seen:
        await event.users.accounts.burn(rest)
    await refer_to_private_chat(event, name, "t_code_seen" if code_seen else "t_private")


async def show_again(event: ChatEvent, job: Job) -> None:
    """Post a finished clip again, by its file id on Telegram or else from disk.

    Raises:
        NothingToFetch: the clip was deleted.
    """
    context = event.context
    at = address_of(event.user, event.message, 0, event.locale, spoiler=is_veiled(job))
    file_id = await context.services.state.recall(FILE_IDS, job.id)
    if file_id is not None:
        try:
            telling = await context.delivery.telling(job, at)
            sent = await context.messages.repost_clip(job, str(file_id), at, telling)
        except NOT_THERE as error:  # Telegram forgot it, or the chat takes none
            log.info("copy_unusable", reason=str(error)[:80])
        else:
            await context.delivery.note_copy(job, sent)
            return
    await context.delivery.post(job, await event.users.clips.get(event.caller, job.id), at)


async def forget_all(event: ChatEvent) -> int:
    """Delete everything stored of the person; returns how many jobs there were."""
    before: int | None = None
    while jobs := await event.users.jobs(event.caller, BATCH, before):
        before = jobs[-1].number
        for job in jobs:
            await event.context.services.state.remember(FILE_IDS, job.id, None)
    await event.context.forms.forget(event.caller)
    count = await event.users.forget(event.caller)
    event.context.languages.forget(event.user.id)
    return count
