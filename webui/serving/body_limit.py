"""How much a request may bring, counted while it comes, whatever it says of its own length.

Gradio reads a body into memory as a whole, some ten times over, and takes a thousand files of the
largest size in one form; it has a limit for a single file only. The interface of programs and the
tools for agents count for themselves, since they answer in a form of their own.
"""

import re

from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import InvalidInput
from core.i18n.messages import explain
from webui.answer_headers import PRIVATE
from webui.views.errors import error_body

MOST_BYTES = 1 << 20  # of all that is no file; a whole form of the page has 256 KB
_FRAMING_BYTES = 10_000  # of a form around its file, at most
_TOO_LARGE = 413
_UPLOAD = re.compile(r"/(gradio_api/)?upload/?")
_COUNTED_THERE = re.compile(r"/(api/v1/.*|mcp/?)")


class RequestTooLarge(InvalidInput):
    """More bytes than anything needs that is sent there."""

    limit_bytes: int


class BodyLimit:
    """ASGI layer that ends a body once it is larger than it may be, and says so."""

    def __init__(self, app: ASGIApp, largest_file_bytes: int) -> None:
        """Take the application, and what a file may have."""
        self._app = app
        self._largest_file_bytes = largest_file_bytes
        self._uploads = RequestBodyLimitMiddleware(app, largest_file_bytes + _FRAMING_BYTES)
        self._rest = RequestBodyLimitMiddleware(app, MOST_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its limit."""
        if scope["type"] != "http" or _COUNTED_THERE.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        upload = _UPLOAD.fullmatch(scope["path"]) is not None
        counted = self._uploads if upload else self._rest
        passing = _WithoutRefusals(send)
        await counted(scope, receive, passing)
        if passing.too_large:
            told = self._of_file() if upload else _of_request()
            await told(scope, receive, send)

    def _of_file(self) -> Response:
        sentence = explain(RequestTooLarge(self._largest_file_bytes))
        return PlainTextResponse(sentence, _TOO_LARGE)  # as Gradio's uploader shows it


class _WithoutRefusals:
    """Passes an answer on, except one that says no more than that something was too large."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.too_large = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.too_large = message["status"] == _TOO_LARGE
        if not self.too_large:
            await self._send(message)


def _of_request() -> Response:
    return JSONResponse(error_body(RequestTooLarge(MOST_BYTES)), _TOO_LARGE, headers=PRIVATE)
