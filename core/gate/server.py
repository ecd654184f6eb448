"""The gate over HTTP: a few calls with JSON in and out, and files; nothing else is there.

It runs on the loop of the service, as one more listener. Encryption is a reverse proxy's business,
or that of the certificate files that the settings name.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from core.errors.artefacts import ArtefactGone, ArtefactsUnavailable
from core.errors.setup import BadConfiguration
from core.errors.storage import StorageUnavailable
from core.gate import wire
from core.gate.calls import GateCalls
from core.gate.files import GateFiles, RefusedError
from core.gate.node_jobs import TooManyHeldError
from core.gate.nodes import GateNodes
from core.gate.rate import RateLimit
from core.settings.gate import GateSettings
from core.storage.gate_nodes import GateNode

log = structlog.get_logger(__name__)

AT_ONCE = 256  # requests; each worker has a long poll and a few calls
CALLS_PER_S, CALLS_AT_ONCE = 20.0, 100  # of a node
TRIES_PER_S, TRIES_AT_ONCE = 0.2, 20  # with no token that works, of an address
END_S = 2.0
BODY_S = 5.0  # until a call has to be there
T = TypeVar("T")
Handler = Callable[[Request, GateNode], Awaitable[Response]]


class Gate:
    """Answers requests for the nodes that an operator let in."""

    def __init__(self, nodes: GateNodes, calls: GateCalls, files: GateFiles) -> None:
        self._nodes = nodes
        self._calls = calls
        self._files = files
        self._rate = RateLimit(CALLS_PER_S, CALLS_AT_ONCE)
        self._tries = RateLimit(TRIES_PER_S, TRIES_AT_ONCE)
        self.app = Starlette(
            routes=[
                *(
                    Route(f"/gate/{name}", self._checked(handler), methods=["POST"])
                    for name, handler in (
                        ("greet", self._greet),
                        ("claim", self._claim),
                        ("begin", self._begin),
                        ("beat", self._beat),
                        ("preview", self._preview),
                        ("prompt", self._prompt),
                        ("settle", self._settle),
                        ("fail", self._fail),
                        ("requeue", self._requeue),
                        ("ran", self._ran),
                    )
                ),
                Route("/gate/inputs/{job}/{name}", self._checked(self._input), methods=["GET"]),
                Route("/gate/clips/{job}/{kind}", self._checked(self._upload), methods=["PUT"]),
            ]
        )

    def _checked(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                node = await self._nodes.node_of(_token_of(request))
                if node is None:
                    return self._unknown(request)
                if not self._rate.take(node.digest):
                    return Response(status_code=429, headers={"Retry-After": "1"})
                return await handler(request, node)
            except RefusedError as refused:
                return Response(status_code=refused.status)
            except (StorageUnavailable, ArtefactsUnavailable):
                return Response(status_code=503, headers={"Retry-After": "1"})
            except ClientDisconnect:
                return Response(status_code=499)

        return answer

    def _unknown(self, request: Request) -> Response:
        address = request.client.host if request.client else ""
        if not self._tries.take(address):
            return Response(status_code=429, headers={"Retry-After": "60"})
        log.warning("gate_refused", address=address)
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})

    async def _greet(self, request: Request, node: GateNode) -> Response:
        del node
        _require_version((await _read(request, wire.GreetCall)).protocol)
        return _answer(wire.KeptAnswer(kept=True))

    async def _claim(self, request: Request, node: GateNode) -> Response:
        call = await _read(request, wire.ClaimCall)
        _require_version(call.protocol)
        try:
            job = await self._calls.claim(node, call, request.is_disconnected)
        except TooManyHeldError:
            return Response(status_code=429, headers={"Retry-After": "5"})
        return _written(wire.encode_claim(wire.ClaimAnswer(job), call.protocol))

    async def _begin(self, request: Request, node: GateNode) -> Response:
        call = await _read(request, wire.AttemptCall)
        return _answer(wire.BeginAnswer(await self._calls.begin(node, call)))

    async def _beat(self, request: Request, node: GateNode) -> Response:
        call = await _read(request, wire.BeatCall)
        return _answer(wire.KeptAnswer(await self._calls.beat(node, call)))

    async def _preview(self, request: Request, node: GateNode) -> Response:
        call = await _read(request, wire.PreviewCall)
        return _answer(wire.KeptAnswer(await self._calls.preview(node, call)))

    async def _prompt(self, request: Request, node: GateNode) -> Response:
        call = await _read(request, wire.PromptCall)
        return _answer(wire.KeptAnswer(await self._calls.prompt(node, call)))

    async def _settle(self, request: Request, node: GateNode) -> Response:
        call = await _read(request, wire.SettleCall)
        return _answer(wire.KeptAnswer(await self._calls.settle(node, call)))

    async def _fail(self, request: Request, node: GateNode) -> Response:
        call = await _read(request, wire.FailCall)
        return _answer(wire.KeptAnswer(await self._calls.fail(node, call)))

    async def _requeue(self, request: Request, node: GateNode) -> Response:
        call = await _read(request, wire.RequeueCall)
        return _answer(wire.KeptAnswer(await self._calls.requeue(node, call)))

    async def _ran(self, request: Request, node: GateNode) -> Response:
        call = await _read(request, wire.RanCall)
        return _answer(wire.KeptAnswer(await self._calls.ran(node, call)))

    async def _input(self, request: Request, node: GateNode) -> Response:
        job, name = request.path_params["job"], request.path_params["name"]
        try:
            path = await self._files.input_of(node, job, _key_of(request), name)
        except ArtefactGone:
            return Response(status_code=410)
        if path is None:
            return Response(status_code=404)
        return FileResponse(path, media_type="application/octet-stream")

    async def _upload(self, request: Request, node: GateNode) -> Response:
        kind, length = request.path_params["kind"], request.headers.get("content-length", "")
        digest = request.headers.get("x-clapper-sha256", "")
        if kind not in {"mp4", "png"}:
            return Response(status_code=404)
        if not length.isdecimal():
            return Response(status_code=411)
        job, key = request.path_params["job"], _key_of(request)
        size = int(length)
        await self._files.take(node, job, key, kind, size, digest, request.stream())
        return Response(status_code=204)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to the service."""
        yield


