"""The addresses of jobs, files, quota and modes."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import FastAPI, Path, Query, Response
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse

from core.domain.jobs import JobState, ReplyTo, Ticket
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS
from core.errors import NotAChoice
from core.errors.programs import BodyUnreadable, FieldMistyped, FieldUnknown
from core.i18n.messages import say
from core.service.follow_ups import MAKING
from core.service.front_services import TokenScope
from webui.answer_headers import PRIVATE
from webui.api.parsing import options_from_program
from webui.api.v1.access import ProgramAccess, ProgramAsking, key_asked
from webui.api.v1.answers import (
    JobPage,
    JobWriter,
    notes_of,
    quota_answer,
    quota_headers,
)
from webui.api.v1.operations import OPERATIONS
from webui.api.v1.problems import language_asked
from webui.api.v1.requests import JobOrder, describe_modes, order_models, read_order
from webui.api.v1.sent import ProgramFiles, file_ids, media_type, read_json
from webui.api.v1.webhook_target import find_target
from webui.api.v1.webhooks import reply_to_program
from webui.file_answers import file_answer
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.programs import JobFilter
from webui.studio.sent_files import ReadFile
from webui.studio.service import StudioService

_KEPT = {"Cache-Control": "private, max-age=86400"}
PAGE, MOST = 20, 100  # jobs on a page
EXPECTED = {"limit": f"1 … {MOST}", "cursor": "“next” of a page", "erase": "true, false"}
STATES = ("waiting", *(state.value for state in JobState if not state.waiting))
_LONGEST_ID = 64

# only described so: what is no id is no job, and what is no action is told by its choices
JobId = Annotated[str, Path(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]
ActionName = Annotated[str, Path(json_schema_extra={"enum": [action.value for action in MAKING]})]
Handler = Callable[..., Awaitable[Response]]


class ProgramRoutes:
    """Answers programs; who asks is known before anything else is looked at."""

    def __init__(
        self, service: StudioService, bridge: Bridge, metrics: Metrics, access: ProgramAccess
    ) -> None:
        self._service = service
        self._bridge = bridge
        self._metrics = metrics
        self._access = access
        self._files = ProgramFiles(service, bridge)
        self.models = order_models(service.limits)

    def add_to(self, app: FastAPI, events: Handler) -> None:
        """Offer every operation in ``app``; ``events`` answers with a stream, which has no head."""
        handlers: dict[str, Handler] = {
            "submit": self.submit,
            "list": self.list_jobs,
            "job": self.look,
            "end": self.end,
            "action": self.act,
            "clip": self.clip,
            "poster": self.poster,
            "events": events,
            "file": self.send_file,
            "quota": self.quota,
            "modes": self.modes,
        }
        for one in OPERATIONS:
            handler = handlers[one.name]
            app.add_api_route(
                one.path,
                handler,
                methods=[one.method],
                summary=say(f"api_{one.name}"),
                operation_id=one.name,
                response_model=None,
            )
            if one.method == "GET" and handler is not events:
                app.add_api_route(one.path, handler, methods=["HEAD"], include_in_schema=False)

    async def submit(self, request: Request) -> Response:
        """Take an order, or give the job of the same one before."""
        asking = await self._access.require(request, TokenScope.SUBMIT)
        _only(request)
        key = key_asked(request)
        order, read = await self._order(request, asking, key)
        mode = Mode(order.mode)
        sent = order.model_dump(exclude={"mode", "webhook"}, exclude_none=True)
        files = file_ids({s.role: sent.pop(s.role, None) for s in MODES[mode].every_slot})
        options = options_from_program(sent, self._service.limits)
        paths = {role: read.get(role, self._files.path_of(files[role])) for role in files}
        reply_to = self._reply_to(request, asking, order.webhook)
        work = self._service.submit(
            mode, options, paths, asking.visitor, key, reply_to, lambda: self._check(reply_to)
        )
        ticket = await self._bridge.call(work)
        if not ticket.duplicate:
            self._metrics.accepted.labels(mode).inc()
        return await self._accepted(request, asking, ticket)

    async def act(self, request: Request, job: JobId, action: ActionName) -> Response:
        """Ask for what follows from a job."""
        asking = await self._access.require(request, TokenScope.SUBMIT)
        _only(request)
        key, reply_to = key_asked(request), self._reply_to(request, asking, None)
        programs = self._service.programs
        work = programs.follow_up(job[:_LONGEST_ID], action[:40], asking.visitor, key, reply_to)
        return await self._accepted(request, asking, await self._bridge.call(work))

    async def list_jobs(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE,
        cursor: Annotated[str, Query(pattern="^[0-9]{0,15}$")] = "",
        state: Annotated[str, Query(json_schema_extra={"enum": ["", *STATES]})] = "",
        mode: Annotated[str, Query(json_schema_extra={"enum": ["", *Mode]})] = "",
    ) -> Response:
        """Give a page of own jobs."""
        asking = await self._access.require(request, TokenScope.READ)
        _only(request, "limit", "cursor", "state", "mode")
        _one_of("state", state, STATES)
        _one_of("mode", mode, tuple(Mode))
        before = int(cursor) if cursor else None
        chosen = JobFilter(state, mode)
        work = self._service.programs.page(asking.visitor, chosen, limit, before)
        found, following = await self._bridge.call(work)
        writer = self.writer(request)
        page = JobPage(
            jobs=[writer.write(sight) for sight in found],
            next=None if following is None else str(following),
        )
        return JSONResponse(page.model_dump(), headers=PRIVATE)

    async def look(self, request: Request, job: JobId) -> Response:
        """Give one job."""
        asking = await self._access.require(request, TokenScope.READ)
        _only(request)
        sight = await self._bridge.call(
            self._service.programs.sight(job[:_LONGEST_ID], asking.visitor)
        )
        return JSONResponse(self.writer(request).write(sight).model_dump(), headers=PRIVATE)

    async def end(self, request: Request, job: JobId, *, erase: bool = False) -> Response:
        """Stop a job, or delete it."""
        asking = await self._access.require(
            request, TokenScope.DELETE if erase else TokenScope.CANCEL
        )
        _only(request, "erase")
        programs, job_id = self._service.programs, job[:_LONGEST_ID]
        if erase:
            await self._bridge.call(programs.erase(job_id, asking.visitor))
            return Response(status_code=204, headers=PRIVATE)
        await self._bridge.call(programs.stop(job_id, asking.visitor))
        sight = await self._bridge.call(programs.sight(job_id, asking.visitor))
        headers = PRIVATE | await self.spending(asking)
        return JSONResponse(self.writer(request).write(sight).model_dump(), headers=headers)

    async def clip(self, request: Request, job: JobId) -> Response:
        """Give the clip itself."""
        return await self._file(request, job, poster=False)

    async def poster(self, request: Request, job: JobId) -> Response:
        """Give its first frame."""
        return await self._file(request, job, poster=True)

    async def send_file(self, request: Request) -> Response:
        """Keep a file for requests to come."""
        asking = await self._access.require(request, TokenScope.SUBMIT)
        _only(request)
        kept = await self._files.keep(request, asking.visitor)
        return JSONResponse(kept.model_dump(), 201, headers=PRIVATE)

    async def quota(self, request: Request) -> Response:
        """Give what is left."""
        asking = await self._access.require(request, TokenScope.READ)
        _only(request)
        view = await self._bridge.call(self._service.programs.quota(asking.visitor))
        headers = PRIVATE | quota_headers(view, self._service.programs.now())
        return JSONResponse(quota_answer(view).model_dump(), headers=headers)

    async def modes(self, request: Request) -> Response:
        """Describe the modes."""
        await self._access.require_reader(request)
        language = language_asked(request)
        body = {"modes": describe_modes(self._service.limits, language)}
        return JSONResponse(body, headers={**PRIVATE, "Content-Language": language})

    def writer(self, request: Request) -> JobWriter:
        """Return who writes jobs down for who asks."""
        root = self._access.root(request)
        return JobWriter(root, self._service.limits, language_asked(request))

    async def _order(
        self, request: Request, asking: ProgramAsking, key: str | None
    ) -> tuple[JobOrder, dict[str, ReadFile]]:
        """Read what is asked for; a form's files are kept first, unless the key is known.

        Raises:
            BodyUnreadable: it is neither JSON nor a form.
        """
        match media_type(request):
            case "application/json":
                return read_order(self.models, await read_json(request)), {}
            case "multipart/form-data":
                most = max(len(spec.every_slot) for spec in MODES.values())
                fields = len(OPTIONS) + most + 2
                knows = self._service.programs.knows(asking.visitor, key)
                kept = not await self._bridge.call(knows)
                async with self._files.form(request, files=most, fields=fields, kept=kept) as form:
                    sent = await self._files.keep_each(form, asking.visitor, kept=kept)
                return read_order(self.models, sent.values, as_text=True), sent.read
            case _:
                raise BodyUnreadable("body_type")

    def _reply_to(
        self, request: Request, asking: ProgramAsking, webhook: str | None
    ) -> ReplyTo | None:
        url = asking.program.webhook if webhook is None else webhook
        if not url:
            return None
        return reply_to_program(url, asking.program.prefix, self._access.root(request))

    async def _check(self, reply_to: ReplyTo | None) -> None:
        if reply_to is not None:
            loopback = self._service.settings.studio.webhook_loopback
            await find_target(reply_to.address["url"], loopback=loopback)

    async def _accepted(self, request: Request, asking: ProgramAsking, ticket: Ticket) -> Response:
        programs, writer = self._service.programs, self.writer(request)
        sight = await self._bridge.call(programs.sight(ticket.job_id, asking.visitor))
        notes = notes_of(ticket.adjustments, writer.language)
        body = writer.write(sight, notes)
        headers = {**PRIVATE, **await self.spending(asking), "Location": body.url}
        if ticket.duplicate:
            headers["Idempotency-Replayed"] = "true"
        return JSONResponse(body.model_dump(), 200 if ticket.duplicate else 201, headers=headers)

    async def spending(self, asking: ProgramAsking) -> dict[str, str]:
        """Return the headers that say what is left."""
        programs = self._service.programs
        view = await self._bridge.call(programs.quota(asking.visitor))
        return quota_headers(view, programs.now())

    async def _file(self, request: Request, job: str, *, poster: bool) -> Response:
        asking = await self._access.require(request, TokenScope.READ)
        job_id, save_as = job[:_LONGEST_ID], "" if poster else f"clapper-{job[:8]}.mp4"
        await self._bridge.call(self._service.programs.job(job_id, asking.visitor))
        link = self._service.link(job_id, asking.visitor, save_as, poster=poster)
        elsewhere = await self._bridge.call(link)
        if elsewhere is not None:
            return RedirectResponse(elsewhere, 302, headers=PRIVATE)
        clip = await self._bridge.call(self._service.clip(job_id, asking.visitor))
        if poster:
            return await file_answer(request, clip.poster, "image/png", _KEPT)
        return await file_answer(request, clip.path, "video/mp4", _KEPT, save_as)


def _only(request: Request, *known: str) -> None:
    """Refuse parameters that the address does not have.

    Raises:
        FieldUnknown: there is one.
        FieldMistyped: one stands there twice.
    """
    for name in request.query_params:
        if name not in known:
            raise FieldUnknown(name[:40], ", ".join(known) or "–")
        if len(request.query_params.getlist(name)) > 1:
            raise FieldMistyped(name, "once")


def _one_of(field: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse what is no choice.

    Raises:
        NotAChoice: it is none.
    """
    if value and value not in choices:
        raise NotAChoice(field, value[:40], ", ".join(choices))
