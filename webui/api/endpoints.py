# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false
"""The named endpoints for programs: one for each mode, and what can be asked of a job."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import gradio as gr

from core.domain.jobs import Ticket
from core.domain.modes import MODES, Mode
from core.errors import ClapperError, MediaMissing
from webui.api.job_answers import job_answer, ticket_answer
from webui.api.parsing import options_from_program
from webui.api.schemas import JobAnswer, describe_mode, finished
from webui.api.signatures import File, signature_of
from webui.auth.visitors import Visitor
from webui.gradio_errors import GradioError
from webui.page.handlers import Handlers, visitor_in
from webui.views.errors import unprobed


class Api:
    """Typed functions that Gradio publishes."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    def publish(self) -> None:
        """Offer every endpoint inside the current Blocks."""
        for mode in MODES:
            self._offer(mode, self._maker(mode), describe_mode(mode))
        for endpoint in (self.status, self.cancel, self.result, self.follow_up):
            self._offer(endpoint.__name__, endpoint)

    @staticmethod
    def _offer(name: str, endpoint: Any, description: str | None = None) -> None:  # noqa: ANN401  # any typed function
        gr.api(
            endpoint,
            api_name=name,
            api_description=description,
            concurrency_limit=None,
            queue=True,
        )

    def _maker(self, mode: Mode) -> Callable[..., Awaitable[JobAnswer]]:
        """Return the function that asks for a clip of ``mode``, with the types Gradio reads."""
        signature = signature_of(mode)
        roles = [slot.role for slot in MODES[mode].every_slot]

        async def make(*values: Any) -> JobAnswer:  # noqa: ANN401  # as the signature has them
            given = dict(signature.bind(*values).arguments)
            request: gr.Request = given.pop("request")
            files = {role: given.pop(role, None) for role in roles}
            return await self._submit(request, mode, given, files)

        published: Any = make
        published.__name__ = mode.value
        published.__signature__ = signature
        published.__annotations__ = {
            **{name: item.annotation for name, item in signature.parameters.items()},
            "return": signature.return_annotation,
        }
        return make

    async def status(self, request: gr.Request, job: str) -> dict[str, Any]:
        """Tell how far a job of yours is."""
        return await self._call(job_answer(self._handlers.service, job, self._asking(request)))

    async def cancel(self, request: gr.Request, job: str) -> dict[str, Any]:
        """Stop a job of yours; what was not used is back in your quota."""
        visitor, service = self._asking(request), self._handlers.service
        await self._call(service.act(job, "cancel", visitor))
        return await self._call(job_answer(service, job, visitor))

    async def result(self, request: gr.Request, job: str) -> dict[str, Any]:
        """Give the address of a finished clip of yours; only you can open it."""
        visitor = self._asking(request)
        return finished(job, await self._call(self._handlers.service.clip(job, visitor)))

    async def follow_up(self, request: gr.Request, job: str, action: str) -> JobAnswer:
        """Ask for the next clip: action is again, longer, quality (finishes a draft) or smaller."""
        visitor, service = self._asking(request), self._handlers.service
        ticket = await self._call(service.follow_up(job, action, visitor))
        return await self._call(ticket_answer(service, ticket, visitor))

    def _asking(self, request: gr.Request) -> Visitor:
        """Return who asks, of whom this is the newest request.

        Raises:
            Error: nobody is logged in.
        """
        visitor, inner = visitor_in(request), request.request
        if inner is not None:
            self._handlers.service.contexts.note(visitor, inner, page=False)
        return visitor

    async def _submit(
        self,
        request: gr.Request,
        mode: Mode,
        given: dict[str, Any],
        files: Mapping[str, File | None],
    ) -> JobAnswer:
        visitor = self._asking(request)
        paths = _paths(mode, files)
        ticket = await self._call(self._accept(mode, given, paths, visitor))
        self._handlers.metrics.accepted.labels(mode).inc()
        return await self._call(ticket_answer(self._handlers.service, ticket, visitor))

    async def _accept(
        self, mode: Mode, given: dict[str, Any], paths: Mapping[str, str | None], visitor: Visitor
    ) -> Ticket:
        service = self._handlers.service
        options = options_from_program(given, service.limits)
        return await service.submit(mode, options, paths, visitor)

    async def _call(self, work: Any) -> Any:  # noqa: ANN401  # whatever the service gives
        """Carry ``work`` to the core.

        Raises:
            GradioError: with the sentence that people get, and the code as its title.
        """
        try:
            return await self._handlers.bridge.call(work)
        except ClapperError as error:
            self._handlers.metrics.refused.labels(error.code).inc()
            raise GradioError(unprobed(error)) from None


def _paths(mode: Mode, files: Mapping[str, File | None]) -> dict[str, str | None]:
    """Return the uploads by role.

    Raises:
        GradioError: one is not an upload.
    """
    paths: dict[str, str | None] = {}
    left_out = {slot.role for slot in MODES[mode].more}
    for role, file in files.items():
        if file is None and role in left_out:
            continue
        path = file.get("path") if isinstance(file, dict) else None  # pyright: ignore[reportUnnecessaryIsInstance]  # comes from outside
        if not isinstance(path, str):
            raise GradioError(MediaMissing(mode, role))
        paths[role] = path
    return paths
