"""Answers with a file of a clip: whole, in ranges, or that what the asker holds is still right."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

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
    """
    found = FileResponse(path, media_type=kind, filename=name, headers=dict(headers))
    found.set_stat_headers(await asyncio.to_thread(path.stat))
    tag = found.headers["etag"]
    sent = request.headers.get("if-none-match", "").replace("W/", "")
    if sent.strip() == "*" or tag in (one.strip() for one in sent.split(",")):
        return Response(status_code=304, headers={**headers, "ETag": tag})
    return found
