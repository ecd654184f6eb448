"""Our own addresses beside the page: live state, clips for their owners, health and metrics."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from core.errors import ClapperError, InvalidInput, JobUnknown, NothingToFetch
from core.errors.programs import RangeBeyond
from core.errors.setup import ServiceUnreadable
from core.errors.storage import StorageUnavailable
from core.service.views import FIGURES_TYPE
from webui.answer_headers import PRIVATE
from webui.auth.metrics_access import MetricsAccess
from webui.auth.middleware import visitor_of
from webui.auth.visitors import Visitor
from webui.file_answers import KEPT, beyond_answer, file_answer
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.service import StudioService
from webui.views.errors import error_view, unprobed

OURS = "x-clapper"  # header of our own page; other sites cannot send it without being asked first

_DIGITS = re.compile(r"[0-9]{1,15}")  # more jobs than anybody makes
KEY = re.compile(r"[0-9a-f]{32}")  # of one press in our page
_PRESS_BYTES = 1000

Handler = Callable[[Request, Visitor], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class BadAddress(InvalidInput):
    """A value in an address is not what belongs there."""

    name: str
    value: str


class ViewResponse(JSONResponse):
    """An answer with records of plain data, written without a copy of them."""

    def render(self, content: object) -> bytes:
        """Write ``content`` as JSON."""
        text = json.dumps(content, default=_values, ensure_ascii=False, separators=(",", ":"))
        return text.encode()


def _values(view: Any) -> dict[str, Any]:  # noqa: ANN401  # any of our records
    return {item.name: getattr(view, item.name) for item in fields(view)}


class StudioRoutes:
    """Answers of the addresses under ``/studio`` and ``/clips``."""

    def __init__(
        self, service: StudioService, bridge: Bridge, metrics: Metrics, access: MetricsAccess
    ) -> None:
        self._service = service
        self._access = access
        self._bridge = bridge
        self._metrics = metrics

    def all(self) -> list[Route]:
        """Return every route, for the web application."""
        return [
            Route("/studio/state", self._for_visitors(self._state)),
            Route("/studio/jobs/{job}/{action}", self._for_visitors(self._act), methods=["POST"]),
            Route("/clips/{job}.mp4", self._for_visitors(self._clip)),
            Route("/clips/{job}.png", self._for_visitors(self._poster)),
            Route("/previews/{job}.webp", self._for_visitors(self._preview)),
            Route("/healthz", self._health),
            Route("/metrics", self._figures),
        ]

    def _for_visitors(self, handler: Handler) -> Endpoint:
        return for_visitors(handler, self._refuse)

    def _refuse(self, request: Request, error: ClapperError) -> Response:
        if isinstance(error, NothingToFetch):  # as if there were no such job
            error = JobUnknown(job_in(request))
        error = unprobed(error)
        if not isinstance(error, JobUnknown):
            self._metrics.refused.labels(error.code).inc()
        return job_problem(request, error)

    async def _state(self, request: Request, visitor: Visitor) -> Response:
        self._service.contexts.note(visitor, request)
        with self._metrics.looks.time():
            job_id = request.query_params.get("job", "")
            view = await self._bridge.call(self._service.state(visitor, job_id))
        return ViewResponse(view, headers=PRIVATE)

    async def _act(self, request: Request, visitor: Visitor) -> Response:
        if OURS not in request.headers:
            return PlainTextResponse("", 403)
        job_id, action = job_in(request), request.path_params["action"]
        body = await read_object(request, _PRESS_BYTES, b"{}")
        key = "" if body is None else body.get("key", "")
        if body is None or not isinstance(key, str) or (key and not KEY.fullmatch(key)):
            return PlainTextResponse("", 400)
        self._service.contexts.note(visitor, request)
        work = self._service.act(job_id, action, visitor, key, later=body.get("later") is True)
        shown = await self._bridge.call(work)
        return JSONResponse({"job": shown}, headers=PRIVATE)

    async def _clip(self, request: Request, visitor: Visitor) -> Response:
        name = f"clapper-{job_in(request)[:8]}.mp4" if "download" in request.query_params else None
        elsewhere = await self._elsewhere(request, visitor, name or "", poster=False)
        if elsewhere is not None:
            return elsewhere
        clip = await self._bridge.call(self._service.clip(job_in(request), visitor))
        return await file_answer(request, clip.path, "video/mp4", KEPT, name)

    async def _poster(self, request: Request, visitor: Visitor) -> Response:
        elsewhere = await self._elsewhere(request, visitor, "", poster=True)
        if elsewhere is not None:
            return elsewhere
        clip = await self._bridge.call(self._service.clip(job_in(request), visitor))
        return await file_answer(request, clip.poster, "image/png", KEPT)

    async def _preview(self, request: Request, visitor: Visitor) -> Response:
        preview = await self._bridge.call(self._service.preview_of(job_in(request), visitor))
        return Response(preview.picture, media_type="image/webp", headers=PRIVATE)

    async def _elsewhere(
        self, request: Request, visitor: Visitor, save_as: str, *, poster: bool
    ) -> Response | None:
        """Send the browser to where the file lies; None where it is read through this node."""
        link = self._service.link(job_in(request), visitor, save_as, poster=poster)
        address = await self._bridge.call(link)
        return None if address is None else RedirectResponse(address, 302, headers=PRIVATE)

    async def _health(self, _: Request) -> Response:
        try:
            health = await self._bridge.call(self._service.health())
        except (ServiceUnreadable, StorageUnavailable):
            body = {"ok": False, "intake": "unknown", "waiting": None}
            return JSONResponse(body, 503, headers=PRIVATE)
        sound = health.intake != "disk"
        body = {"ok": sound, "intake": health.intake, "waiting": health.waiting}
        return JSONResponse(body, 200 if sound else 503, headers=PRIVATE)

    async def _figures(self, request: Request) -> Response:
        refusal = self._access.refusal(request)
        if refusal is not None:
            return refusal
        service = await self._bridge.call(self._service.figures())
        return Response(service + self._metrics.render(), media_type=FIGURES_TYPE, headers=PRIVATE)


def for_visitors(handler: Handler, refuse: Callable[[Request, ClapperError], Response]) -> Endpoint:
    """Return what answers an address for whoever may see the page; ``refuse`` says an error."""

    async def answer(request: Request) -> Response:
        visitor = visitor_of(request)
        if visitor is None:
            return PlainTextResponse("", 401)
        if visitor.problem is not None:
            return problem(visitor.problem, 400)
        try:
            return await handler(request, visitor)
        except BadAddress as error:
            return problem(error, 400)
        except RangeBeyond as error:
            return beyond_answer(error)
        except ClapperError as error:
            return refuse(request, error)

    return answer


def number_in(text: str) -> int:
    """Return the number of a job in an address.

    Raises:
        BadAddress: there is no number, or one that no job has.
    """
    if not _DIGITS.fullmatch(text):
        raise BadAddress("before", text[:40])
    return int(text)


def job_in(request: Request) -> str:
    """Return the id of the job in an address."""
    return str(request.path_params["job"])


def job_problem(_: Request, error: ClapperError, status: int = 409) -> Response:
    """Answer with an error about one job; somebody else's is as unknown as none."""
    told = unprobed(error)
    return problem(told, 404 if isinstance(told, JobUnknown) else status)


def problem(error: ClapperError, status: int) -> Response:
    """Answer with an error as our page shows it."""
    return JSONResponse({"error": asdict(error_view(error))}, status, headers=PRIVATE)


async def read_object(
    request: Request, most_bytes: int, empty: bytes = b""
) -> dict[str, Any] | None:
    """Read the JSON object that was sent; None where there is none, or too much.

    Half a character, which neither a database nor an answer takes, becomes a question mark, and
    the character zero nothing. ``empty`` stands for a body without a byte.
    """
    read = b""
    async for part in request.stream():
        read += part
        if len(read) > most_bytes:
            return None
    try:
        found: Any = _sound(json.loads(read or empty))
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _sound(value: Any) -> Any:  # noqa: ANN401  # of JSON
    """Return ``value`` with texts that can be kept and sent."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode().replace("\0", "")
        case list():
            return [_sound(one) for one in cast("list[Any]", value)]
        case dict():
            items = cast("dict[str, Any]", value).items()
            return {_sound(name): _sound(one) for name, one in items}
        case _:
            return value
