"""Gradio's scripts and styles from memory: well compressed once, and kept by browsers for a year.

Their names contain a digest of what is in them. One that never does anything here is replaced by an
empty one: the player of live streams, a third of all that the page would load.
"""

import asyncio
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gradio
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from webui.serving.compression import compress
from webui.serving.lazy_scripts import lazy_script

_FRONTEND = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
_OURS = Path(__file__).resolve().parents[1] / "assets"
_NAME = re.compile(r"/assets/([A-Za-z0-9_.-]{1,200}\.(?:js|css))")
_FONT = re.compile(r"/assets/(clapper-sans-[0-9]{3}\.woff2)")
_QUALITY = 9  # of Brotli; 105 files of the page take 0.4 s, once
_YEAR = "public, max-age=31536000, immutable"
_DAY = "public, max-age=86400"
# what it gives to others: whether it can play, and two functions that are called only if so
_RESIZER = "/static/js/iframeResizer.contentWindow.min.js"  # speaks to the page around
_HLS = re.compile(r"hls-[A-Za-z0-9_-]+\.js")
_GIVEN = re.compile(rb"export\s*\{([^}]*)\}\s*;?\s*$")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    coding: str
    kind: str
    kept: str


class Assets:
    """ASGI layer that answers for ``/assets``; what it does not know goes on to Gradio."""

    def __init__(self, app: ASGIApp, *, framed: bool) -> None:
        """Take the application, and whether its page stands in the frame of another."""
        self._app = app
        self._framed = framed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass a request on."""
        answer: ASGIApp = self._app
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            if scope["path"] == _RESIZER and not self._framed:
                answer = Response("", media_type="text/javascript", headers={"Cache-Control": _DAY})
                await answer(scope, receive, send)
                return
            answer = await _answer(scope) or self._app
        await answer(scope, receive, send)


async def _answer(scope: Scope) -> Response | None:
    path = scope["path"]
    if font := _FONT.fullmatch(path):
        return await asyncio.to_thread(_font, font[1])
    found = _NAME.fullmatch(path)
    if found is None:
        return None
    accepted = Headers(scope=scope).get("accept-encoding", "")
    wanted = "br" if "br" in accepted else "gzip" if "gzip" in accepted else ""
    asset = await asyncio.to_thread(_asset, found[1], wanted)
    if asset is None:
        return None
    headers = {"Cache-Control": asset.kept, "Vary": "Accept-Encoding"}
    if asset.coding:
        headers["Content-Encoding"] = asset.coding
    return Response(asset.body, media_type=asset.kind, headers=headers)


@cache
def _asset(name: str, accepted: str) -> Asset | None:
    path, ours = _FRONTEND / name, lazy_script(f"/assets/{name}")
    if ours is None and not path.is_file():
        return None
    content, kept = ours or path.read_bytes(), _YEAR
    if _HLS.fullmatch(name) and (emptied := without_player(content)):
        content, kept = emptied, _DAY
    body, coding = compress(content, accepted, _QUALITY)
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Asset(body, coding, kind, kept)


def _font(name: str) -> Response | None:
    path = _OURS / "fonts" / name
    if not path.is_file():
        return None
    kind = mimetypes.types_map.get(".woff2", "font/woff2")
    return Response(path.read_bytes(), media_type=kind, headers={"Cache-Control": _YEAR})


def without_player(script: bytes) -> bytes:
    """Return a module that gives the same names, each a function that says no.

    Empty where ``script`` does not end with a list of names: then it is left as it is.
    """
    given = _GIVEN.search(script)
    if given is None:
        return b""
    names = [part.split(b" as ")[-1].strip() for part in given[1].split(b",")]
    return b"const no=()=>false;export{" + b",".join(b"no as " + name for name in names) + b"};"
