"""The addresses that the page's forms ask: look, generate, mend, added files, dropped clips.

The page asks them itself and again after a lost request, so each may come more than once: only
Generate changes anything, and names its request by a key.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.domain.modes import Mode
from core.errors import ClapperError, JobUnknown, NothingToFetch, NotYours
from core.i18n.option_words import mode_example
from webui.answer_headers import PRIVATE
from webui.auth.middleware import visitor_of
from webui.auth.visitors import Visitor
from webui.page import file_placement
from webui.page.handlers import Handlers
from webui.page.preflight import Card
from webui.page.reload import describe
from webui.page.sent_form import SentForm, read_sent
from webui.routes import KEY, OURS, read_object
from webui.views.errors import error_view

_MOST_BYTES = 256 * 1024  # of one form; its files are sent before

Handler = Callable[[Request, Visitor, dict[str, Any]], Awaitable[Response]]


class FormRoutes:
    """Answers of the addresses under ``/studio/forms``."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    def all(self) -> list[Route]:
        """Return every route; before those of jobs, whose actions are any word."""
        addresses: dict[str, Handler] = {
            "/studio/forms/{mode}/look": self._look,
            "/studio/forms/{mode}/generate": self._generate,
            "/studio/forms/{mode}/mend": self._mend,
            "/studio/forms/{mode}/place": self._place,
            "/studio/forms/{mode}/example": self._example,
            "/studio/jobs/{job}/last_frame": self._last_frame,
            "/studio/dropped": self._dropped,
            "/studio/kept": self._keep,
        }
        ours = [
            Route(address, self._for_our_page(handler), methods=["POST"])
            for address, handler in addresses.items()
        ]
        return [Route("/studio/kept", self._kept, methods=["GET"]), *ours]

    def _for_our_page(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            visitor = visitor_of(request)
            if visitor is None:
                return PlainTextResponse("", 401)
            if OURS not in request.headers:
                return PlainTextResponse("", 403)
            self._handlers.service.contexts.note(visitor, request)
            body = await read_object(request, _MOST_BYTES, b"{}")
            if body is None or request.path_params.get("mode", Mode.T2V) not in set(Mode):
                return PlainTextResponse("", 400)
            return await handler(request, visitor, body)

        return answer

    async def _look(self, request: Request, visitor: Visitor, body: dict[str, Any]) -> Response:
        try:
            sent = self._sent(request, body)
        except ClapperError as error:
            card = self._handlers.refused(error)
            return _plain({"card": card.plain(), "gone": ()})
        return _plain(await self._looked(sent, visitor))

    async def _looked(self, sent: SentForm, visitor: Visitor) -> dict[str, Any]:
        """Preview the form without the files that are gone; return the card and their roles."""
        gone: tuple[str, ...] | None = None
        card = Card()
        while gone != (now := self._handlers.gone(sent, visitor)):  # one may go meanwhile
            gone, card = now, await self._handlers.look(sent.without(now), visitor)
        return {"card": card.plain(), "gone": gone}

    async def _generate(self, request: Request, visitor: Visitor, body: dict[str, Any]) -> Response:
        key = body.get("key")
        if not isinstance(key, str) or not KEY.fullmatch(key):
            return PlainTextResponse("", 400)
        sent = SentForm(Mode(request.path_params["mode"]))
        try:
            sent = self._sent(request, body)
            # a key that is known is answered although a file is gone, so that is not asked first
            accepted = await self._handlers.generate(sent, visitor, key)
        except ClapperError as error:
            if self._handlers.gone(sent, visitor):
                return _plain({"job": "", "drawn": {}, **await self._looked(sent, visitor)})
            card = await self._handlers.problem(error, sent, visitor)
            return _plain({"job": "", "drawn": {}, "card": card, "gone": ()})
        card = (await self._handlers.look(sent, visitor)).plain()
        return _plain({"job": accepted.job_id, "drawn": accepted.drawn, "card": card, "gone": ()})

    async def _mend(self, request: Request, visitor: Visitor, body: dict[str, Any]) -> Response:
        try:
            card = await self._handlers.look(self._sent(request, body), visitor)
        except ClapperError as error:
            card = self._handlers.refused(error)
        return _plain({"changes": card.fix.changes if card.fix else {}})

    async def _place(self, request: Request, _: Visitor, body: dict[str, Any]) -> Response:
        """Say where files go that came from anywhere; none of them is here yet."""
        limits = self._handlers.settings.media.limits()
        answer = file_placement.answer(Mode(request.path_params["mode"]), body, limits)
        return PlainTextResponse("", 400) if answer is None else _plain(answer)

    async def _example(self, request: Request, visitor: Visitor, body: dict[str, Any]) -> Response:
        """Give an example for the mode: its prompt, and files for the roles that are empty."""
        mode, asked = Mode(request.path_params["mode"]), body.get("roles")
        roles = set(map(str, cast("list[Any]", asked))) if isinstance(asked, list) else set[str]()
        files = await self._handlers.example_files(mode, roles, visitor)
        given = {role: {"path": str(path), "name": path.name} for role, path in files.items()}
        return _plain({"prompt": mode_example(mode), "files": given})

    async def _last_frame(self, request: Request, visitor: Visitor, _: dict[str, Any]) -> Response:
        job_id = str(request.path_params["job"])
        try:
            path = await self._handlers.take_frame(job_id, visitor)
        except (JobUnknown, NotYours, NothingToFetch):  # all the same: ids cannot be probed
            return _plain({"error": asdict(error_view(JobUnknown(job_id)))}, 404)
        return _plain({"path": str(path), "name": path.name})

    async def _kept(self, request: Request) -> Response:
        """Answer with what an account's forms held when they were looked at last, anywhere."""
        visitor = visitor_of(request)
        if visitor is None:
            return PlainTextResponse("", 401)
        handlers = self._handlers
        forms = await handlers.bridge.call(handlers.service.forms.read(visitor))
        return _plain({"forms": forms})

    async def _keep(self, _: Request, visitor: Visitor, body: dict[str, Any]) -> Response:
        forms: Any = body.get("forms")
        if not isinstance(forms, dict):
            return PlainTextResponse("", 400)
        handlers = self._handlers
        work = handlers.service.forms.write(visitor, cast("dict[str, Any]", forms))
        return _plain({"kept": await handlers.bridge.call(work)})

    async def _dropped(self, _: Request, visitor: Visitor, body: dict[str, Any]) -> Response:
        path = str(body.get("path", ""))
        if "\0" in path or not self._handlers.has(path, visitor):
            return _plain({"gone": True})
        clip = self._handlers.read_clip(path, visitor)
        service = self._handlers.service
        return _plain(describe(clip, service.limits, guided=service.guided))

    def _sent(self, request: Request, body: dict[str, Any]) -> SentForm:
        mode = Mode(request.path_params["mode"])
        values: Any = body.get("values")
        given = cast("dict[str, Any]", values) if isinstance(values, dict) else {}
        return read_sent(mode, given, self._handlers.service.limits)


def _plain(body: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(body, status, headers=PRIVATE)
