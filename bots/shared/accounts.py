"""Joined accounts, as both platforms show them, and the private words that people are owed."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from bots.shared.texts import Texts
from core.accounts.community import Community
from core.accounts.notices import AccountNotice
from core.domain.people import Requester
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

AGAIN_S = 300.0  # until a word is tried again that did not reach its person


def handle_of(who: Requester) -> str:
    """Return what stands for an account in a button: 32 hex digits, whatever its id is."""
    return hashlib.sha256(who.key.encode()).hexdigest()[:32]


async def unlink(community: Community, person: Requester, handle: str) -> bool:
    """Take the account that a button names out of the person's; False where it is not in it."""
    for key in await community.accounts.keys(person):
        if handle_of(key) == handle:
            return await community.accounts.unlink(person, key)
    return False


def accounts_text(texts: Texts, keys: list[Requester], own: Requester) -> str:
    """Return the accounts that belong together, a line each."""
    if len(keys) == 1:
        return texts.say("unlink_none")
    me = texts.say("unlink_own")
    lines = [
        texts.say("unlink_line", who=f"{key.key} ({me})" if key == own else key.key) for key in keys
    ]
    return "\n".join([texts.say("unlink_head"), *lines])


async def tell(
    community: Community, platform: str, send: Callable[[AccountNotice], Coroutine[Any, Any, None]]
) -> None:
    """Hand out what people of ``platform`` are owed until cancelled; what fails is kept."""
    while True:
        new = community.notices.owing()
        for notice in await community.notices.owed(platform):
            done = await outcome_of(send(notice))
            if done.error is None:
                await community.notices.told(notice)
            else:
                log.info("notice_kept", reason=type(done.error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(new.wait(), AGAIN_S)
