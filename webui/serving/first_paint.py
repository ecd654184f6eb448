"""The page's HTML as it is sent: something to see at once, before any script or style is there.

Gradio's own begins with a style that the browser waits for. Here the frame of the page comes first,
with its colours and the words of the reader's language; everything else follows behind it.
"""

import re
from html import escape
from string import Template

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.i18n.messages import language_of, say
from webui.page.theme import AMBER, CARD, INK, LINE, RAIL, STYLES, SUBDUED, TEXT

_BLOCKING = re.compile(r'<link rel="stylesheet"([^>]*)>')
# in its place, since later styles count more, but nobody waits for it
_LATE = r"""<link rel="stylesheet" media="print" onload="this.media='all'"\1>"""
_LANGUAGE = re.compile(r'(<html\b[^>]*?)\blang="en"')
# what a chat shows of a link: Gradio's name, advertisement and picture, from an address of its own
_CARDS = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
_BODY = re.compile(r"<body\b[^>]*>")
_NAVIGATOR = (
    "<script>for (const [name, value] of"
    " [['language', '{language}'], ['languages', ['{language}']]])"
    " Object.defineProperty(navigator, name, {{ get: () => value }});</script>"
)  # by these Gradio chooses the language of its own words
# the letters that the two files of our own have; those of other languages are in Gradio's
_RANGES = (
    "U+20-7E,U+A0-FF,U+131,U+152-153,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+2030,"
    "U+2039-203A,U+20AC,U+2122,U+2190-2193,U+2212"
)
_OTHERS = "U+100-130,U+132-151,U+154-24F,U+370-52F,U+1E00-1FFF"
_SHELL = Template(STYLES.with_name("first_paint.html").read_text("utf-8"))
_COLOURS = {
    "ink": INK,
    "rail": RAIL,
    "card": CARD,
    "line": LINE,
    "amber": AMBER,
    "text": TEXT,
    "subdued": SUBDUED,
}


def with_first_paint(html: str) -> str:
    """Return Gradio's page in the reader's language, with the frame of the page in front."""
    language = language_of(None)
    html = _BLOCKING.sub(_LATE, html)
    html = _LANGUAGE.sub(rf'\1lang="{language}" dir="{say("units.direction")}"', html, count=1)
    title = f"<title>{escape(say('studio_title'))}</title>"
    head = "<head>" + title + _NAVIGATOR.format(language=language)
    html = _CARDS.sub("", html).replace("<head>", head, 1)
    return _BODY.sub(lambda body: body[0] + _shell(), html, count=1)


def _shell() -> str:
    name, _, rest = say("studio_title").partition(" ")
    title = f"<b>{escape(name)}</b> {escape(rest)}"
    words = {"title": title, "loading": escape(say("studio_loading"))}
    return _SHELL.substitute(_COLOURS, ranges=_RANGES, others=_OTHERS, **words)


class FirstPaint:
    """ASGI layer that changes the page, and nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        page = scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET"
        await self._app(scope, receive, _HeldPage(send) if page else send)


class _HeldPage:
    """Holds back one answer until it is whole, if it is Gradio's page."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if message["status"] == 200 and kind.startswith("text/html"):
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        html = b"".join(self._parts).decode()
        body = (with_first_paint(html) if "<gradio-app" in html else html).encode()
        headers = MutableHeaders(raw=start["headers"])
        headers["Content-Length"] = str(len(body))
        headers["Cache-Control"] = "private, no-cache"
        headers.add_vary_header("Accept-Language")
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})
