"""Answers that stay open: Gradio's streams of events, and archives that are written as they go.

Gradio asks once who it is, waits for as long as the other side likes and counts nothing. Here they
are counted, and end with the sign-in that they were opened with.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors.programs import StreamsTooMany
from webui.answer_headers import PRIVATE
from webui.auth.middleware import visitor_of
from webui.auth.visitors import Visitor
from webui.views.errors import error_body

OF_ONE = 32  # of one program, guest or account
OF_NETWORK = 256  # a guest can be as many guests as they like
LOOK_S = 5.0  # between two looks whether who opened it is still let in
_LATER_S = 10
_OPEN = re.compile(r"/gradio_api/(queue/data|call/(v2/)?[^/]+/[^/]+)/?|/studio/gallery\.zip/?")

Identify = Callable[[HTTPConnection], Visitor | None]


class OpenStreams:
    """Counts what is open, by whose it is."""

    def __init__(self, most: int = OF_ONE) -> None:
        """Begin with none; ``most`` is how many one may have."""
        self._most = most
        self._open: Counter[str] = Counter()

    def enter(self, who: str) -> None:
        """Count one more.

        Raises:
            StreamsTooMany: there are as many as may be.
        """
        if self._open[who] >= self._most:
            raise StreamsTooMany(self._most)
        self._open[who] += 1

    def leave(self, who: str) -> None:
        """Count one less."""
        self._open[who] -= 1
        if not self._open[who]:
            del self._open[who]

    @contextmanager
    def counted(self, who: str) -> Generator[None]:
        """Count one more inside the block.

        Raises:
            StreamsTooMany: there are as many as may be.
        """
        self.enter(who)
        try:
            yield
        finally:
            self.leave(who)


class StreamLimits:
    """ASGI layer behind what tells who asks."""

    def __init__(
        self,
        app: ASGIApp,
        identify: Identify,
        network_of: Callable[[HTTPConnection], str],
        look_s: float = LOOK_S,
    ) -> None:
        """Take the application, who knows visitors, and who names their networks."""
        self._app = app
        self._identify = identify
        self._network_of = network_of
        self._look_s = look_s
        self._of_one, self._of_network = OpenStreams(), OpenStreams(OF_NETWORK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; what stays open as long as it may."""
        if scope["type"] != "http" or not _OPEN.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        visitor = visitor_of(connection)
        network = self._network_of(connection)
        who = visitor.requester.key if visitor and visitor.kept else network  # else new each time
        with ExitStack() as counts:
            try:
                counts.enter_context(self._of_one.counted(who))
                counts.enter_context(self._of_network.counted(network))
            except StreamsTooMany as error:
                headers = {**PRIVATE, "Retry-After": str(_LATER_S)}
                await JSONResponse(error_body(error), 429, headers=headers)(scope, receive, send)
                return
            await self._while_let_in(connection, visitor, receive, _EndedAnswer(send))

    async def _while_let_in(
        self,
        connection: HTTPConnection,
        visitor: Visitor | None,
        receive: Receive,
        answer: "_EndedAnswer",
    ) -> None:
        work = asyncio.ensure_future(self._app(connection.scope, receive, answer))
        try:
            while not work.done() and self._still(connection, visitor):
                await asyncio.wait({work}, timeout=self._look_s)
        finally:
            if cut := not work.done():
                work.cancel()
                await asyncio.wait({work})
        if cut:
            await answer.end()
        else:
            work.result()

    def _still(self, connection: HTTPConnection, visitor: Visitor | None) -> bool:
        now = self._identify(connection)
        if visitor is None or now is None or not visitor.kept:
            return (now is None) == (visitor is None)
        return now.requester == visitor.requester


class _EndedAnswer:
    """Passes an answer on, and can end it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False
        self._over = False

    async def __call__(self, message: Message) -> None:
        self._begun = self._begun or message["type"] == "http.response.start"
        self._over = message["type"] == "http.response.body" and not message.get("more_body")
        await self._send(message)

    async def end(self) -> None:
        """End what was begun."""
        if self._begun and not self._over:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
