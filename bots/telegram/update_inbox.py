"""Keep every update in the database until it is handled.

python-telegram-bot confirms updates when it fetches them, so a process that is killed right then
would lose what people wrote. What was not handled is handled at the next start; what Telegram sends
again is left out.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import structlog
from telegram import Bot, Update
from telegram.ext import BaseUpdateProcessor

from bots.telegram.held_requests import BotNotHeld
from core.domain.decoding import DECODING_ERRORS
from core.interfaces.terms import Term
from core.runtime.tasks import outcome_of
from core.service.front_services import FrontState

log = structlog.get_logger(__name__)

FRONT = "telegram-inbox"
LIFETIME_MS = 48 * 3600 * 1000  # Telegram repeats unconfirmed updates for 24 hours
MAX_CONCURRENT = 4096  # updates; those of one person wait for each other and fill places
HANDLED = True


class UpdateInbox(asyncio.Queue[object]):
    """The library's queue of updates, kept in the database."""

    def __init__(self, state: FrontState, term: Term) -> None:
        super().__init__()
        self._state = state
        self.term = term

    async def put(self, item: object) -> None:
        """Store ``item``, then queue it; leave out an update that is known.

        Raises:
            BotNotHeld: another node gets it, as it is not confirmed.
        """
        if isinstance(item, Update) and not self.term.held:
            raise BotNotHeld
        if isinstance(item, Update):
            kept = await outcome_of(self._keep(item))
            if kept.error is not None:  # better handled without being stored than not at all
                log.error("update_not_kept", exc_info=kept.error)
            elif not kept.value:
                return
        await super().put(item)

    async def replay(self, bot: Bot) -> None:
        """Queue what an earlier process of the same bot did not handle, oldest first."""
        kept = await self._state.recall_all(FRONT)
        left = [value for name, value in kept.items() if _is_unhandled(name, value, bot)]
        updates = [update for value in left if (update := _read(value, bot)) is not None]
        for update in sorted(updates, key=lambda update: update.update_id):
            await super().put(update)

    async def prune(self) -> None:
        """Drop updates so old that Telegram does not send them again."""
        await self._state.forget_older(FRONT, LIFETIME_MS)

    async def mark_handled(self, update: Update) -> None:
        """Mark ``update`` as handled, and drop its content."""
        await self._state.remember(FRONT, _name(update), HANDLED)

    async def _keep(self, update: Update) -> bool:
        if await self._state.recall(FRONT, _name(update)) is not None:
            return False
        await self._state.remember(FRONT, _name(update), update.to_dict())
        return True


def _name(update: Update) -> str:
    return f"{update.get_bot().id}:{update.update_id}"


def _is_unhandled(name: str, value: object, bot: Bot) -> bool:
    return value is not HANDLED and name.startswith(f"{bot.id}:")


def _read(value: object, bot: Bot) -> Update | None:
    """Read a stored update; None where another version of the library wrote what this cannot."""
    try:
        return Update.de_json(cast("dict[str, Any]", value), bot)
    except DECODING_ERRORS as error:
        log.warning("update_unreadable", reason=type(error).__name__)
        return None


class InboxProcessor(BaseUpdateProcessor):
    """Handles many updates at once, and marks each as handled."""

    def __init__(self, inbox: UpdateInbox) -> None:
        super().__init__(MAX_CONCURRENT)
        self._inbox = inbox

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Handle ``update``; one that is interrupted is handled again at the next start."""
        await coroutine
        if isinstance(update, Update) and self._inbox.term.held:  # else it may be half done
            noted = await outcome_of(self._inbox.mark_handled(update))
            if noted.error is not None:
                log.error("update_not_noted", exc_info=noted.error)

    async def initialize(self) -> None:
        """Do nothing: there is nothing to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to close."""
