"""The shipped double of the service that lends GPUs on a Space: what it was asked, and says.

Without rules it lends at once and ends nothing. With :class:`Rules` it counts every visitor's
seconds, kills the worker when the granted ones are over, and refuses aged tokens, long calls and
used-up days, as the platform does.
"""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from webui.testing.lender_rules import Book, Lease, Rules, SharedClock, end_process, mint

__all__ = ["Lease", "Lender", "Reply", "Rules", "SharedClock", "granted", "lending", "refused"]

Reply = tuple[int, dict[str, str], bytes]
JSON, TEXT, EVENTS = (
    {"content-type": kind} for kind in ("application/json", "text/plain", "text/event-stream")
)


@dataclass
class Lender:
    """What the device API answers to the next requests for a GPU, and what it was asked."""

    url: str = ""
    answers: list[Reply] = field(default_factory=list[Reply])  # first; then what the rules say
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    calls: list[str] = field(default_factory=list[str])
    rules: Rules = field(default_factory=Rules)
    clock: SharedClock | None = None  # else real seconds
    book: Book = field(init=False)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closing: bool = False

    def __post_init__(self) -> None:
        self.book = Book(self.rules, self.clock or time.monotonic)

    @property
    def leases(self) -> list[Lease]:
        """Return every GPU that was lent, in order."""
        return self.book.leases

    def counted_s(self, visitor: str = "") -> float:
        """Return the lender's seconds that ``visitor`` has used; without a name, those of nobody.

        The visitor of a minted token is its name; any other token is its own name.
        """
        with self._changed:
            return self.book.counted_s(visitor)

    def token(self, visitor: str) -> str:
        """Return a fresh token for the header ``x-ip-token``, as the platform's proxy sends it."""
        return mint(visitor, self.book.now())

    def expire(self, token: str) -> None:
        """Take ``token`` no more, whatever its age."""
        with self._changed:
            self.book.expired.add(token)

    def ended(self, number: int, timeout_s: float = 60.0) -> Lease:
        """Wait until lease ``number`` (from 0) is over, and return it.

        Raises:
            TimeoutError: it is not, after ``timeout_s`` real seconds.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: len(self.leases) > number and self.leases[number].ended, timeout_s
            ):
                raise TimeoutError(f"lease {number}")
            return self.leases[number]

    def reply(self, address: str, query: str) -> Reply:
        """Return the answer to one call."""
        values = {key: values[0] for key, values in parse_qs(query).items()}
        with self._changed:
            self.calls.append(address)
            match address:
                case "/schedule":
                    return self._schedule(values)
                case "/allow":
                    return self._allow(values["allowToken"], int(values["pid"]))
                case "/release":
                    return self._release(values["allowToken"], failed=values.get("fail") == "true")
                case "/tick":
                    return self._tick(float(values["seconds"]))
                case _:
                    return 200, TEXT, b""

    def _schedule(self, values: dict[str, str]) -> Reply:
        self.asked.append(values)
        if self.answers:
            return self.answers.pop(0)
        token, size = values.get("token"), values.get("gpuSize", "large")
        asked_s = float(values.get("durationSeconds", 60))
        said = self.book.refusal(token, asked_s, size)
        if said == 401:
            return 401, TEXT, b""
        if isinstance(said, tuple):
            return refused(said[1], left=said[0])
        task = values.get("taskId", "")
        lease = self.book.lend(token, task, asked_s, size)
        if lease is not None:
            return granted(self._watched(lease))
        wait_s = self.rules.queue_s * self.rules.second_s
        if not self._changed.wait_for(lambda: self._closing or self._free(), wait_s):
            return 200, EVENTS, b"event: failed\n\n"
        lease = None if self._closing else self.book.lend(token, task, asked_s, size)
        if lease is None:
            return 503, TEXT, b""
        body = granted(self._watched(lease))[2].decode()
        return 200, EVENTS, f"event: succeeded\ndata: {body}\n\n".encode()

    def _free(self) -> bool:
        return sum(one.ended is None for one in self.leases) < self.rules.gpus

    def _watched(self, lease: Lease) -> Lease:
        """Return ``lease``, which ends with its seconds where this lender kills."""
        if self.rules.kills and self.clock is None:
            left_s = lease.granted_s * self.rules.second_s
            timer = threading.Timer(left_s, self._over, [lease])
            timer.daemon = True
            timer.start()
        return lease

    def _over(self, lease: Lease) -> None:
        with self._changed:
            if lease.ended is None:
                self.book.end(lease, "killed")
                if lease.pid is not None:
                    end_process(lease.pid)
                self._changed.notify_all()

    def _tick(self, seconds: float) -> Reply:
        """Let the shared clock go on; whose seconds are over by then is killed before an answer."""
        assert self.clock is not None  # noqa: S101  # only who shares it calls
        self.calls.pop()  # no call of the lender's package
        self.clock.advance(seconds)
        for lease in self.leases:
            if self.rules.kills and lease.ended is None and lease.left_s(self.book.now()) <= 0:
                self._over(lease)
                lease.ended = lease.began + lease.granted_s
        return 200, TEXT, b""

    def _allow(self, token: str, pid: int) -> Reply:
        lease = self.book.find(token)
        if lease is not None:
            lease.pid = pid
        elif any(one.token == token for one in self.leases):  # its time was over before it began
            end_process(pid)
        return 200, TEXT, b""

    def _release(self, token: str, *, failed: bool) -> Reply:
        lease = self.book.find(token)
        if lease is None:
            known = any(one.token == token for one in self.leases)
            return (404 if known else 200), TEXT, b""
        self.book.end(lease, "failed" if failed else "released")
        self._changed.notify_all()
        return 200, TEXT, b""

    def close(self) -> None:
        """Let go of whoever waits in line."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()


def granted(lease: Lease) -> Reply:
    """Return a GPU that is lent."""
    body = {
        "idle": lease.warm,
        "nvidiaIndex": lease.gpu,
        "nvidiaUUID": f"GPU-{lease.gpu}",
        "allowToken": lease.token,
    }
    return 200, JSON, json.dumps(body).encode()


def refused(wait: int, *, left: int = 10, **headers: str) -> Reply:
    """Return a refusal with the seconds to wait: below zero never, zero no runs left."""
    body = json.dumps({"left": left, "wait": wait}).encode()
    return 429, {**JSON, **headers}, body


@contextmanager
def lending(rules: Rules | None = None, clock: SharedClock | None = None) -> Generator[Lender]:
    """Run the service on a free port of 127.0.0.1 inside the block.

    Args:
        rules: how strict it is; none at all unless given.
        clock: whose seconds count; the real ones unless given.
    """
    lender = Lender(rules=rules or Rules(), clock=clock)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            address = urlsplit(self.path)
            status, headers, body = lender.reply(address.path, address.query)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    lender.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield lender
    finally:
        lender.close()
        server.shutdown()
        server.server_close()
        thread.join()
