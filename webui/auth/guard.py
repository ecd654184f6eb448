"""The rule in front of everything: what another web site may do with a visitor's Studio: nothing.

It stands outside Gradio's own CORS rule, which answers every site. See :mod:`webui.auth.origin`
for who is a foreign page and :mod:`webui.auth.allowed_routes` for what there is.
"""

import re
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain.modes import MODES
from core.errors import ClapperError, NotAChoice, Refused
from core.settings import Settings
from webui.api.v1.problems import problem
from webui.auth.allowed_routes import NOWHERE, endpoint_in, exists, linked, of_programs
from webui.auth.origin import Origins
from webui.views.errors import error_body

JOB_ENDPOINTS = ("status", "cancel", "result", "follow_up")
ENDPOINTS = frozenset({*MODES, *JOB_ENDPOINTS})  # named ones of Gradio's
_READ = frozenset({"GET", "HEAD"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # no file and no id has them; a path with NUL is an error
_LONGEST_PATH, _LONGEST_NAME = 4096, 255  # bytes, of Linux
_ALLOW = "access-control-"
# the page of a Space stands in a frame of these
_SELF = "'self'"
_SPACE_FRAMES = "'self' https://huggingface.co https://*.huggingface.co"


class UnknownHost(Refused):
    """The Studio was reached by a name that is not its own."""

    host: str


class ForeignPage(Refused):
    """A page of another web site asks."""


class Guard:
    """ASGI middleware around the whole web application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Take the application, and the settings for its names and who may frame it."""
        self._app = app
        self._origins = Origins.of(settings)
        self._framed = settings.on_space
        ancestors = _SPACE_FRAMES if self._framed else _SELF
        self._headers = {
            "Content-Security-Policy": f"frame-ancestors {ancestors}",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "websocket":  # there is none, and CORS would not hold for it
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(HTTPConnection(scope))
        answer: ASGIApp = refusal or self._app
        await answer(scope, receive, self._passing(send))

    def _refusal(self, connection: HTTPConnection) -> Response | None:
        """Return the answer to a request that goes no further, None for all others."""
        method, path = connection.scope["method"], connection.scope["path"]
        hosts = connection.headers.getlist("host")
        # no browser leaves it out; HTTP/1.0 probes do
        if len(hosts) > 1 or any(host and not self._origins.knows(host) for host in hosts):
            return _told(connection, UnknownHost(", ".join(hosts)[:80]), 421)
        if self._origins.foreign(connection) and not self._follows_a_link(connection):
            return _told(connection, ForeignPage(), 403)
        if not (_possible(unquote(path)) and exists(method, path)):
            if of_programs(path):  # who says itself what is not there, in its own form
                connection.scope["path"] = NOWHERE
                return None
            return PlainTextResponse("", 404)
        name = endpoint_in(path)
        if name and name not in ENDPOINTS:
            choices = ", ".join(sorted(ENDPOINTS))
            return _told(connection, NotAChoice("endpoint", name[:40], choices), 404)
        return None

    def _follows_a_link(self, connection: HTTPConnection) -> bool:
        """Return whether a person goes from another site to a page that only shows something."""
        scope, headers = connection.scope, connection.headers
        if scope["method"] not in _READ or "origin" in headers or not linked(scope["path"]):
            return False
        if "sec-fetch-site" not in headers:  # nothing but the referer, see Origins.foreign
            return True
        wanted = headers.get("sec-fetch-dest", "").lower()
        frame = self._framed and wanted == "iframe" and scope["path"] == "/"
        return headers.get("sec-fetch-mode", "").lower() == "navigate" and (
            wanted == "document" or frame
        )

    def _passing(self, send: Send) -> Send:
        async def passing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in [name for name in headers if name.startswith(_ALLOW)]:
                    del headers[name]
                for name, value in self._headers.items():
                    headers[name] = value
                if not self._framed:  # for browsers that do not know the policy
                    headers["X-Frame-Options"] = "SAMEORIGIN"
                headers.add_vary_header("Origin, Sec-Fetch-Site, Sec-Fetch-Dest")
            await send(message)

        return passing


def _possible(path: str) -> bool:
    """Return whether a file system takes ``path``; asking it about another is an error."""
    raw = path.encode(errors="replace")
    parts = raw.split(b"/")
    return (
        not _CONTROL.search(path)
        and len(raw) < _LONGEST_PATH
        and all(len(part) <= _LONGEST_NAME and part != b".." for part in parts)
    )


def _told(connection: HTTPConnection, error: ClapperError, status: int) -> Response:
    """Answer with an error in the form of who asks: problem details for programs."""
    if of_programs(connection.scope["path"]):
        return problem(Request(connection.scope), error, 0, status)  # nothing ends at a time
    return JSONResponse(error_body(error), status, headers={"Cache-Control": "no-store"})
