"""Compress what is text and known as a whole: the page, its configuration, answers of the API.

A stream is never held up: only an answer that says how long it is is compressed. Clips and pictures
are compressed already.
"""

import asyncio
import gzip
from typing import Any

import brotli  # pyright: ignore[reportMissingTypeStubs]  # it has none
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TEXTS = ("text/html", "text/css", "text/javascript", "application/javascript", "application/json")
_LEAST = 1000  # bytes; below, one packet takes it either way
_MOST = 8_000_000  # bytes of an answer that is held in memory
_AT_ONCE = 50_000  # bytes that are compressed in a few milliseconds
BROTLI_QUALITY, GZIP_LEVEL = 5, 8  # 570 kB of page: to 59 and 69 kB in some 12 ms each


def compress(content: bytes, accepted: str, quality: int = BROTLI_QUALITY) -> tuple[bytes, str]:
    """Compress ``content`` as a client accepts it; return it with the name of the encoding.

    The name is empty where the client takes neither Brotli nor gzip.
    """
    codings = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
    if "br" in codings:
        brotlis: Any = brotli  # it has no types
        return bytes(brotlis.compress(content, quality=quality)), "br"
    if "gzip" in codings:
        return gzip.compress(content, GZIP_LEVEL, mtime=0), "gzip"
    return content, ""


class Compression:
    """ASGI layer that compresses whole texts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        accepted = Headers(scope=scope).get("accept-encoding", "") if "headers" in scope else ""
        if scope["type"] != "http" or scope["method"] == "HEAD" or not accepted:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Whole(send, accepted))


class _Whole:
    """Holds back one answer until it is whole, if it may be compressed."""

    def __init__(self, send: Send, accepted: str) -> None:
        self._send = send
        self._accepted = accepted
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _compressible(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        content = b"".join(self._parts)
        if len(content) > _AT_ONCE:
            body, coding = await asyncio.to_thread(compress, content, self._accepted)
        else:
            body, coding = compress(content, self._accepted)
        headers = MutableHeaders(raw=start["headers"])
        if coding:
            headers["Content-Encoding"] = coding
        headers["Content-Length"] = str(len(body))
        headers.add_vary_header("Accept-Encoding")
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def _compressible(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    length = headers.get("content-length", "")
    return (
        start["status"] == 200
        and "content-encoding" not in headers
        and headers.get("content-type", "").split(";")[0].strip().lower() in _TEXTS
        and length.isdecimal()
        and _LEAST <= int(length) <= _MOST
    )
