# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""What a call of an endpoint of Gradio's may say, read before Gradio does.

Gradio takes a function by its number whatever the address names, and answers a number, a session or
a file that it does not know with a crash; what else a call can hold is between its own page and it.
"""

import json
import re
from typing import Any, cast

import gradio as gr
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ClapperError, NotAChoice, Refused
from core.errors.programs import FieldMistyped
from webui.answer_headers import PRIVATE
from webui.auth.guard import ENDPOINTS
from webui.views.errors import error_body

_CALL = re.compile(r"/gradio_api/(?P<how>queue/join|(run|api|call)/[^/]+)/?")
_READ = re.compile(
    r"/gradio_api/(queue/data|call/(v2/)?(?P<name>[^/]+)/(?P<event>[^/]+))/?"
)  # streams of what was called
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")  # Gradio's own are 10 to 32 letters and digits
_KEPT = frozenset({"data", "fn_index", "session_hash"})


class CallUnknown(Refused):
    """No call under way has this id, or its answer was read; Gradio would break a stream off."""


class CheckedCalls:
    """ASGI layer in front of Gradio's endpoints; something else has limited the bytes."""

    def __init__(self, app: ASGIApp, blocks: gr.Blocks) -> None:
        """Take the application, and the page whose functions programs may call."""
        self._app = app
        self._numbers = numbers_of(blocks)
        self._blocks = blocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or refuse it."""
        found = None
        if scope["type"] == "http" and scope["method"] == "POST":
            found = _CALL.fullmatch(scope["path"])
        if found is None:
            lost = scope["type"] == "http" and scope["method"] == "GET" and self._lost(scope)
            answer = _told(CallUnknown()) if lost else self._app
            await answer(scope, receive, send)
            return
        raw = await Request(scope, receive).body()
        refused, raw = self._checked(raw, named=found["how"] != "queue/join")
        if refused is not None:
            await _told(refused)(scope, receive, send)
            return
        await self._app(_measured(scope, len(raw)), _once(raw, receive), send)

    def _lost(self, scope: Scope) -> bool:
        """Return whether there is nothing to be read at the address of a stream."""
        found = _READ.fullmatch(scope["path"])
        if found is None:
            return False
        queue: Any = vars(self._blocks)["_queue"]  # Gradio tells nowhere else what it knows
        if event := found["event"]:
            return not any(event in ids for ids in queue.pending_event_ids_session.values())
        session = QueryParams(scope["query_string"]).get("session_hash", "")
        return bool(session) and session not in queue.pending_messages_per_session

    def _checked(self, raw: bytes, *, named: bool) -> tuple[ClapperError | None, bytes]:
        """Return why a call is refused, or None and what is left of it."""
        try:
            sent: Any = json.loads(raw)
        except (ValueError, RecursionError):
            return None, b"null"  # Gradio says so itself
        if not isinstance(sent, dict):
            return None, b"null"
        call = {n: v for n, v in cast("dict[str, Any]", sent).items() if n in _KEPT}
        session, number = call.get("session_hash"), call.pop("fn_index", None)
        if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
            return FieldMistyped("session_hash", _SESSION.pattern), raw
        if not named:
            if number not in self._numbers or isinstance(number, bool):
                known = ", ".join(sorted(ENDPOINTS))
                return NotAChoice("endpoint", str(number)[:40], known), raw
            call["fn_index"] = number
        return None, json.dumps(call).encode()


def numbers_of(blocks: gr.Blocks) -> frozenset[int]:
    """Return Gradio's numbers of the functions that programs may call."""
    return frozenset(n for n, fn in blocks.fns.items() if fn.api_name in ENDPOINTS)


def _measured(scope: Scope, length: int) -> Scope:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    framing = {b"content-length", b"transfer-encoding"}
    kept = [one for one in headers if one[0] not in framing]
    return {**scope, "headers": [*kept, (b"content-length", str(length).encode())]}


def _once(body: bytes, receive: Receive) -> Receive:
    """Return what gives ``body`` as a whole, and from then on what really comes."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return first.pop() if first else await receive()

    return receiving


def _told(error: ClapperError) -> Response:
    status = 404 if isinstance(error, NotAChoice | CallUnknown) else 422
    return JSONResponse(error_body(error), status, headers=PRIVATE)
