"""The addresses of what a clip came from: relatives, inputs, and settings to use again."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.domain.followups import options_of
from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import Options
from core.errors import ClapperError, MediaGone
from webui.answer_headers import PRIVATE
from webui.auth.visitors import Visitor
from webui.page.form_values import form_of, options_on_page
from webui.routes import OURS, Endpoint, Handler, for_visitors, job_in, job_problem
from webui.studio.clip_sources import ClipSources
from webui.studio.loop_bridge import Bridge
from webui.views.inputs import slot_label
from webui.views.lineage import lineage_view

_WEEK = "private, max-age=604800, immutable"  # an input of a job is never another one


class ClipRoutes:
    """Answers for one clip, its owner only."""

    def __init__(
        self, sources: ClipSources, bridge: Bridge, limits: RequestLimits, *, guided: bool
    ) -> None:
        """Take the limits in force, and whether the forms have the fields of guidance."""
        self._sources = sources
        self._bridge = bridge
        self._limits = limits
        self._guided = guided

    def all(self) -> list[Route]:
        """Return every route; before those of jobs, whose actions are any word."""
        jobs = "/studio/jobs/{job}"
        return [
            Route(f"{jobs}/lineage", _for_visitors(self._lineage)),
            Route(f"{jobs}/inputs/{{role}}.jpg", _for_visitors(self._input)),
            Route(f"{jobs}/settings", _for_visitors(self._settings), methods=["POST"]),
        ]

    async def _lineage(self, request: Request, visitor: Visitor) -> Response:
        lineage = await self._bridge.call(self._sources.lineage(job_in(request), visitor))
        return JSONResponse(asdict(lineage_view(lineage)), headers=PRIVATE)

    async def _input(self, request: Request, visitor: Visitor) -> Response:
        role = str(request.path_params["role"])
        file = await self._bridge.call(self._sources.input(job_in(request), role, visitor))
        kept = {"Cache-Control": _WEEK, "ETag": f'"{file.sha256[:32]}"'}
        if kept["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=kept)
        small = await self._bridge.call(self._sources.thumbnail(file))
        return Response(small, media_type="image/jpeg", headers=kept)

    async def _settings(self, request: Request, visitor: Visitor) -> Response:
        if OURS not in request.headers:
            return PlainTextResponse("", 403)
        job_id = job_in(request)
        asked = await self._bridge.call(self._sources.request(job_id, visitor))
        files = await self._bridge.call(self._sources.files(job_id, asked, visitor))
        body = {
            "mode": asked.mode,
            "values": self._values(options_of(asked, self._limits), asked.mode),
            "files": _named(files.paths),
            "gone": [slot_label(asked.mode, role) for role in files.gone],
        }
        return JSONResponse(body, headers=PRIVATE)

    def _values(self, options: Options, mode: Mode) -> dict[str, Any]:
        given, found = options.values(), dict[str, Any]()
        for option in options_on_page(mode, guided=self._guided):
            found |= form_of(option, mode, given[option.name])
        return found


def _named(paths: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    return {role: {"path": str(path), "name": path.name} for role, path in paths.items()}


def _for_visitors(handler: Handler) -> Endpoint:
    return for_visitors(handler, _refused)


def _refused(request: Request, error: ClapperError) -> Response:
    return job_problem(request, error, 404 if isinstance(error, MediaGone) else 409)
