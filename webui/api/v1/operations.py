"""What programs may ask, as rows: the address, and every status that an answer may have.

Statuses of all of them stand here and nowhere else; what FastAPI would add by itself is replaced.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel

from webui.api.v1.answers import FileAnswer, JobPage, JobResource, QuotaAnswer
from webui.api.v1.problems import MEDIA_TYPE, ProblemDetails
from webui.api.v1.requests import ModeList

REF = "#/components/schemas/{model}"
Answer = type[BaseModel] | str | None  # a model, the media type of a file, or no body

# no token; not its scope, or from a page of another site; by a name that is none of ours; no rows
_ASKING = (401, 403, 421, 503)
_FOUND = (*_ASKING, 404)
_WAIT = {"Retry-After": "Seconds until it is worth another try"}
_LEFT = {
    "RateLimit": "What is left of each limit, and seconds until it is full again",
    "RateLimit-Policy": "Each limit",
}
_SAME = {"Idempotency-Replayed": "true: the key is known, and this is its job"}
_HEADERS: dict[int, dict[str, str]] = {
    206: {"Content-Range": "Which bytes these are"},
    302: {"Location": "Where the file lies, for ten minutes"},
    304: {"ETag": "As it was sent"},
    401: {"WWW-Authenticate": "Bearer"},
    416: {"Content-Range": "How many bytes there are"},
    429: {**_WAIT, **_LEFT},
    503: _WAIT,
}
_WORDS: dict[int, str] = {
    204: "There is nothing more",
    206: "A part of the file",
    302: "The file lies elsewhere",
    304: "What you have is still right",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that may be asked; ``answers`` by status, ``problems`` are RFC 9457."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    name: str  # of its words, and of the method that answers
    answers: dict[int, Answer]
    problems: tuple[int, ...]
    headers: dict[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])

    @property
    def responses(self) -> dict[str, Any]:
        """Return what a description says of every answer."""
        told = {str(status): self._answer(status, kind) for status, kind in self.answers.items()}
        problem = {MEDIA_TYPE: {"schema": _ref(ProblemDetails)}}
        for status in self.problems:
            told[str(status)] = self._described(status) | {"content": problem}
        return dict(sorted(told.items()))

    def _answer(self, status: int, kind: Answer) -> dict[str, Any]:
        match kind:
            case None:
                return self._described(status)
            case str():
                binary: dict[str, Any] = {} if kind.startswith("text") else {"format": "binary"}
                content = {kind: {"schema": {"type": "string"} | binary}}
            case _:
                content = {"application/json": {"schema": _ref(kind)}}
        return self._described(status) | {"content": content}

    def _described(self, status: int) -> dict[str, Any]:
        headers = _HEADERS.get(status, {}) | self.headers.get(status, {})
        told: dict[str, Any] = {"description": _WORDS.get(status) or _phrase(status)}
        if headers:
            told["headers"] = {
                name: {"description": words, "schema": {"type": "string"}}
                for name, words in headers.items()
            }
        return told


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


_TICKET: dict[int, Answer] = {200: JobResource, 201: JobResource}
_TICKET_HEADERS = {
    200: _LEFT | _SAME,
    201: _LEFT | {"Location": "The job"},
}
OPERATIONS = (
    Operation(
        "POST", "/jobs", "submit", _TICKET, (*_ASKING, 400, 413, 415, 422, 429), _TICKET_HEADERS
    ),
    Operation("GET", "/jobs", "list", {200: JobPage}, (*_ASKING, 422)),
    Operation("GET", "/jobs/{job}", "job", {200: JobResource}, (*_FOUND, 422)),
    Operation(
        "DELETE",
        "/jobs/{job}",
        "end",
        {200: JobResource, 204: None},
        (*_FOUND, 409, 422),
        {200: _LEFT},
    ),
    Operation(
        "POST",
        "/jobs/{job}/actions/{action}",
        "action",
        _TICKET,
        (*_FOUND, 422, 429),
        _TICKET_HEADERS,
    ),
    Operation(
        "GET",
        "/jobs/{job}/clip",
        "clip",
        {200: "video/mp4", 206: "video/mp4", 302: None, 304: None},
        (*_FOUND, 416),
    ),
    Operation(
        "GET",
        "/jobs/{job}/poster",
        "poster",
        {200: "image/png", 206: "image/png", 302: None, 304: None},
        (*_FOUND, 416),
    ),
    Operation(
        "GET",
        "/jobs/{job}/events",
        "events",
        {200: "text/event-stream", 204: None},
        (*_FOUND, 429),
    ),
    Operation("POST", "/files", "file", {201: FileAnswer}, (*_ASKING, 400, 413, 422)),
    Operation("GET", "/quota", "quota", {200: QuotaAnswer}, (*_ASKING, 422), {200: _LEFT}),
    Operation("GET", "/modes", "modes", {200: ModeList}, _ASKING),
)
MODELS = (JobResource, JobPage, FileAnswer, QuotaAnswer, ModeList, ProblemDetails)
