"""The API as tools for agents: model context protocol over streamable HTTP at ``/mcp``.

Gradio's own server is not used (ADR 11): it calls the API in its own name, so that all agents
without a key are one requester at this machine. Here every call is its own connection's.
"""

import asyncio
import binascii
import json
from base64 import b64decode
from contextlib import AbstractAsyncContextManager
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.domain.jobs import Ticket
from core.domain.modes import MODES, Mode
from core.errors import ClapperError, MediaMissing, MediaUnreadable, NotAChoice, Refused
from core.i18n.messages import explain, say
from webui.api.job_answers import job_answer, ticket_answer
from webui.api.mcp_tools import KEY, tools
from webui.api.parsing import options_from_program
from webui.api.schemas import finished
from webui.auth.guard import JOB_ENDPOINTS
from webui.auth.middleware import visitor_of
from webui.auth.visitors import Visitor
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.service import StudioService
from webui.views.errors import unprobed

PATH = "/mcp"
_DATA = "data:"


class KeyMissing(Refused):
    """An agent without a secret of its own; it could not find its job again."""


class McpServer:
    """The tools, and the address where they are."""

    def __init__(self, service: StudioService, bridge: Bridge, metrics: Metrics) -> None:
        self._service = service
        self._bridge = bridge
        self._metrics = metrics
        self._server: Server[Any, Request] = Server("clapper", instructions=say("mcp_instructions"))
        self._server.list_tools()(self._list)  # pyright: ignore[reportUnknownMemberType]  # the library leaves a type open
        self._server.call_tool()(self._call)
        limit = service.settings.media.limits().stream_bytes
        self._manager = StreamableHTTPSessionManager(
            self._server,
            json_response=True,
            stateless=True,
            max_request_body_size=2 * limit,  # two files, a third longer as text
        )

    @property
    def route(self) -> Route:
        """Return the address."""
        return Route(PATH, _Endpoint(self._manager))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Return what has to be open while the server runs."""
        return self._manager.run()

    async def _list(self) -> list[types.Tool]:
        return tools(self._service.limits)

    async def _call(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        request = self._server.request_context.request
        visitor = visitor_of(request) if request is not None else None
        if visitor is not None and visitor.problem is not None:
            return _refusal(visitor.problem)
        if request is None or visitor is None or not visitor.kept:
            return _refusal(KeyMissing())
        self._service.contexts.note(visitor, request, page=False)
        try:
            answer = await self._answer(name, arguments, visitor, request)
        except ClapperError as error:
            self._metrics.refused.labels(error.code).inc()
            return _refusal(unprobed(error))
        text = types.TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))
        return types.CallToolResult(content=[text], structuredContent=answer)

    async def _answer(
        self, name: str, arguments: dict[str, Any], visitor: Visitor, request: Request
    ) -> dict[str, Any]:
        """Do what a tool does.

        Raises:
            NotAChoice: there is no such tool.
        """
        if name in set(Mode):
            return await self._submit(Mode(name), arguments, visitor)
        if name not in JOB_ENDPOINTS:
            raise NotAChoice("tool", name[:40], ", ".join((*Mode, *JOB_ENDPOINTS)))
        job = str(arguments["job"])
        if name == "follow_up":
            key = _key_in(arguments) or ""
            work = self._service.follow_up(job, str(arguments["action"]), visitor, key)
            return await self._accepted(await self._bridge.call(work), visitor)
        if name == "result":
            clip = await self._bridge.call(self._service.clip(job, visitor))
            return finished(job, clip, str(request.base_url).rstrip("/"))
        if name == "cancel":
            await self._bridge.call(self._service.act(job, "cancel", visitor))
        return await self._bridge.call(job_answer(self._service, job, visitor))

    async def _accepted(self, ticket: Ticket, visitor: Visitor) -> dict[str, Any]:
        return dict(await self._bridge.call(ticket_answer(self._service, ticket, visitor)))

    async def _submit(
        self, mode: Mode, arguments: dict[str, Any], visitor: Visitor
    ) -> dict[str, Any]:
        """Ask for a clip.

        Raises:
            MediaMissing: there is nothing where a file should be.
        """
        given, paths = dict(arguments), dict[str, str | bytes | None]()
        key = _key_in(given)
        given.pop(KEY, None)
        for slot in MODES[mode].every_slot:
            address = str(given.pop(slot.role, ""))
            if not address and slot in MODES[mode].more:
                continue
            if not address:
                raise MediaMissing(mode, slot.role)
            paths[slot.role] = await asyncio.to_thread(_sent, address, slot.role)
        options = options_from_program(given, self._service.limits)
        ticket = await self._bridge.call(self._service.submit(mode, options, paths, visitor, key))
        if not ticket.duplicate:
            self._metrics.accepted.labels(mode).inc()
        return await self._accepted(ticket, visitor)


class _Endpoint:
    """An ASGI application; a function would be called with a request."""

    def __init__(self, manager: StreamableHTTPSessionManager) -> None:
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._manager.handle_request(scope, receive, send)


def _refusal(error: ClapperError) -> types.CallToolResult:
    """Return the sentence that people get, and the code for programs."""
    text = types.TextContent(type="text", text=explain(error))
    return types.CallToolResult(
        content=[text], structuredContent={"error": error.code, **error.data()}, isError=True
    )


def _key_in(arguments: dict[str, Any]) -> str | None:
    """Return the key of a call, None where it has none; apart from those of the page."""
    key = arguments.get(KEY)
    return None if key is None else f"mcp:{key}"


def _sent(address: str, role: str) -> str | bytes:
    """Return the path of an upload, or the bytes that are in the address itself.

    Raises:
        MediaUnreadable: the bytes are not base64.
    """
    if not address.startswith(_DATA):
        return address
    try:
        return b64decode(address.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise MediaUnreadable(role, "not_base64") from None
