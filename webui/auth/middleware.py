"""Identify the visitor of every request, before anything else, and the files it may fetch."""

import json
import re
from collections.abc import Awaitable, Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import IntakeClosed
from core.i18n.messages import explain
from webui.auth.client_address import is_https, secure_cookies
from webui.auth.cookies import PARTITIONED
from webui.auth.uploads import Uploads
from webui.auth.visitors import COOKIE, COOKIE_LIFE_S, Visitor, VisitorAuthenticator

_FILE = re.compile(r"/(?:gradio_api/)?file[=/](?P<path>.+)$")
_UPLOAD = re.compile(r"/(?:gradio_api/)?upload/?$")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# what a closed Studio answers before the sign-in; Gradio asks for the last one at its start
_OPEN = re.compile(
    r"/(login(/huggingface|/callback)?|logout|healthz|metrics|gradio_api/startup-events)/?$"
    r"|/api/v1/.*$"  # asks for tokens itself
    r"|/originals/[^/]+/[^/]+\.mp4$"  # the address itself is the permission
)

SignInPage = Callable[[HTTPConnection], Response]


def visitor_of(connection: HTTPConnection) -> Visitor | None:
    """Return who :class:`VisitorMiddleware` found."""
    return getattr(connection.state, "visitor", None)


class VisitorMiddleware:
    """ASGI middleware in front of the page, its API and our own addresses."""

    def __init__(
        self,
        app: ASGIApp,
        authenticator: VisitorAuthenticator,
        uploads: Uploads,
        sign_in_page: SignInPage,
        keep: Callable[[str, Visitor], Awaitable[None]],
        has_room: Callable[[int], bool],
        *,
        secure: bool,
    ) -> None:
        """Take who knows people and uploads, and the page for those who have to sign in.

        ``keep`` notes whose an upload is, ``has_room`` says whether the disk takes so many bytes
        more; ``secure`` marks cookies for an embedded page.
        """
        self._app = app
        self._authenticator = authenticator
        self._uploads = uploads
        self._sign_in_page = sign_in_page
        self._keep = keep
        self._has_room = has_room
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Identify the visitor and pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        visitor = self._authenticator.visitor(connection)
        connection.state.visitor = visitor
        refusal = self._refusal(connection, visitor)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        passing = _Answer(send)
        passing.over_https = is_https(connection)
        passing.keep_body = visitor is not None and _is_upload(scope)
        if visitor is not None and visitor.cookie is not None and scope["method"] in _SAFE:
            passing.cookie = self._cookie(visitor.cookie)
        await self._app(scope, receive, passing)
        if visitor is not None and passing.keep_body and passing.status == 200:
            for path in _paths(passing.body):
                await self._keep(path, visitor)
        await passing.finish()

    def _refusal(self, connection: HTTPConnection, visitor: Visitor | None) -> Response | None:
        """Return the answer to a request that goes no further, None for all others."""
        path, method = connection.scope["path"], connection.scope["method"]
        if visitor is None and not _OPEN.fullmatch(path):
            at_the_page = path == "/" and method in _SAFE
            return self._sign_in_page(connection) if at_the_page else PlainTextResponse("", 401)
        if self._foreign_file(path, visitor):
            return PlainTextResponse("", 404)
        if _is_upload(connection.scope):
            return self._refuse_upload(connection, visitor)
        return None

    def _refuse_upload(
        self, connection: HTTPConnection, visitor: Visitor | None
    ) -> Response | None:
        """Return why an upload is not read at all, None where it is."""
        if visitor is not None and visitor.problem is not None:
            return PlainTextResponse(explain(visitor.problem), 400)
        size = int(declared) if (declared := _length(connection)).isdecimal() else 0
        if not self._has_room(size):
            return PlainTextResponse(explain(IntakeClosed("disk")), 507)
        return None

    def _foreign_file(self, address: str, visitor: Visitor | None) -> bool:
        found = _FILE.search(address)
        if found is None:
            return False
        path = unquote(found["path"])
        return not self._uploads.allows(path, visitor.requester if visitor else None)

    def _cookie(self, secret: str) -> str:
        jar: SimpleCookie = SimpleCookie()
        jar[COOKIE] = secret
        jar[COOKIE]["path"] = "/"
        jar[COOKIE]["max-age"] = COOKIE_LIFE_S
        jar[COOKIE]["httponly"] = True
        jar[COOKIE]["samesite"] = "None" if self._secure else "Lax"
        if self._secure:  # a Space is shown inside a frame of another site
            jar[COOKIE]["secure"] = True
        text = jar.output(header="").strip()
        return text + PARTITIONED if self._secure else text


class _Answer:
    """Passes an answer on, with our headers; upload answers are held until they are recorded."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.cookie = ""
        self.over_https = False
        self.keep_body = False
        self.status = 0
        self.body = b""
        self._held: list[Message] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.cookie:
                headers = MutableHeaders(scope=message)
                headers.append("Set-Cookie", self.cookie)
            if self.over_https:
                secure_cookies(MutableHeaders(scope=message))
        elif self.keep_body and message["type"] == "http.response.body":
            self.body += message.get("body", b"")
        if self.keep_body:
            self._held.append(message)
        else:
            await self._send(message)

    async def finish(self) -> None:
        """Send what was held."""
        for message in self._held:
            await self._send(message)


def _is_upload(scope: Scope) -> bool:
    return scope["method"] == "POST" and _UPLOAD.search(scope["path"]) is not None


def _length(connection: HTTPConnection) -> str:
    return connection.headers.get("content-length", "")[:15]


def _paths(body: bytes) -> list[str]:
    try:
        found: list[Any] = json.loads(body)
    except ValueError:
        return []
    return [path for path in found if isinstance(path, str)]
