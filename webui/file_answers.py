"""Answers with a file of a clip: whole, in ranges, or that what the asker holds is still right."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from core.errors import NothingToFetch
from core.errors.programs import RangeBeyond
from webui.http_dates import read_http_date

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
    """Answer with the file at ``path``, or 304 where what the asker holds is still right.

    Args:
        request: its ``If-None-Match``, ``If-Modified-Since``, ``Range`` and ``If-Range`` count.
        path: of the file.
        kind: its media type.
        headers: of the answer, besides those of the file.
        name: under which a browser saves it; None: it is shown.

    Raises:
        NothingToFetch: it was deleted since it was looked for.
        RangeBeyond: every part that is wanted begins behind its end.
    """
    try:
        stat = await asyncio.to_thread(path.stat)
    except FileNotFoundError:  # deleted at this moment
        raise NothingToFetch(path.stem) from None
    found = _Ranged(path, media_type=kind, filename=name, headers=dict(headers))
    found.set_stat_headers(stat)
    if _is_known(request, found):
        return Response(status_code=304, headers={**headers, "ETag": found.headers["etag"]})
    found.given = _given(request, found, stat.st_size)
    return found


def beyond_answer(error: RangeBeyond) -> Response:
    """Answer a browser that no part of the file is where it looks."""
    return PlainTextResponse("", 416, {"Content-Range": error.content_range})


def _is_known(request: Request, found: Response) -> bool:
    """Tell whether the asker holds this file; a date counts only where no tag is sent."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        sent = [one.strip() for one in tags.replace("W/", "").split(",")]
        return tags.strip() == "*" or found.headers["etag"] in sent
    held = read_http_date(request.headers.get("if-modified-since", ""))
    changed = read_http_date(found.headers["last-modified"])
    return held is not None and changed is not None and changed <= held


def _given(request: Request, found: Response, size: int) -> str:
    """Return the parts of ``size`` bytes that are given, as a Range has them; empty: all of it.

    A part behind the end is left out where another one is not (RFC 9110, 14.1.2).

    Raises:
        RangeBeyond: all of them are.
    """
    only_of = request.headers.get("if-range")
    if only_of not in {None, found.headers["etag"], found.headers["last-modified"]}:
        return ""
    wanted = _parts(request.headers.get("range", ""))
    there = [
        f"{first}-{last}"
        for first, last in wanted
        if (int(first) < size if first else int(last) > 0)
    ]
    if wanted and not there:
        raise RangeBeyond(size)
    return f"bytes={','.join(there)}" if there else ""


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
    """A file, of which ``given`` is sent; everything else that was wished for counts as nothing."""

    given = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: list[Any] = [
            one for one in scope["headers"] if one[0] not in {b"range", b"if-range"}
        ]
        if self.given:
            headers.append((b"range", self.given.encode()))
        await super().__call__({**scope, "headers": headers}, receive, send)
