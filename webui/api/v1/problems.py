"""Errors as problem details (RFC 9457): our code and data, and a sentence in the asked language."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.errors import (
    AccessClosed,
    AlreadyFinished,
    ClapperError,
    DeviceTooSmall,
    IntakeClosed,
    InvalidInput,
    JobUnknown,
    KeyReused,
    MediaTooLarge,
    NothingFits,
    NothingToFetch,
    PolicyForbids,
    QuotaExceeded,
    RequesterBlocked,
    ShareTooCostly,
    TooCostly,
    TooLargeForDevice,
    TooManyJobs,
    TooManyQueued,
)
from core.errors.artefacts import ArtefactsUnavailable
from core.errors.programs import (
    AddressUnknown,
    BodyUnreadable,
    RangeBeyond,
    ScopeMissing,
    StreamsTooMany,
    TokenNeeded,
)
from core.errors.storage import StorageUnavailable
from core.i18n.messages import DEFAULT_LANGUAGE, explain, languages
from webui.answer_headers import PRIVATE
from webui.views.errors import unprobed

MEDIA_TYPE = "application/problem+json"
# the first that fits counts, so what is more special stands before what it is a kind of
_STATUS: tuple[tuple[tuple[type[ClapperError], ...], int], ...] = (
    ((TokenNeeded,), 401),
    ((ScopeMissing, AccessClosed, RequesterBlocked, PolicyForbids), 403),
    ((JobUnknown, NothingToFetch, AddressUnknown), 404),
    ((AlreadyFinished,), 409),
    ((MediaTooLarge,), 413),
    ((RangeBeyond,), 416),
    ((KeyReused, TooLargeForDevice, DeviceTooSmall, NothingFits), 422),
    ((QuotaExceeded, TooManyJobs, ShareTooCostly, TooManyQueued, StreamsTooMany), 429),
    ((TooCostly,), 422),
    ((IntakeClosed, StorageUnavailable, ArtefactsUnavailable), 503),
    ((InvalidInput,), 422),
)
_WAIT_S: dict[type[ClapperError], int] = {
    IntakeClosed: 60,
    TooManyQueued: 30,
    ArtefactsUnavailable: 30,
    StreamsTooMany: 10,
    StorageUnavailable: 5,
}


class ProblemDetails(BaseModel):
    """What went wrong; ``code`` is the same in all languages and versions."""

    type: str = Field(description="urn:clapper:problem: and the code")
    title: str
    status: int
    detail: str = Field(description="A sentence in the language of Accept-Language")
    code: str
    data: dict[str, Any] = Field(description="Numbers and names of the sentence, by the code")


_BODY = {"body_type": 415, "body_size": 413}  # by what is wrong with it; anything else: 400


def status_of(error: ClapperError) -> int:
    """Return the status that says what kind of error it is."""
    if isinstance(error, BodyUnreadable):
        return _BODY.get(error.reason, 400)
    for kinds, status in _STATUS:
        if isinstance(error, kinds):
            return status
    return 409


def problem(
    request: Request, error: ClapperError, now_ms: int, status: int | None = None
) -> Response:
    """Answer with ``error``."""
    error = unprobed(error)
    status = status_of(error) if status is None else status
    body = ProblemDetails(
        type=f"urn:clapper:problem:{error.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=explain(error, language_asked(request)),
        code=error.code,
        data=dict(error.data()),
    )
    headers = {**PRIVATE, **_retry(error, now_ms), "Content-Language": language_asked(request)}
    if isinstance(error, RangeBeyond):
        headers["Content-Range"] = error.content_range
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="clapper"'
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)


def language_asked(request: Request) -> str:
    """Return the language that the reader likes best of those that there are words for."""
    wanted: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if weight > 0:
            wanted.append((weight, tag.split("-")[0].lower()))
    liked = [tag for _, tag in sorted(wanted, key=lambda one: -one[0])]
    known = languages()
    return next((tag for tag in liked if tag in known), DEFAULT_LANGUAGE)


def _retry(error: ClapperError, now_ms: int) -> dict[str, str]:
    resets_at_ms: Any = error.data().get("resets_at_ms")
    if isinstance(resets_at_ms, int):
        return {"Retry-After": str(max(1, -(-(resets_at_ms - now_ms) // 1000)))}
    wait_s = next((s for kind, s in _WAIT_S.items() if isinstance(error, kind)), None)
    return {} if wait_s is None else {"Retry-After": str(wait_s)}
