"""Publish, take down and report on Telegram; all of it in the private chat of one person.

A press in a group opens the private chat by a link that names the group, whose feed is meant: it
is asked whether the person belongs to it.
"""

import re
from dataclasses import replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.shared.feed_texts import decided_text, offer_text, post_text
from bots.telegram.address import PLATFORM, display_name
from bots.telegram.chat_event import ChatEvent
from bots.telegram.messages import edit_text
from bots.telegram.rendering import callback_data
from core.domain.followups import Action
from core.domain.people import Caller
from core.errors import JobUnknown, NotYours
from core.i18n.messages import name, say
from core.service.user_feed import FeedPost, ReportDecision, ReportReason

PUBLISH_LINK, REPORT_LINK = "publish_", "report_"  # what deep links begin with
TAKE_DOWN, REPORT, ANSWER = "takedown", "report", "answer"  # the actions of buttons
WITH, WITHOUT, SEND = "with", "plain", "send"  # values of buttons
_PUBLISH = re.compile(r"publish_(?P<job>[0-9a-f]{32})(?:_(?P<chat>\d{1,14}))?")
_CHOICE = re.compile(r"(?P<how>with|plain)(?:\.(?P<chat>-\d{1,14}))?")


def publish_link(job_id: str, chat_id: int) -> str:
    """Name what the private chat opens with to publish a clip into the feed of a group."""
    return f"{PUBLISH_LINK}{job_id}_{-chat_id}"


async def show_offer_by_link(event: ChatEvent, link: str) -> None:
    """Say where a clip of the person would be published, as a link from a group asks.

    Raises:
        JobUnknown: the link is none.
        NotYours: the person does not belong to the group.
        ClapperError: it cannot be published.
    """
    found = _PUBLISH.fullmatch(link)
    if found is None:
        raise JobUnknown(link[:40])
    await show_offer(event, found["job"], f"-{found['chat']}" if found["chat"] else "")


async def show_offer(event: ChatEvent, job_id: str, chat: str = "") -> None:
    """Say where a clip of the person would be published, with buttons that do it.

    Args:
        event: in the private chat.
        job_id: which.
        chat: the group whose feed is meant; empty: the private chat's.
    """
    offer = await event.users.feed.offer(await _caller_from(event, chat, job_id), job_id)
    locale = event.locale
    if offer.post is not None and offer.post.shown:
        await event.reply(offer_text(event.texts, offer), _take_down(offer.post, locale))
        return
    ways = [(WITH, "publish_prompt_label"), (WITHOUT, "publish_plain_label")]
    if not offer.tells_prompt:
        ways = [(WITHOUT, "publish_label")]
    rows = [
        [
            InlineKeyboardButton(
                say(label, {}, locale),
                callback_data=callback_data(
                    Action.PUBLISH, job_id, f"{how}.{chat}" if chat else how
                ),
            )
        ]
        for how, label in ways
    ]
    await event.reply(offer_text(event.texts, offer), InlineKeyboardMarkup(rows))


async def publish(event: ChatEvent, job_id: str, value: str) -> None:
    """Publish a clip of the person, as they chose; without a choice, offer it."""
    chosen = _CHOICE.fullmatch(value)
    if chosen is None:
        await show_offer(event, job_id)
        return
    caller = await _caller_from(event, chosen["chat"] or "", job_id)
    with_prompt = chosen["how"] == WITH
    shown = display_name(event.user)
    post = await event.users.feed.publish(caller, job_id, shown, with_prompt=with_prompt)
    told = post_text(event.texts, post)
    await edit_text(event.context, event.message, told, _take_down(post, event.locale))


async def take_down(event: ChatEvent, post_id: str) -> None:
    """Take a post down: the person's own, or any for an operator."""
    post = await event.users.feed.take_down(event.caller, post_id)
    told = event.texts.say("publish_gone", title=post.target.title)
    await edit_text(event.context, event.message, told, None)


async def ask_reason(event: ChatEvent, post_id: str) -> None:
    """Ask why a post is reported; makers and operators get what they may do instead."""
    users, locale = event.users, event.locale
    post = await users.feed.seen(post_id)
    own = await users.feed.is_own(event.caller, post)
    if own or users.is_operator(event.caller):
        code = "report_own" if own else "report_operator"
        await event.reply(event.texts.say(code), _take_down(post, locale))
        return
    rows = [
        [
            InlineKeyboardButton(
                name(f"report_{reason}", locale),
                callback_data=callback_data(REPORT, post_id, reason),
            )
        ]
        for reason in ReportReason
    ]
    plain = callback_data(REPORT, post_id, SEND)
    rows.append([InlineKeyboardButton(say("report_label", {}, locale), callback_data=plain)])
    await event.reply(event.texts.say("t_report_ask"), InlineKeyboardMarkup(rows))


async def report(event: ChatEvent, post_id: str, value: str) -> None:
    """Pass a report on; without a choice, ask why."""
    if value not in {SEND, *ReportReason}:
        await ask_reason(event, post_id)
        return
    await event.users.feed.report(event.caller, post_id, "" if value == SEND else value)
    await edit_text(event.context, event.message, event.texts.say("report_sent"), None)


async def answer_report(event: ChatEvent, post_id: str, value: str) -> None:
    """Do what an operator answers to the reports of a post.

    Raises:
        OperatorsOnly: the person is none.
    """
    feed = event.users.operator(event.caller).feed
    if value not in set(ReportDecision):
        return
    decision = ReportDecision(value)
    done = await feed.decide(post_id, decision)
    told = decided_text(event.texts, done, decision)
    await edit_text(event.context, event.message, told, None)


def report_buttons(post_id: str, locale: str | None) -> list[InlineKeyboardButton]:
    """Build the buttons with which an operator answers the reports of a post."""
    return [
        InlineKeyboardButton(
            say(f"report_{one}_label", {}, locale),
            callback_data=callback_data(ANSWER, post_id, one),
        )
        for one in ReportDecision
    ]


def _take_down(post: FeedPost, locale: str | None) -> InlineKeyboardMarkup:
    label = say("take_down_label", {}, locale)
    data = callback_data(TAKE_DOWN, post.id)
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=data)]])


async def _caller_from(event: ChatEvent, chat: str, job_id: str) -> Caller:
    """Return the person as if they wrote in a group of theirs, about a job there.

    Raises:
        NotYours: they do not belong to it.
    """
    caller = event.caller
    if not chat:
        return caller
    if not await event.context.directory.is_member(caller.requester.user_id, chat):
        raise NotYours(job_id)
    return replace(caller, place=f"{PLATFORM}:{chat}", asker=replace(caller.asker, channel=chat))
