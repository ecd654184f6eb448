"""The addresses of the gallery: its pages, stars, and what is done with many clips at once."""

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Any, TypeVar, cast

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.domain.gallery import MOST_CHARACTERS, GalleryFilter, Shape
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.errors import ArgumentTooLong, ClapperError, InvalidInput, NotAChoice, Refused
from webui.answer_headers import PRIVATE
from webui.auth.visitors import Visitor
from webui.routes import (
    OURS,
    Endpoint,
    Handler,
    for_visitors,
    number_in,
    problem,
    read_object,
)
from webui.studio.clip_archive import archived
from webui.studio.gallery import MOST_JOBS, StudioGallery
from webui.studio.loop_bridge import Bridge

_MOST_BYTES = 256 * 1024  # of the names of so many jobs
_LONGEST_ID = 64  # characters
E = TypeVar("E", bound=StrEnum)


class ArchiveEmpty(Refused):
    """None of the jobs that were chosen has a clip."""


class GalleryRoutes:
    """Answers under ``/studio/history`` and ``/studio/gallery``."""

    def __init__(self, gallery: StudioGallery, bridge: Bridge) -> None:
        self._gallery = gallery
        self._bridge = bridge

    def all(self) -> list[Route]:
        """Return every route."""
        return [
            Route("/studio/history", _for_visitors(self._page)),
            Route("/studio/gallery/{verb}", _for_visitors(self._do), methods=["POST"]),
            Route("/studio/gallery.zip", _for_visitors(self._all)),
            Route("/studio/gallery.zip", _for_visitors(self._some), methods=["POST"]),
        ]

    async def _page(self, request: Request, visitor: Visitor) -> Response:
        asked = request.query_params
        before = number_in(asked["before"]) if asked.get("before") else None
        view = await self._bridge.call(self._gallery.page(visitor, wanted_in(asked), before))
        return JSONResponse(asdict(view), headers=PRIVATE)

    async def _do(self, request: Request, visitor: Visitor) -> Response:
        if OURS not in request.headers:
            return PlainTextResponse("", 403)
        jobs = _jobs_in(await read_object(request, _MOST_BYTES) or {})
        if jobs is None:
            return PlainTextResponse("", 400)
        match request.path_params["verb"]:
            case "star":
                work = self._gallery.star(visitor, jobs, on=True)
            case "unstar":
                work = self._gallery.star(visitor, jobs, on=False)
            case "delete":
                work = self._gallery.delete(visitor, jobs)
            case "undo":
                work = self._gallery.take_back(visitor, jobs)
            case _:
                return PlainTextResponse("", 404)
        return JSONResponse({"jobs": await self._bridge.call(work)}, headers=PRIVATE)

    async def _all(self, request: Request, visitor: Visitor) -> Response:
        return await self._archive(request, visitor, wanted_in(request.query_params), None)

    async def _some(self, request: Request, visitor: Visitor) -> Response:
        """Answer a plain form, since a browser saves only what it goes to itself."""
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            return PlainTextResponse("", 413)
        async with request.form(max_files=0, max_fields=1) as form:
            jobs = _jobs_in({"jobs": str(form.get("jobs", "")).split(",")})
        if jobs is None:
            return PlainTextResponse("", 400)
        return await self._archive(request, visitor, GalleryFilter(), jobs)

    async def _archive(
        self,
        request: Request,
        visitor: Visitor,
        wanted: GalleryFilter,
        jobs: Sequence[str] | None,
    ) -> Response:
        if not await self._gallery.has_clips(self._bridge, visitor, wanted, jobs):
            return problem(ArchiveEmpty(), 404)
        headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="clapper.zip"'}
        if request.method == "HEAD":
            return Response(headers=headers, media_type="application/zip")
        files = self._gallery.files(self._bridge, visitor, wanted, jobs)
        return StreamingResponse(archived(files), headers=headers, media_type="application/zip")


def _for_visitors(handler: Handler) -> Endpoint:
    def refuse(_: Request, error: ClapperError) -> Response:
        return problem(error, 400 if isinstance(error, InvalidInput) else 409)

    return for_visitors(handler, refuse)


def wanted_in(asked: QueryParams) -> GalleryFilter:
    """Read which jobs are wanted from an address.

    Raises:
        ArgumentTooLong: more words than are looked for.
        NotAChoice: a value is none of its choices.
    """
    words = asked.get("q", "")
    if len(words) > MOST_CHARACTERS:
        raise ArgumentTooLong(words[:40], MOST_CHARACTERS)
    return GalleryFilter(
        words=words,
        mode=_choice(asked, "mode", Mode),
        shape=_choice(asked, "shape", Shape),
        preset=_choice(asked, "preset", Preset),
        starred=asked.get("starred", "") == "1",
        clips=asked.get("clips", "") == "1",
    )


def _choice(asked: QueryParams, name: str, choices: type[E]) -> E | None:
    value = asked.get(name, "")
    if not value:
        return None
    if value not in set(choices):
        raise NotAChoice(name, value[:40], ", ".join(choices))
    return choices(value)


def _jobs_in(body: dict[str, object]) -> list[str] | None:
    """Return the jobs that are named; None where none is, too many are, or one cannot be."""
    found: Any = body.get("jobs")
    if not isinstance(found, list):
        return None
    given = cast("list[Any]", found)
    if not 0 < len(given) <= MOST_JOBS:
        return None
    named = [one for one in given if isinstance(one, str) and 0 < len(one) <= _LONGEST_ID]
    return named if len(named) == len(given) else None
