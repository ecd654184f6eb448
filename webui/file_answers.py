"""Answers with a file of a clip: whole, in ranges, or that what the asker holds is still right."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from core.errors import NothingToFetch
from core.errors.programs import RangeBeyond

_PART = r"\s*(\d{1,18}-\d{0,18}|-\d{1,18})\s*"
_RANGES = re.compile(rf"bytes={_PART}(,{_PART})*", re.ASCII)
# kept, but asked for again: it may be deleted
KEPT = {"Cache-Control": "private, no-cache"}


async def file_answer(
    request: Request,
    path: Path,
    kind: str,
    headers: Mapping[str, str],
    name: str | None = None,
) -> Response:
    """Answer with the file at ``path``, or 304 where the tag that is sent is still its own.

    Args:
        request: its ``If-None-Match``, ``Range`` and ``If-Range`` count.
        path: of the file.
        kind: its media type.
        headers: of the answer, besides those of the file.
        name: under which a browser saves it; None: it is shown.

    Raises:
        NothingToFetch: it was deleted since it was looked for.
    """
    try:
        stat = await asyncio.to_thread(path.stat)
    except FileNotFoundError:  # deleted at this moment
        raise NothingToFetch(path.stem) from None
    found = _Ranged(path, media_type=kind, filename=name, headers=dict(headers))
    found.set_stat_headers(stat)
    tag = found.headers["etag"]
    sent = request.headers.get("if-none-match", "").replace("W/", "")
    if sent.strip() == "*" or tag in (one.strip() for one in sent.split(",")):
        return Response(status_code=304, headers={**headers, "ETag": tag})
    return found


def check_range(request: Request, size: int) -> None:
    """Do nothing where a part of ``size`` bytes can be given, or no part is wanted.

    Raises:
        RangeBeyond: every part that is wanted begins behind the end.
    """
    if "if-range" in request.headers:
        return
    parts = _parts(request.headers.get("range", ""))
    if parts and all(start and int(start) >= size for start, _ in parts):
        raise RangeBeyond(size)


def _parts(wanted: str) -> list[list[str]]:
    """Read the first and the last byte of each part, as digits or nothing.

    There are none where a part ends before it begins, or the form is another one.
    """
    if not _RANGES.fullmatch(wanted):
        return []
    parts = [one.strip().split("-") for one in wanted.partition("=")[2].split(",")]
    backwards = any(start and end and int(start) > int(end) for start, end in parts)
    return [] if backwards else parts


class _Ranged(FileResponse):
    """A file; a range in no known form counts as none, as RFC 9110 (14.2) allows."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        kept = [
            (name, value)
            for name, value in headers
            if name != b"range" or _parts(value.decode("latin-1"))
        ]
        await super().__call__({**scope, "headers": kept}, receive, send)
