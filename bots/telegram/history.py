"""A page of a person's own jobs in their private chat: one picture of all stills, and buttons.

Telegram shows buttons under one message and not under an album, and turns a page by editing that
message; so the stills are one picture, numbered as the buttons are.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.shared.history import history_text
from bots.shared.stills import stills_of
from bots.telegram.address import is_veiled
from bots.telegram.chat_event import ChatEvent
from bots.telegram.contact_sheet import contact_sheet
from bots.telegram.messages import AnswerLost, edit_photo, edit_text, reply_photo
from bots.telegram.outgoing import Photo
from bots.telegram.rendering import CAPTION_LIMIT, TEXT_LIMIT, callback_data
from core.domain.followups import Action, actions_for
from core.domain.jobs import Job
from core.i18n.messages import say

PAGE = 5  # jobs on a page


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """What a page shows; the picture is None where it has no stills."""

    text: str
    markup: InlineKeyboardMarkup
    photo: Photo | None


async def show_history(event: ChatEvent) -> None:
    """Answer with the newest page."""
    page = await _page(event, 1)
    if page.photo is not None:
        try:
            await reply_photo(event.context, event.message, page.photo, page.text, page.markup)
        except AnswerLost:  # the chat takes no pictures
            page = await _page(event, 1, stills=False)
        else:
            return
    await event.reply(page.text, page.markup)


async def turn_history(event: ChatEvent, number: int) -> None:
    """Show another page in place of the one whose button was pressed.

    A message with a picture keeps one, of empty tiles where no clip is left.
    """
    page = await _page(event, number, empty=bool(event.message.photo))
    if page.photo is None:
        await edit_text(event.context, event.message, page.text, page.markup)
    else:
        await edit_photo(event.context, event.message, page.photo, page.text, page.markup)


async def _page(
    event: ChatEvent, number: int, *, stills: bool = True, empty: bool = False
) -> HistoryPage:
    jobs = await event.users.jobs(event.caller, number * PAGE + 1)
    shown = jobs[(number - 1) * PAGE : number * PAGE]
    photo = await _photo(event, shown, empty=empty) if stills else None
    limit = TEXT_LIMIT if photo is None else CAPTION_LIMIT
    text = history_text(event.texts, shown, number, limit)
    return HistoryPage(
        text, _keyboard(event, shown, number, older=len(jobs) > number * PAGE), photo
    )


async def _photo(event: ChatEvent, jobs: Sequence[Job], *, empty: bool) -> Photo | None:
    found = await stills_of(event.users.clips, event.caller, jobs)
    if not found and not empty:
        return None
    pictures = [found.get(job.id) for job in jobs] or [None]
    sheet = await asyncio.to_thread(contact_sheet, pictures)
    return Photo(sheet, veiled=any(job.id in found and is_veiled(job) for job in jobs))


def _keyboard(
    event: ChatEvent, jobs: Sequence[Job], page: int, *, older: bool
) -> InlineKeyboardMarkup:
    fetch = [
        InlineKeyboardButton(str(number), callback_data=callback_data(Action.FETCH, job.id))
        for number, job in enumerate(jobs, 1)
        if Action.FETCH in actions_for(job)
    ]
    turn: list[InlineKeyboardButton] = []
    for label, other, there in (
        ("newer_label", page - 1, page > 1),
        ("older_label", page + 1, older),
    ):
        if there:
            data = callback_data("page", str(event.user.id), str(other))
            turn.append(InlineKeyboardButton(say(label, {}, event.locale), callback_data=data))
    return InlineKeyboardMarkup([row for row in (fetch, turn) if row])
