"""The shipped double of the service that lends GPUs on a Space: what it was asked, and says."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Lender:
    """What the device API answers to the next requests for a GPU, and what it was asked."""

    url: str = ""
    answers: list[Reply] = field(default_factory=list[Reply])
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    calls: list[str] = field(default_factory=list[str])

    def reply(self, address: str, query: str) -> Reply:
        """Return the answer to one call."""
        self.calls.append(address)
        if address != "/schedule":
            return 200, {"content-type": "text/plain"}, b""
        self.asked.append({key: values[0] for key, values in parse_qs(query).items()})
        return self.answers.pop(0) if self.answers else granted(len(self.asked))


def granted(number: int) -> Reply:
    """Return a GPU that is lent."""
    body = {"idle": False, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": f"t{number}"}
    return 200, {"content-type": "application/json"}, json.dumps(body).encode()


def refused(wait: int, **headers: str) -> Reply:
    """Return a refusal with the seconds to wait: below zero never, zero no runs left."""
    body = json.dumps({"left": 10, "wait": wait}).encode()
    return 429, {"content-type": "application/json", **headers}, body


@contextmanager
def lending() -> Generator[Lender]:
    """Run the service on a free port of 127.0.0.1 inside the block."""
    lender = Lender()

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
        server.shutdown()
        server.server_close()
        thread.join()
