"""The addresses of the operators' page; for everybody else there is nothing at them."""

from collections.abc import Awaitable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.errors import ClapperError, OperatorsOnly
from webui.auth.middleware import visitor_of
from webui.routes import OURS, problem, read_object
from webui.studio.loop_bridge import Bridge
from webui.studio.operators import StudioOperators
from webui.views.operators import OperatorView

_PRIVATE = {"Cache-Control": "private, no-store"}
_MOST_BYTES = 4096


class OperatorRoutes:
    """Answers under ``/studio/operators``."""

    def __init__(self, operators: StudioOperators, bridge: Bridge) -> None:
        self._operators = operators
        self._bridge = bridge

    def all(self) -> list[Route]:
        """Return every route."""
        return [
            Route("/studio/operators", self._view),
            Route("/studio/operators/{verb}", self._do, methods=["POST"]),
        ]

    async def _view(self, request: Request) -> Response:
        visitor = visitor_of(request)
        if visitor is None or not self._operators.includes(visitor):
            return PlainTextResponse("", 404)
        return await self._answered(self._bridge.call(self._operators.view(visitor)))

    async def _do(self, request: Request) -> Response:
        visitor = visitor_of(request)
        if visitor is None or not self._operators.includes(visitor):
            return PlainTextResponse("", 404)
        if OURS not in request.headers:
            return PlainTextResponse("", 403)
        body = await read_object(request, _MOST_BYTES)
        if body is None:
            return PlainTextResponse("", 400)
        verb = str(request.path_params["verb"])
        return await self._answered(self._bridge.call(self._operators.do(verb, body, visitor)))

    async def _answered(self, work: Awaitable[OperatorView]) -> Response:
        try:
            return JSONResponse(asdict(await work), headers=_PRIVATE)
        except OperatorsOnly:  # asked again where it is done
            return PlainTextResponse("", 404)
        except ClapperError as error:
            return problem(error, 409)
