"""How the local Discord reads and writes HTTP bodies."""

import json
from typing import Any, cast

from aiohttp import web

from tests.support.platforms.discord.world import BOT_USER

BOT = {
    "id": str(BOT_USER),
    "username": "clapper",
    "discriminator": "0",
    "bot": True,
    "avatar": None,
}


class DiscordError(Exception):
    """An answer other than success, in Discord's format."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.payload = {"code": code, "message": message}


def answer(data: object, status: int = 200) -> web.Response:
    """Return JSON with the exact content type that discord.py needs to parse it."""
    response = web.Response(body=json.dumps(data).encode(), status=status)
    response.headers["Content-Type"] = "application/json"
    return response


async def body(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the JSON payload of a request, and its files by name."""
    if not request.content_type.startswith("multipart/"):
        text = await request.text()
        return (json.loads(text) if text else {}), {}
    payload: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    async for part in await request.multipart():
        field = cast("Any", part)
        if field.name == "payload_json":
            payload = json.loads(await field.text())
        elif field.filename:
            files[field.filename] = bytes(await field.read())
    return payload, files
