"""The address under which somebody sees one clip whom the page does not know."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from core.errors import ClapperError, JobUnknown, NothingToFetch
from core.errors.programs import RangeBeyond
from core.service.originals import Originals
from webui.answer_headers import PRIVATE
from webui.file_answers import KEPT, beyond_answer, file_answer
from webui.studio.loop_bridge import Bridge

_UNLISTED = {**PRIVATE, "X-Robots-Tag": "noindex"}


class OriginalRoutes:
    """Answers under ``/originals``: the secret in the address is the permission."""

    def __init__(self, originals: Originals, bridge: Bridge) -> None:
        self._originals = originals
        self._bridge = bridge

    def all(self) -> list[Route]:
        """Return every route."""
        return [Route("/originals/{job}/{secret}.mp4", self._clip)]

    async def _clip(self, request: Request) -> Response:
        job_id, secret = request.path_params["job"], request.path_params["secret"]
        try:
            elsewhere = await self._bridge.call(self._originals.link(job_id, secret))
            if elsewhere is not None:
                return RedirectResponse(elsewhere, 302, headers=_UNLISTED)
            clip = await self._bridge.call(self._originals.clip(job_id, secret))
            return await file_answer(request, clip.path, "video/mp4", KEPT)
        except (JobUnknown, NothingToFetch):
            return PlainTextResponse("", 404, headers=_UNLISTED)
        except RangeBeyond as error:
            return beyond_answer(error)
        except ClapperError:  # the place where clips are kept cannot be reached
            return PlainTextResponse("", 503, headers=_UNLISTED)