@asynccontextmanager
async def gate_server(settings: GateSettings, gate: Gate) -> AsyncGenerator[int]:
    """Serve ``gate`` inside the block; yield the port.

    Raises:
        BadConfiguration: the address is taken, or not one of this machine; or a certificate file
            cannot be used.
    """
    listening = _listen(settings)
    config = uvicorn.Config(
        gate.app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=AT_ONCE,
        h11_max_incomplete_event_size=16_384,
        ws="none",
        timeout_graceful_shutdown=1,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.certificate_key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        listening.close()
        raise BadConfiguration("CLAPPER_GATE_CERTIFICATE", str(error.strerror or error)) from None
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        log.info("gate_ready", host=settings.host, port=listening.getsockname()[1])
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.wait({serving}, timeout=END_S)
        serving.cancel()
        listening.close()


def _listen(settings: GateSettings) -> socket.socket:
    """Open the address of the settings.

    Raises:
        BadConfiguration: it is taken, or not one of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((settings.host, settings.port or 0))
        opened.listen(AT_ONCE)
        opened.setblocking(False)  # noqa: FBT003  # the standard library's
    except OSError as error:
        opened.close()
        reason = f"{settings.port}: {error.strerror}"
        raise BadConfiguration("CLAPPER_GATE_PORT", reason) from None
    return opened


def _token_of(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _key_of(request: Request) -> str:
    return request.headers.get("x-clapper-attempt", "")


def _require_version(protocol: int) -> None:
    """Do nothing where the other side speaks as this one.

    Raises:
        RefusedError: it is of another version (426).
    """
    if protocol not in wire.UNDERSTOOD:
        raise RefusedError(426)


async def _read(request: Request, kind: type[T]) -> T:
    """Read the record of a call.

    Raises:
        RefusedError: it is too long (413), takes too long (408), or is none (400).
    """
    text = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                text += piece
                if len(text) > wire.MOST_BYTES:
                    raise RefusedError(413)
    except TimeoutError:
        raise RefusedError(408) from None
    try:
        return wire.decode(kind, bytes(text))
    except ValueError:
        raise RefusedError(400) from None


def _answer(record: object) -> Response:
    return _written(wire.encode(record))


def _written(text: bytes) -> Response:
    return Response(
        text,
        media_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
