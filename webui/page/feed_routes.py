"""The addresses of what makers do with a clip in a feed."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from webui.answer_headers import PRIVATE
from webui.auth.visitors import Visitor
from webui.routes import OURS, Endpoint, Handler, for_visitors, job_in, job_problem
from webui.studio.loop_bridge import Bridge
from webui.studio.publishing import Publication, Publishing
from webui.views.publication import publication_view


class FeedRoutes:
    """Answers the maker of a clip; for everybody else there is no such clip."""

    def __init__(self, publishing: Publishing, bridge: Bridge) -> None:
        self._publishing = publishing
        self._bridge = bridge

    def all(self) -> list[Route]:
        """Return every route; before those of jobs, whose actions are any word."""
        feed = "/studio/jobs/{job}/feed"
        return [
            Route(feed, _for_visitors(self._look)),
            Route(f"{feed}/{{verb}}", _for_visitors(self._do), methods=["POST"]),
        ]

    async def _look(self, request: Request, visitor: Visitor) -> Response:
        return _told(await self._bridge.call(self._publishing.look(job_in(request), visitor)))

    async def _do(self, request: Request, visitor: Visitor) -> Response:
        if OURS not in request.headers:
            return PlainTextResponse("", 403)
        job_id, verb = job_in(request), request.path_params["verb"]
        match verb:
            case "publish" | "plain":
                with_prompt = verb == "publish"
                work = self._publishing.publish(job_id, visitor, with_prompt=with_prompt)
                return _told(await self._bridge.call(work))
            case "take_down":
                return _told(await self._bridge.call(self._publishing.take_down(job_id, visitor)))
            case _:
                return PlainTextResponse("", 404)


def _told(found: Publication | None) -> Response:
    return JSONResponse(asdict(publication_view(found)), headers=PRIVATE)


def _for_visitors(handler: Handler) -> Endpoint:
    return for_visitors(handler, job_problem)
