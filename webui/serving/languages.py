"""The language of whoever asks: every sentence of an answer is said in it, with their time."""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.i18n.messages import DEFAULT_LANGUAGE, languages, speaking

_MOST = 50  # languages that are looked at; a browser sends a handful
_ZONE = "x-clapper-zone"
_LONGEST = 64  # characters of a zone's name
_WISH = re.compile(
    r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?"
)


def preferred(accepted: str) -> str:
    """Choose among our languages by an ``Accept-Language`` header; the default where none fits."""
    best, weight = DEFAULT_LANGUAGE, 0.0
    for wish in accepted.split(",", _MOST)[:_MOST]:
        found = _WISH.fullmatch(wish)
        if found is None:
            continue
        language, wanted = found[1].lower(), float(found[2] or 1)
        if wanted > weight and language in languages():
            best, weight = language, wanted
    return best


class InLanguage:
    """ASGI layer outside of all others: lets what is inside speak the language of the request.

    The page says in which time zone its browser is; for who does not, moments are in UTC.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        zone = headers.get(_ZONE, "")[:_LONGEST]
        with speaking(preferred(headers.get("accept-language", "")), zone):
            await self._app(scope, receive, send)
