"""Joined accounts, as both platforms show them, and the private words that people are owed."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from bots.shared.texts import Texts
from core.domain.people import Caller, Requester
from core.runtime.tasks import outcome_of
from core.service.front_services import Notice, Notices
from core.service.user_accounts import UserAccounts

log = structlog.get_logger(__name__)

AGAIN_S = 300.0  # until a word is tried again that did not reach its person


def handle_of(who: Requester) -> str:
    """Return what stands for an account in a button: 32 hex digits, whatever its id is."""
    return hashlib.sha256(who.key.encode()).hexdigest()[:32]


async def unlink(accounts: UserAccounts, caller: Caller, handle: str) -> bool:
    """Take the account that a button names out of the person's; False where it is not in it."""
    for key in await accounts.keys(caller):
        if handle_of(key) == handle:
            return await accounts.unlink(caller, key)
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
    notices: Notices, platform: str, send: Callable[[Notice], Coroutine[Any, Any, None]]
) -> None:
    """Hand out what people of ``platform`` are owed until cancelled; what fails is kept."""
    while True:
        new = notices.owing()
        for notice in await notices.notices(platform):
            done = await outcome_of(send(notice))
            if done.error is None:
                await notices.told(notice)
            else:
                log.info("notice_kept", reason=type(done.error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(new.wait(), AGAIN_S)
