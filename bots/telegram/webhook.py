"""Receive updates by webhook: a small server on loopback, behind the operator's https proxy.

python-telegram-bot has one, but it compares the secret with ``!=`` and needs another web server.
"""

import hmac
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import web
from telegram import Update
from telegram.ext import Application

from bots.telegram.readable_updates import readable_update

log = structlog.get_logger(__name__)

HEADER = "X-Telegram-Bot-Api-Secret-Token"
PATH = "/telegram"
MAX_UPDATE = 1_000_000  # bytes


@asynccontextmanager
async def webhook(
    app: Application[Any, Any, Any, Any, Any, Any], secret: str, port: int
) -> AsyncGenerator[int]:
    """Serve inside the block; yields the port."""

    async def receive(request: web.Request) -> web.Response:
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            log.warning("webhook_refused")
            return web.Response(status=401)
        update = Update.de_json(readable_update(await request.json()), app.bot)
        await app.update_queue.put(update)
        return web.Response()

    server = web.Application(client_max_size=MAX_UPDATE)
    server.add_routes([web.post(PATH, receive)])
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
