# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""What stands in a form as the request of a program, in several languages."""

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, options_in
from core.errors import ClapperError
from core.i18n.messages import say
from webui.answer_headers import PRIVATE
from webui.api.v1.access import ProgramAccess
from webui.api.v1.answers import BASE
from webui.api.v1.samples import SAMPLES, write_sample
from webui.auth.middleware import visitor_of
from webui.page.sent_form import read_sent
from webui.routes import OURS, problem, read_object
from webui.studio.service import StudioService

_MOST_BYTES = 256 * 1024
_PANEL = (
    "<details class='cl-programs'><summary>{title}</summary><p>{text} "
    "<a href='{address}' target='_blank'>{more}</a></p><div data-part='samples'></div></details>"
)


def build_samples() -> gr.HTML:
    """Lay out the panel; its script asks for the samples when it is opened."""
    words = {name: say(f"programs_{name}") for name in ("title", "text", "more")}
    address = f"{BASE}/openapi.json".removeprefix("/")
    return gr.HTML(
        html_template=_PANEL.format(**words, address=address),
        js_on_load="ClapperPrograms.panel(element, props)",
        elem_id="programs",
        apply_default_css=False,
        words={name: say(f"programs_{name}") for name in ("copy", "copied")},
    )


class ProgramSamples:
    """Writes samples for whoever sees the page."""

    def __init__(self, service: StudioService, access: ProgramAccess) -> None:
        """Take the ranges of values, and who knows the public address."""
        self._service = service
        self._access = access

    @property
    def route(self) -> Route:
        """Return the address; before those of jobs, whose actions are any word."""
        return Route("/studio/forms/{mode}/samples", self._samples, methods=["POST"])

    async def _samples(self, request: Request) -> Response:
        mode = request.path_params["mode"]
        if visitor_of(request) is None:
            return PlainTextResponse("", 401)
        if OURS not in request.headers:
            return PlainTextResponse("", 403)
        body = await read_object(request, _MOST_BYTES, b"{}")
        if body is None or mode not in set(Mode) or not isinstance(body.get("values"), dict):
            return PlainTextResponse("", 400)
        roles = [slot.role for slot in MODES[Mode(mode)].every_slot]
        typed = {name: value for name, value in body["values"].items() if name not in roles}
        try:
            options = read_sent(Mode(mode), typed, self._service.limits).options().values()
        except ClapperError as error:
            return problem(error, 409)
        named = {one.name: options[one.name] for one in options_in(Mode(mode))}
        fields = {n: v for n, v in named.items() if v != OPTIONS[n].blank}
        needed = [slot.role for slot in MODES[Mode(mode)].slots]
        files = tuple(role for role in roles if role in needed or body["values"].get(role))
        url = self._access.root(request) + BASE
        told = [
            {"label": one.label, "text": write_sample(one, url, {"mode": mode, **fields}, files)}
            for one in SAMPLES
        ]
        return JSONResponse({"samples": told}, headers=PRIVATE)
