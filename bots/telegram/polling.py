"""Tell whether Telegram is reached, by what becomes of polling."""

import asyncio
from collections.abc import Callable

import structlog
from telegram.error import Conflict, TelegramError

from bots.telegram.address import PLATFORM
from core.i18n.messages import say
from core.interfaces.terms import Term
from core.service.front_services import ConnectionState

log = structlog.get_logger(__name__)

# s; the library tries again at most 30 s after an error, and one try may take 10 s. It tells of
# errors only, so that there was none for so long means that Telegram answers
QUIET_S = 45.0


class Polling:
    """Notes errors of polling, and that there have been none for a while."""

    def __init__(self, connected: Callable[[str, ConnectionState], None], term: Term) -> None:
        """Take what is told whether the platform is reached, and the term of the bot."""
        self._connected = connected
        self._term = term
        self._quiet: asyncio.TimerHandle | None = None

    def failed(self, error: TelegramError) -> None:
        """Note that a poll failed."""
        if isinstance(error, Conflict):
            log.error("telegram_conflict", fix=say("t_conflict"))
            self._term.doubt()  # somebody else polls: no more of it before the rows were asked
        else:
            log.warning("polling_interrupted", reason=type(error).__name__)
        if self._quiet is not None:
            self._quiet.cancel()
        self._connected(PLATFORM, "disconnected")
        loop = asyncio.get_running_loop()
        self._quiet = loop.call_later(QUIET_S, self._connected, PLATFORM, "connected")
