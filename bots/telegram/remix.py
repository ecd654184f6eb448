"""Details and Remix under a clip that everybody of a group sees.

Details open in the private chat, whose link names the message: it is asked whether that shows the
clip to all, and whether the person belongs to the group. Remix begins a form in the group.
"""

import re
from dataclasses import replace

from telegram import ForceReply, Message

from bots.shared.cutting import cut
from bots.shared.public_jobs import details_text, remix_source
from bots.telegram.address import PLATFORM, is_veiled
from bots.telegram.chat_event import ChatEvent
from bots.telegram.request_form import RequestForm
from core.domain.followups import Action, options_of
from core.domain.lineage import JobOrigin
from core.domain.people import Caller
from core.errors import JobUnknown, NotYours
from core.i18n.messages import say
from core.service.public_clips import Remixable

SEEN_LINK = "seen_"  # what a deep link to the details of somebody else's clip begins with
REMIX_LINK = "remix_"  # and to a form with what it was made with
_SEEN = re.compile(r"(?:seen|remix)_(?P<job>[0-9a-f]{32})_(?P<chat>\d{1,14})_(?P<message>\d{1,10})")
QUOTED = 3500  # units of a prompt in a question


def post_of(message: Message) -> str:
    """Name the message whose button was pressed."""
    return f"{message.chat_id}/{message.message_id}"


async def details_link(event: ChatEvent, job_id: str) -> str:
    """Name what the private chat opens with for details of a clip that all see in this group.

    Raises:
        JobUnknown: there is no such job.
        NotYours: this message does not show its clip to all.
    """
    await event.users.public.job(event.caller, job_id, post_of(event.message))
    return _link(SEEN_LINK, event.message, job_id)


def remix_link(message: Message, job_id: str) -> str:
    """Name what the private chat opens with to remix a clip that all see in this channel."""
    return _link(REMIX_LINK, message, job_id)


def _link(begins: str, message: Message, job_id: str) -> str:
    return f"{begins}{job_id}_{-message.chat_id}_{message.message_id}"


async def show_details(event: ChatEvent, job_id: str) -> None:
    """Answer with the details of a job of the person, or of one whose clip all see here.

    Raises:
        JobUnknown: there is no such job.
        NotYours: it belongs to somebody else.
    """
    post = post_of(event.message)
    text = await details_text(event.users, event.caller, event.texts, job_id, post)
    await event.reply(text)


async def show_seen(event: ChatEvent, link: str) -> None:
    """Answer with the details of a clip that all see in a group of the person.

    Raises:
        JobUnknown: there is no such job.
        NotYours: the link says otherwise than it is, or the person does not belong to the group.
    """
    there, job_id, post = await _seen(event, link)
    await event.reply(await details_text(event.users, there, event.texts, job_id, post))


async def begin_remix_by_link(event: ChatEvent, link: str) -> None:
    """Begin a form in the private chat with a clip that all see in a channel of the person.

    Raises:
        JobUnknown: there is no such job.
        NotYours: the link says otherwise than it is, or the person does not belong there.
        Refused: access, or a rule of the place.
    """
    there, job_id, post = await _seen(event, link)
    await event.users.access.check(event.caller)
    await _begin(event, await remix_source(event.users, there, job_id, post))


async def _seen(event: ChatEvent, link: str) -> tuple[Caller, str, str]:
    """Return the person as of the chat of a link, the job and the message.

    Raises:
        JobUnknown: it is none.
        NotYours: the person does not belong to that chat.
    """
    found = _SEEN.fullmatch(link)
    if found is None:
        raise JobUnknown(link[:40])
    chat, job_id = f"-{found['chat']}", found["job"]
    if not await event.context.directory.is_member(str(event.user.id), chat):
        raise NotYours(job_id)
    there = replace(event.caller, place=f"{PLATFORM}:{chat}")
    return there, job_id, f"{chat}/{found['message']}"


async def begin_remix(event: ChatEvent, job_id: str) -> None:
    """Begin a form with the settings of a clip that all see here, and ask for the prompt.

    Raises:
        JobUnknown: there is no such job.
        NotYours: this message does not show its clip to all.
        Refused: access, or a rule of the place.
    """
    await event.users.access.check(event.caller)
    await event.context.permissions.check(event.message)
    post = post_of(event.message)
    await _begin(event, await remix_source(event.users, event.caller, job_id, post))


async def _begin(event: ChatEvent, source: Remixable) -> None:
    request, texts = source.job.request, event.texts
    form = RequestForm(
        mode=request.mode,
        options=replace(options_of(request, event.users.limits), prompt="", seed=None),
        media=source.media,
        spoiler=is_veiled(source.job),
        origin=JobOrigin(Action.REMIX, source.job.id),
        style=request.style,
    )
    await event.context.forms.save(event.caller, event.message.chat_id, form)
    prompt = texts.markup.quote(cut(request.prompt, QUOTED, texts.markup.units))
    question = (
        say("t_remix_prompt", {"prompt": prompt}, event.locale)
        if request.prompt
        else texts.say("t_ask_prompt")
    )
    await event.reply(question, ForceReply(selective=True))
