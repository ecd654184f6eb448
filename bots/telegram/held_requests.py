"""Let nothing leave for Telegram while another node may hold the bot."""

from typing import Any

from telegram.error import NetworkError
from telegram.request import HTTPXRequest

from core.interfaces.terms import Term


class BotNotHeld(NetworkError):
    """The bot is another node's; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("another node holds this bot")


class HeldRequest(HTTPXRequest):
    """Sends requests only while the term of the bot is held.

    Also a process that was stopped, and goes on in the middle of an answer, sends no more of it,
    and confirms no update that it did not keep.
    """

    def __init__(self, term: Term, **options: Any) -> None:  # noqa: ANN401  # of the library
        """Take the term, and the library's own options."""
        super().__init__(**options)
        self._term = term

    async def do_request(self, *args: Any, **options: Any) -> tuple[int, bytes]:  # noqa: ANN401  # of the library
        """Send a request.

        Raises:
            BotNotHeld: another node may hold the bot.
        """
        if not self._term.held:
            raise BotNotHeld
        return await super().do_request(*args, **options)
