"""The application under ``/api/v1``: its addresses, errors and description."""

from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPBearer
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from core import __version__
from core.errors import ClapperError, InternalError
from core.errors.programs import AddressUnknown, FieldMistyped
from core.i18n.messages import say
from core.service.front_services import TokenScope
from webui.answer_headers import PRIVATE
from webui.api.v1.access import ProgramAccess, program_of
from webui.api.v1.answers import BASE
from webui.api.v1.events import id_of, job_events
from webui.api.v1.problems import MEDIA_TYPE, ProblemDetails, problem
from webui.api.v1.routes import EXPECTED, ProgramRoutes
from webui.api.v1.samples import code_samples
from webui.auth.open_streams import OpenStreams
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.service import StudioService

log = structlog.get_logger(__name__)

_STREAM = {**PRIVATE, "X-Accel-Buffering": "no"}
_REF = "#/components/schemas/{model}"
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDetails, "content": {MEDIA_TYPE: {}}}
    for status in (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)
}


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
            responses=_PROBLEMS,
        )
        self._routes.add_to(app)
        app.add_api_route(
            "/jobs/{job}/events", self._events, summary=say("api_events"), operation_id="events"
        )
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

    async def _events(self, request: Request, job: str) -> Response:
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

        async def stream() -> AsyncIterator[str]:
            async for event in job_events(lambda: self._bridge.call(watch.look()), write, seen):
                yield event

        return _CountedStream(lambda: self._streams.leave(who), stream())

    async def _openapi(self, request: Request) -> Response:
        await self._access.require_reader(request)
        if self._described is None:
            self._described = self._describe()
        return JSONResponse(self._described, headers=PRIVATE)

    def _describe(self) -> dict[str, Any]:
        app = self._app
        found = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            servers=[{"url": BASE}],
        )
        models = self._routes.models
        _, schemas = models_json_schema(
            [(model, "validation") for model in models.values()], ref_template=_REF
        )
        found["components"]["schemas"] |= schemas["$defs"]
        refs = {mode: _REF.format(model=model.__name__) for mode, model in models.items()}
        order = {
            "oneOf": [{"$ref": ref} for ref in refs.values()],
            "discriminator": {"propertyName": "mode", "mapping": refs},
        }
        content = {kind: {"schema": order} for kind in ("application/json", "multipart/form-data")}
        submit = found["paths"]["/jobs"]["post"]
        submit["requestBody"] = {"required": True, "content": content}
        submit["x-codeSamples"] = code_samples()
        key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}
        for path in ("/jobs", "/jobs/{job}/actions/{action}"):
            found["paths"][path]["post"].setdefault("parameters", []).append(key)
        file: dict[str, Any] = {"type": "string", "format": "binary"}
        found["paths"]["/files"]["post"]["requestBody"] = {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": file},
                "multipart/form-data": {"schema": {"type": "object", "properties": {"file": file}}},
            },
        }
        return found

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
        answer.headers.update(error.headers or {})
        return answer

    async def _on_defect(self, request: Request, error: Exception) -> Response:
        log.error("program_request_broke", path=request.url.path, exc_info=error)
        return self._problem(request, InternalError(), 500)

    def _problem(
        self, request: Request, error: ClapperError, status: int | None = None
    ) -> Response:
        return problem(request, error, self._service.programs.now(), status)
