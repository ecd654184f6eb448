# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The page of a Space that cannot start: what is wrong, and what its owner does about it.

Gradio launches it, since that is what tells the platform that the Space is up; nothing of Gradio
is reached through it but the one address by which it checks itself.
"""

import html
import time
from collections.abc import Callable

import gradio as gr
import structlog
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import ClapperError
from core.i18n.messages import language_of, say
from webui.front import close, in_own_loop
from webui.space.problems import told

log = structlog.get_logger(__name__)

PORT = 7860  # where the platform expects the page
_OWN_CHECKS = ("/startup-events", "/gradio_api/startup-events")
_AGAIN_S = 20  # the browser asks again
_PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<meta http-equiv="refresh" content="{again}"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body{{background:#14151a;color:#e8e6e1;font:1.05rem/1.6 system-ui,sans-serif;margin:0}}
main{{max-width:42rem;margin:12vh auto;padding:0 1.5rem;overflow-wrap:anywhere}}
p{{white-space:pre-line}}small{{color:#a9a69e}}</style></head>
<body><main><h1>{heading}</h1><p>{problem}</p><p><small>{note}</small></p></main></body></html>"""


class ProblemPage:
    """One page for every address."""

    def __init__(self, problem: ClapperError) -> None:
        """Take what is told."""
        self._problem = problem

    def serve(self, seconds: float, port: int | None = PORT) -> None:
        """Answer on ``port`` for ``seconds``; None is the first free one from 7860 on.

        Where the port is taken, as by a process that is still ending, only the time passes.
        """
        try:
            blocks = in_own_loop(lambda: self._launched(port))
        except OSError as error:
            log.warning("problem_page_without_port", port=port, reason=str(error))
            time.sleep(seconds)
            return
        log.info("problem_page_ready", url=blocks.local_url)
        try:
            time.sleep(seconds)
        finally:
            close(blocks)

    def _launched(self, port: int | None) -> gr.Blocks:
        with gr.Blocks(title=say("studio_title"), analytics_enabled=False) as blocks:
            pass
        blocks.launch(
            server_name="0.0.0.0",  # noqa: S104  # inside the Space's container
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            max_file_size=1,
            ssr_mode=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=[],
            app_kwargs={
                "middleware": [Middleware(OnlyAnswer, answer=self.answer)],
                "openapi_url": None,
            },
        )
        return blocks

    def answer(self, request: Request) -> Response:
        """Answer ``request``: the page at its root, the code of the problem everywhere else."""
        locale = request.headers.get("accept-language", "").split(",")[0]
        sentence = told(self._problem, locale)
        if request.url.path != "/":
            answer = {"code": self._problem.code, "message": sentence}
            return JSONResponse(answer, 503, {"Retry-After": str(_AGAIN_S)})
        words = {
            "title": say("studio_title"),
            "heading": say("space_problem_title", {}, locale),
            "problem": sentence,
            "note": say("space_problem_note", {}, locale),
        }
        escaped = {name: html.escape(text) for name, text in words.items()}
        page = _PAGE.format(language=language_of(locale), again=_AGAIN_S, **escaped)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})


class OnlyAnswer:
    """Answers every request itself, but for those by which Gradio checks that it is up."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] == "http" and scope["path"] not in _OWN_CHECKS:
            await self._answer(Request(scope))(scope, receive, send)
        elif scope["type"] != "websocket":
            await self._app(scope, receive, send)
