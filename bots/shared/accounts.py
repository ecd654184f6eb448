"""Linked accounts as both platforms show them, and private notices to people."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from bots.shared.texts import Texts
from core.accounts.linked_accounts import Notice
from core.accounts.moderation import Community
from core.domain.people import Requester
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

RETRY_S = 300.0  # until a notice is tried again that did not reach its person


def handle_of(who: Requester) -> str:
    """Derive the id of an account for a button: 32 hex digits, whatever its own id is."""
    return hashlib.sha256(who.key.encode()).hexdigest()[:32]


async def unlink(community: Community, person: Requester, handle: str) -> bool:
    """Unlink the account that a button names; return False if it is not linked."""
    for key in await community.keys(person):
        if handle_of(key) == handle:
            return await community.unlink(person, key)
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


async def tell(
    community: Community, platform: str, send: Callable[[Notice], Coroutine[Any, Any, None]]
) -> None:
    """Send people of ``platform`` their notices until cancelled; keep those that fail."""
    while True:
        new = community.owing()
        for notice in await community.notices(platform):
            done = await outcome_of(send(notice))
            if done.error is None:
                await community.told(notice)
            else:
                log.info("notice_kept", reason=type(done.error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(new.wait(), RETRY_S)
