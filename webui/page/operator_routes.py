"""The addresses of the operators' page; for everybody else there is nothing at them."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.domain.style_file import MOST_BYTES
from core.errors import ClapperError, OperatorsOnly
from webui.answer_headers import PRIVATE
from webui.auth.middleware import visitor_of
from webui.auth.visitors import Visitor
from webui.routes import KEY, OURS, problem, read_object
from webui.studio.loop_bridge import Bridge
from webui.studio.operators import SHOWN, StudioOperators

_MOST_WAITING = 10_000  # jobs in one list
_MOST_BYTES = 3 * MOST_BYTES  # of a file of styles, whose letters may be written as numbers

Handler = Callable[[Request, Visitor], Awaitable[Response]]


class OperatorRoutes:
    """Answers under ``/studio/operators``."""

    def __init__(self, operators: StudioOperators, bridge: Bridge) -> None:
        self._operators = operators
        self._bridge = bridge

    def all(self) -> list[Route]:
        """Return every route."""
        page = "/studio/operators"
        return [
            Route(page, self._for_operators(self._view)),
            Route(f"{page}/logs", self._for_operators(self._logs), methods=["GET"]),
            Route(f"{page}/{{verb}}", self._for_operators(self._do), methods=["POST"]),
        ]

    def _for_operators(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers operators; for others nothing is there, also no method."""

        async def answer(request: Request) -> Response:
            visitor = visitor_of(request)
            if visitor is None or not self._operators.includes(visitor):
                return PlainTextResponse("", 404)
            try:
                return await handler(request, visitor)
            except OperatorsOnly:  # asked again where it is done
                return PlainTextResponse("", 404)
            except ClapperError as error:
                return problem(error, 409)

        return answer

    async def _view(self, request: Request, visitor: Visitor) -> Response:
        work = self._operators.view(visitor, _waiting(request))
        return _plain(asdict(await self._bridge.call(work)))

    async def _logs(self, _: Request, visitor: Visitor) -> Response:
        return _plain({"lines": self._operators.log_lines(visitor)})

    async def _do(self, request: Request, visitor: Visitor) -> Response:
        if OURS not in request.headers:
            return PlainTextResponse("", 403)
        body = await read_object(request, _MOST_BYTES)
        key = "" if body is None else body.pop("key", "")
        if body is None or not isinstance(key, str) or (key and not KEY.fullmatch(key)):
            return PlainTextResponse("", 400)
        verb = str(request.path_params["verb"])
        work = self._operators.do(verb, body, visitor, key, _waiting(request))
        return _plain(asdict(await self._bridge.call(work)))


def _waiting(request: Request) -> int:
    """Return how many waiting jobs are asked for; nonsense asks for as many as usual."""
    typed = request.query_params.get("jobs", "")[:9]
    number = int(typed) if typed.isascii() and typed.isdecimal() else SHOWN
    return min(max(number, SHOWN), _MOST_WAITING)


def _plain(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=PRIVATE)
