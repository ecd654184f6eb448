"""Support Bot API servers without ``<tg-time>`` (times that count down): send plain words."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from telegram.error import BadRequest
from telegram.ext import BaseRateLimiter

log = structlog.get_logger(__name__)

COUNTDOWN = re.compile(r"</?tg-time\b[^>]*>")
TEXT = "text"  # the only field in which Clapper writes times


class LegacyServerAdapter(BaseRateLimiter[None]):
    """Removes countdown tags once the server refused one; no call tells a server's version.

    It is a rate limiter because that is where python-telegram-bot lets all calls be intercepted.
    """

    def __init__(self) -> None:
        self._has_countdown = True

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,  # noqa: ANN401  # the library's signature
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Any:  # noqa: ANN401  # the library's signature
        """Run ``callback``; without countdown tags where the server does not know them.

        Raises:
            BadRequest: the server refused the call for another reason.
        """
        del endpoint, rate_limit_args
        if not self._has_countdown:
            _strip_countdown(data)
        try:
            return await callback(*args, **kwargs)
        except BadRequest as refused:
            if "tg-time" not in refused.message or not _strip_countdown(data):
                raise
            log.warning("server_knows_no_countdown")
            self._has_countdown = False
            return await callback(*args, **kwargs)

    async def initialize(self) -> None:
        """Do nothing: there is nothing to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to close."""


def _strip_countdown(data: dict[str, Any]) -> bool:
    """Replace countdowns in a call's text by their words; returns whether there was one."""
    text = data.get(TEXT)
    if not isinstance(text, str) or COUNTDOWN.search(text) is None:
        return False
    data[TEXT] = COUNTDOWN.sub("", text)
    return True
