"""Fetch updates, and keep from the library what it does not survive.

An update that it cannot read, such as of a server of another version, is left out: the library
gives up a whole batch for one of them, asks for the same batch again without end, and logs what
people wrote in it. A refused token is an error like others until it was refused several times: the
library ends polling at the first, and tells nobody.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any, cast

import structlog
from telegram import Update

from bots.telegram.held_requests import HeldRequest
from core.domain.decoding import DECODING_ERRORS
from core.interfaces.terms import Term

log = structlog.get_logger(__name__)

ID = "update_id"
REFUSALS = 3  # in a row; a single one may come from a server in trouble
_NO_TOKEN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND})  # of getUpdates


class UpdatesRequest(HeldRequest):
    """Fetches updates; lets none through that cannot be read, nor that the token is refused."""

    def __init__(self, term: Term, refused: asyncio.Event, **options: Any) -> None:  # noqa: ANN401  # of the library
        """Take the term, what to set once the token is refused, and the library's own options."""
        super().__init__(term, **options)
        self._refused = refused
        self._refusals = 0

    async def do_request(self, *args: Any, **options: Any) -> tuple[int, bytes]:  # noqa: ANN401  # of the library
        """Send a request.

        Raises:
            BotNotHeld: another node may hold the bot.
        """
        code, payload = await super().do_request(*args, **options)
        self._refusals = self._refusals + 1 if code in _NO_TOKEN else 0
        if self._refusals >= REFUSALS:
            self._refused.set()
        return (HTTPStatus.BAD_GATEWAY if self._refusals else code), readable_answer(payload)


def readable_answer(payload: bytes) -> bytes:
    """Return an answer to ``getUpdates`` in which each update can be read; other answers as is."""
    try:
        answer: Any = json.loads(payload)
    except ValueError:
        return payload
    found = cast("dict[str, Any]", answer).get("result") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        return payload
    given = cast("list[Any]", found)
    updates = [readable_update(one) for one in given]
    return payload if updates == given else json.dumps({**answer, "result": updates}).encode()


def readable_update(update: Any) -> Any:  # noqa: ANN401  # of a server
    """Return an update as it is, or empty where it cannot be read; its number confirms it."""
    if not isinstance(update, dict):
        return update
    fields = cast("dict[str, Any]", update)
    try:
        Update.de_json(fields)
    except DECODING_ERRORS as error:
        log.warning("update_unreadable", reason=type(error).__name__, fields=sorted(fields))
        return {ID: fields.get(ID, 0)}
    return fields
