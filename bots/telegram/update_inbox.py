"""Every update is in the database before Telegram hears that we have it, until it is handled.

The library confirms updates when it fetches them, so a process that is killed right then would
lose what people wrote. What was not handled is handled at the next start; what Telegram repeats is
known and left out.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any
from weakref import WeakValueDictionary

import structlog
from telegram import Bot, Update
from telegram.ext import BaseUpdateProcessor

from core.accounts.community import Community
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

FRONT = "telegram-inbox"
LIFE_MS = 48 * 3600 * 1000  # Telegram repeats unconfirmed updates for 24 hours
AT_ONCE = 4096  # updates in hand; one person's wait for each other, so a few would not do
HANDLED = True


class Inbox(asyncio.Queue[object]):
    """The library's queue of updates, with a memory."""

    def __init__(self, community: Community) -> None:
        super().__init__()
        self._community = community

    async def put(self, item: object) -> None:
        """Keep ``item``, then queue it; a known update is left out."""
        if isinstance(item, Update):
            kept = await outcome_of(self._keep(item))
            if kept.error is not None:  # better handled without a net than not at all
                log.error("update_not_kept", exc_info=kept.error)
            elif not kept.value:
                return
        await super().put(item)

    async def replay(self, bot: Bot) -> None:
        """Queue what an earlier process of the same bot did not get to, oldest first."""
        kept = await self._community.state.recall_all(FRONT)
        left = [value for name, value in kept.items() if _is_left(name, value, bot)]
        for value in sorted(left, key=lambda value: value["update_id"]):
            await super().put(Update.de_json(value, bot))

    async def prune(self) -> None:
        """Drop what is so old that Telegram does not repeat it any more."""
        await self._community.state.forget_older(FRONT, LIFE_MS)

    async def handled(self, update: Update) -> None:
        """Note that nothing is left to do for ``update``, and forget what it says."""
        await self._community.state.remember(FRONT, _name(update), HANDLED)

    async def _keep(self, update: Update) -> bool:
        if await self._community.state.recall(FRONT, _name(update)) is not None:
            return False
        await self._community.state.remember(FRONT, _name(update), update.to_dict())
        return True


def _name(update: Update) -> str:
    return f"{update.get_bot().id}:{update.update_id}"


def _is_left(name: str, value: object, bot: Bot) -> bool:
    return value is not HANDLED and name.startswith(f"{bot.id}:")


class Handling(BaseUpdateProcessor):
    """Handles many updates at once; each is noted when it is done."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__(AT_ONCE)
        self._inbox = inbox

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Handle ``update``; what is cut off half-way is handled again at the next start."""
        await coroutine
        if isinstance(update, Update):
            noted = await outcome_of(self._inbox.handled(update))
            if noted.error is not None:
                log.error("update_not_noted", exc_info=noted.error)

    async def initialize(self) -> None:
        """Do nothing: there is nothing to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to close."""


class Lanes:
    """One thing at a time for each person in each chat, in the order in which it came."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()

    def of(self, chat_id: int, user_id: int) -> asyncio.Lock:
        """Return the lock to hold while a person's message or button is handled."""
        return self._locks.setdefault((chat_id, user_id), asyncio.Lock())
