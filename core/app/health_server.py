"""A small HTTP server for probes, in a thread of its own: it answers also where the loop hangs.

GET only, one request a connection, bounded in size, time and number. Loopback unless the settings
say otherwise; there only names of this machine are answered, so no web page elsewhere reads it.
"""

import asyncio
import hmac
import ipaddress
import json
import re
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from time import monotonic
from typing import Any, TypeVar

import structlog

from core.errors.setup import BadConfiguration
from core.runtime.tasks import outcome_of
from core.service.readiness import Readiness
from core.service.views import FIGURES_TYPE

log = structlog.get_logger(__name__)

T = TypeVar("T")
AT_ONCE = 64  # connections
MOST_BYTES = 8192  # of a request's head
HEAD_S = 5.0  # until it has to be there
ANSWER_S = 0.9  # until the loop of the service has to have answered
LIVE_S = 120.0  # the loop may stand still so long: some executors hold it while they start
_ABSOLUTE = re.compile(r"https?://[^/?]*")  # RFC 9112, 3.2.2: as proxies ask
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    421: "Misdirected Request",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Probes:
    """What the server asks on the loop of the service."""

    ready: Callable[[], Coroutine[Any, Any, Readiness]]
    figures: Callable[[], Coroutine[Any, Any, bytes]]
    token: str = ""  # asked for by ``/metrics``; empty: nobody is asked


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    body: bytes
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    sent_bytes: int | None = None  # of the body; None: all

    @classmethod
    def json(cls, status: int, data: object) -> "_Response":
        return cls(status, json.dumps(data).encode())

    def raw(self) -> bytes:
        headers = {
            "Content-Type": self.kind,
            "Content-Length": str(len(self.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
            **self.headers,
        }
        lines = [f"HTTP/1.1 {self.status} {_REASONS[self.status]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body[: self.sent_bytes]


@asynccontextmanager
async def health_server(host: str, port: int, probes: Probes) -> AsyncGenerator[int]:
    """Serve ``/livez``, ``/readyz`` and ``/metrics`` inside the block; yield the port.

    Raises:
        BadConfiguration: the address is taken, or not one of this machine.
    """
    server = _HealthServer(asyncio.get_running_loop(), host, probes)
    opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    thread = threading.Thread(target=server.work, args=(port, opened), name="health", daemon=True)
    thread.start()
    pulse = asyncio.create_task(server.beat())
    try:
        try:
            actual = await opened
        except OSError as error:
            reason = f"{port}: {error.strerror}"
            raise BadConfiguration("CLAPPER_HEALTH_PORT", reason) from None
        log.info("health_ready", host=host, port=actual)
        yield actual
    finally:
        pulse.cancel()
        server.stop()
        await asyncio.to_thread(thread.join, 5)


class _HealthServer:
    def __init__(self, home: asyncio.AbstractEventLoop, host: str, probes: Probes) -> None:
        self._home = home
        self._host = host
        self._probes = probes
        self._beat_at_s = monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._open = 0

    async def beat(self) -> None:
        """Note every second that the loop of the service goes round."""
        while True:
            self._beat_at_s = monotonic()
            await asyncio.sleep(1)

    def work(self, port: int, opened: "asyncio.Future[int]") -> None:
        """Serve in this thread until :meth:`stop`."""
        asyncio.run(self._serve(port, opened))

    def stop(self) -> None:
        """End the thread; from the loop of the service."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self, port: int, opened: "asyncio.Future[int]") -> None:
        self._loop = asyncio.get_running_loop()
        try:
            server = await asyncio.start_server(self._accept, self._host, port, limit=MOST_BYTES)
        except OSError as error:
            self._home.call_soon_threadsafe(opened.set_exception, error)
            return
        actual: int = server.sockets[0].getsockname()[1]
        self._home.call_soon_threadsafe(opened.set_result, actual)
        async with server:
            await self._stop.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= AT_ONCE:
                await outcome_of(self._answer(reader, writer), HEAD_S + ANSWER_S + 1)
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read = await outcome_of(reader.readuntil(b"\r\n\r\n"), HEAD_S)
        if isinstance(read.error, asyncio.LimitOverrunError):
            writer.write(_Response(400, b"").raw())
        elif read.value is not None:
            writer.write((await self._respond(read.value)).raw())
        await writer.drain()

    async def _respond(self, head: bytes) -> _Response:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        target, _, protocol = rest.rpartition(" ")
        if not protocol.startswith("HTTP/1."):
            return _Response(400, b"")
        if method not in {"GET", "HEAD"}:
            return _Response(405, b"", headers={"Allow": "GET, HEAD"})
        headers = {name.strip().lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in lines if line)}  # fmt: skip
        if not self._is_ours(headers.get("host", "")):
            return _Response(421, b"")
        answers: dict[str, Callable[[dict[str, str]], Awaitable[_Response]]] = {
            "/livez": self._live,
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }
        path = _ABSOLUTE.sub("", target).partition("?")[0]
        found = await answers[path](headers) if path in answers else _Response(404, b"")
        return found if method == "GET" else replace(found, sent_bytes=0)

    def _is_ours(self, host: str) -> bool:
        """Return whether a request for ``host`` may be answered; HTTP/1.0 probes name none."""
        if not _is_loopback(self._host) or not host:
            return True
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return _is_loopback(name.strip("[]"))

    async def _live(self, _: dict[str, str]) -> _Response:
        still_s = monotonic() - self._beat_at_s
        ok = still_s < LIVE_S
        return _Response.json(200 if ok else 503, {"ok": ok, "loop_still_s": round(still_s, 1)})

    async def _ready(self, _: dict[str, str]) -> _Response:
        ready = await self._at_home(self._probes.ready())
        if ready is None:
            return _Response.json(503, {"ok": False, "troubles": ["loop"], "checks": []})
        checks = [asdict(check) for check in ready.checks]
        body = {"ok": ready.ok, "troubles": list(ready.troubles), "checks": checks}
        return _Response.json(200 if ready.ok else 503, body)

    async def _metrics(self, headers: dict[str, str]) -> _Response:
        token = self._probes.token.encode()
        kind, _, given = headers.get("authorization", "").partition(" ")
        right = kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token)
        if token and not right:
            return _Response(401, b"", headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
        figures = await self._at_home(self._probes.figures())
        return _Response(503, b"") if figures is None else _Response(200, figures, FIGURES_TYPE)

    async def _at_home(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Run ``work`` on the loop of the service; None where it does not end in time."""
        asked = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._home))
        done, _ = await asyncio.wait({asked}, timeout=ANSWER_S)
        if not done:
            asked.cancel()
            return None
        if asked.cancelled() or asked.exception() is not None:
            log.error("probe_broke", exc_info=None if asked.cancelled() else asked.exception())
            return None
        return asked.result()


def _is_loopback(name: str) -> bool:
    if name.lower() == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return False
