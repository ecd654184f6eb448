"""Bot API servers older than times that count down: they get the words without the tag."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from telegram.error import BadRequest
from telegram.ext import BaseRateLimiter

log = structlog.get_logger(__name__)

COUNTDOWN = re.compile(r"</?tg-time\b[^>]*>")
TEXT = "text"  # the only field of ours in which a time can stand


class OlderServers(BaseRateLimiter[None]):
    """Passes every call on; the library's own place for that is the one for a limit of rates.

    Nothing tells what a server knows, so the first refusal does, and from then on no tag is sent.
    """

    def __init__(self) -> None:
        self._counts_down = True

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,  # noqa: ANN401  # the library's signature
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Any:  # noqa: ANN401  # the library's signature
        """Run ``callback``; where the server does not know countdowns, with clock times.

        Raises:
            BadRequest: refused for another reason.
        """
        del endpoint, rate_limit_args
        if not self._counts_down:
            _plain(data)
        try:
            return await callback(*args, **kwargs)
        except BadRequest as refused:
            if "tg-time" not in refused.message or not _plain(data):
                raise
            log.warning("server_knows_no_countdown")
            self._counts_down = False
            return await callback(*args, **kwargs)

    async def initialize(self) -> None:
        """Do nothing: there is nothing to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to close."""


def _plain(data: dict[str, Any]) -> bool:
    """Leave only the words of countdowns in a call's text; returns whether there was one."""
    text = data.get(TEXT)
    if not isinstance(text, str) or COUNTDOWN.search(text) is None:
        return False
    data[TEXT] = COUNTDOWN.sub("", text)
    return True
