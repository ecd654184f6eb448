"""Leave out updates that the library cannot read, such as of a server of another version.

The library gives up a whole batch for one of them, asks for the same batch again without end, and
logs what people wrote in it.
"""

import json
from typing import Any, cast

import structlog
from telegram import Update

from bots.telegram.held_requests import HeldRequest
from core.domain.decoding import DECODING_ERRORS

log = structlog.get_logger(__name__)

ID = "update_id"


class UpdatesRequest(HeldRequest):
    """Fetches updates, and lets nothing through that cannot be read."""

    async def do_request(self, *args: Any, **options: Any) -> tuple[int, bytes]:  # noqa: ANN401  # of the library
        """Send a request.

        Raises:
            BotNotHeld: another node may hold the bot.
        """
        code, payload = await super().do_request(*args, **options)
        return code, readable_answer(payload)


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
