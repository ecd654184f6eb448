"""The application under ``/api/v1``: its addresses, errors and description."""

from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Match, Mount, Route
from starlette.types import Receive, Scope, Send

from core import __version__
from core.errors import ClapperError, InternalError
from core.errors.programs import AddressUnknown, FieldMistyped
from core.i18n.messages import say
from core.service.front_services import TokenScope
from webui.answer_headers import PRIVATE
from webui.api.v1.access import ProgramAccess, program_of
from webui.api.v1.answers import BASE
from webui.api.v1.description import describe
from webui.api.v1.events import id_of, job_events
from webui.api.v1.problems import problem
from webui.api.v1.routes import EXPECTED, JobId, ProgramRoutes
from webui.auth.open_streams import OpenStreams
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.programs import Sight
from webui.studio.service import StudioService

log = structlog.get_logger(__name__)

_STREAM = {**PRIVATE, "X-Accel-Buffering": "no"}


class _CountedStream(StreamingResponse):
    """Events; what ends with them is done too where the reader left before the first one."""

    def __init__(self, leave: Callable[[], None], events: AsyncIterator[str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=_STREAM)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


class ProgramInterface:
    """The application for programs."""

    def __init__(self, service: StudioService, bridge: Bridge, metrics: Metrics) -> None:
        """Take the service, the way to it, and what counts."""
        self._service = service
        self._bridge = bridge
        self._metrics = metrics
        self._access = ProgramAccess(service, bridge)
        self._routes = ProgramRoutes(service, bridge, metrics, self._access)
        self._streams = OpenStreams()
        self._described: dict[str, Any] | None = None
        self._app = self._application()

    @property
    def mount(self) -> Mount:
        """Return the application at its address."""
        return Mount(BASE, app=self._app)

    def _application(self) -> FastAPI:
        bearer = HTTPBearer(auto_error=False, description="clapper_…")
        app = FastAPI(
            title="Clapper",
            version=__version__,
            description=say("api_summary"),
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            dependencies=[Security(bearer)],
        )
        self._routes.add_to(app, self._events)
        app.add_api_route("/openapi.json", self._openapi, include_in_schema=False)
        handlers: dict[type[Exception], Callable[..., Awaitable[Response]]] = {
            ClapperError: self._on_error,
            RequestValidationError: self._on_value,
            HTTPException: self._on_address,
            Exception: self._on_defect,
        }
        for kind, handler in handlers.items():
            app.add_exception_handler(kind, handler)
        return app

    async def _events(self, request: Request, job: JobId) -> Response:
        asking = await self._access.require(request, TokenScope.READ)
        programs, write = self._service.programs, self._routes.writer(request)
        sight = await self._bridge.call(programs.sight(job[:64], asking.visitor))
        seen = request.headers.get("last-event-id", "")[:64]
        first = write.write(sight)
        if not first.live and id_of(first) == seen:  # tells a browser to connect no more
            return Response(status_code=204, headers=PRIVATE)
        watch = programs.watch(asking.token, sight.job.id)
        who = asking.program.name
        self._streams.enter(who)

        def look() -> Awaitable[Sight | None]:
            return self._bridge.call(watch.look())

        async def stream() -> AsyncIterator[str]:
            async for event in job_events(look, write, seen, lambda: programs.stopping):
                yield event

        return _CountedStream(lambda: self._streams.leave(who), stream())

    async def _openapi(self, request: Request) -> Response:
        await self._access.require_reader(request)
        if self._described is None:
            self._described = describe(self._app, self._routes.models)
        return JSONResponse(self._described, headers=PRIVATE)

    async def _on_error(self, request: Request, error: ClapperError) -> Response:
        self._metrics.refused.labels(error.code).inc()
        answer, asking = self._problem(request, error), program_of(request)
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS and asking is not None:
            answer.headers.update(await self._routes.spending(asking))
        return answer

    async def _on_value(self, request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = str(first["loc"][-1])[:40]
        expected = EXPECTED.get(field, str(first["type"]))
        return self._problem(request, FieldMistyped(field, expected))

    async def _on_address(self, request: Request, error: HTTPException) -> Response:
        answer = self._problem(request, AddressUnknown(), error.status_code)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            answer.headers["Allow"] = ", ".join(self._methods_at(request))
        return answer

    def _methods_at(self, request: Request) -> list[str]:
        """List what may be done at the address; each method has a route of its own."""
        routes = (one for one in self._app.routes if isinstance(one, Route))
        there = [one for one in routes if one.matches(request.scope)[0] is not Match.NONE]
        return sorted({method for one in there for method in one.methods or ()})

    async def _on_defect(self, request: Request, error: Exception) -> Response:
        log.error("program_request_broke", path=request.url.path, exc_info=error)
        return self._problem(request, InternalError(), 500)

    def _problem(
        self, request: Request, error: ClapperError, status: int | None = None
    ) -> Response:
        return problem(request, error, self._service.programs.now(), status)
