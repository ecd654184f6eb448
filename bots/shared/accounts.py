"""Linked accounts as both platforms show them, and private notices to people."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from bots.shared.feed_texts import reported_text
from bots.shared.post_links import link_of
from bots.shared.texts import Texts
from core.domain.decoding import parse_words
from core.domain.people import Caller, Requester
from core.errors import PostUnknown
from core.i18n.messages import DEFAULT_LANGUAGE, name, sentences
from core.runtime.tasks import outcome_of
from core.service.front_services import AccountNotice, Notices
from core.service.user_accounts import UserAccounts
from core.service.user_feed import LOG, REPORTED, UserFeed

log = structlog.get_logger(__name__)

RETRY_S = 300.0  # until a notice is tried again that did not reach its person


def handle_of(who: Requester) -> str:
    """Derive the id of an account for a button: 32 hex digits, whatever its own id is."""
    return hashlib.sha256(who.key.encode()).hexdigest()[:32]


async def unlink(accounts: UserAccounts, caller: Caller, handle: str) -> bool:
    """Unlink the account that a button names; return False if it is not linked."""
    for key in await accounts.keys(caller):
        if handle_of(key) == handle:
            return await accounts.unlink(caller, key)
    return False


def accounts_text(texts: Texts, keys: list[Requester], own: Requester) -> str:
    """List the accounts that are linked, a line each."""
    if len(keys) == 1:
        return texts.say("unlink_none")
    me = texts.say("unlink_own")
    lines = [
        texts.say("unlink_line", who=f"{key.key} ({me})" if key == own else key.key) for key in keys
    ]
    return "\n".join([texts.say("unlink_head"), *lines])


def notice_text(texts: Texts, notice: AccountNotice) -> str:
    """Say what somebody is told; an alert of a kind without words of its own is named."""
    data: dict[str, str] = dict(notice.data)
    if notice.code == REPORTED:
        return reported_text(texts, data)
    if "reason" in data:
        data["reason"] = name(data["reason"], texts.locale)
    if notice.code not in sentences(DEFAULT_LANGUAGE):
        return texts.say("alert_other", kind=notice.code, swallowed=data.get("swallowed", "0"))
    return texts.say(notice.code, **data)


def logged_in(notice: AccountNotice) -> dict[str, str] | None:
    """Return the address of the log channel that a notice goes to; None: it goes to a person."""
    kept = notice.data.get(LOG)
    return parse_words(kept) if kept else None


async def post_link(feed: UserFeed, notice: AccountNotice) -> str:
    """Return the address of the post that a notice is about; empty where it has none."""
    post_id = notice.data.get("post")
    if not post_id:
        return ""
    try:
        return link_of(await feed.seen(post_id))
    except PostUnknown:
        return ""


async def tell(
    notices: Notices, platform: str, send: Callable[[AccountNotice], Coroutine[Any, Any, None]]
) -> None:
    """Send people of ``platform`` their notices until cancelled; keep those that fail.

    What was sent is not sent again where the database cannot note it, as on a full disk.
    """
    sent: set[int] = set()
    while True:
        new = notices.owing()
        told = await outcome_of(_tell_owed(notices, platform, send, sent))
        if told.error is not None:
            log.warning("notices_not_noted", exc_info=told.error)
        with suppress(TimeoutError):
            await asyncio.wait_for(new.wait(), RETRY_S)


async def _tell_owed(
    notices: Notices,
    platform: str,
    send: Callable[[AccountNotice], Coroutine[Any, Any, None]],
    sent: set[int],
) -> None:
    for notice in await notices.owed(platform):
        if notice.id not in sent:
            done = await outcome_of(send(notice))
            if done.error is not None:
                log.info("notice_kept", reason=type(done.error).__name__)
                continue
            sent.add(notice.id)
        await notices.told(notice)
        sent.discard(notice.id)
