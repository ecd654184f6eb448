# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The choice of a named style in the forms: its names are read once the page is there, and again.

Operators change them while pages are open, so no form is built with them. Where there are none, the
forms have no such field.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.components import Component
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.domain.options import OPTIONS
from core.domain.styles import NONE
from core.i18n.messages import say
from webui.answer_headers import PRIVATE
from webui.auth.visitors import Visitor
from webui.routes import for_visitors, problem
from webui.studio.loop_bridge import Bridge
from webui.studio.styles import StudioStyles

STYLE = OPTIONS["style"]


def style_field(label: str, info: str | None) -> gr.Dropdown:
    """Lay out the field; what was named once stays, also where no style is called so any more."""
    return gr.Dropdown(
        [(say("studio_style_open"), "")],
        value="",
        label=label,
        info=info,
        allow_custom_value=True,
        visible=False,
    )


def build_style_names() -> gr.HTML:
    """Lay out what asks for the names."""
    return gr.HTML(
        html_template="<div hidden></div>",
        js_on_load="Clapper.styles(element, props, trigger, ['fill'])",
        elem_id="styles",
        apply_default_css=False,
        container=False,
    )


def bind_style_names(names: Any, fields: Sequence[Component], internal: dict[str, Any]) -> None:  # noqa: ANN401  # events are made at run time
    """Let what asks for the names fill the fields of all forms."""
    js = f"() => Clapper.styleChoices({len(fields)})"
    names.fill(None, None, list(fields), js=js, **internal)


class StyleRoutes:
    """Answers which styles there are."""

    def __init__(self, styles: StudioStyles, bridge: Bridge) -> None:
        self._styles = styles
        self._bridge = bridge

    def all(self) -> list[Route]:
        """Return every route."""
        answer = for_visitors(self._listed, lambda _, error: problem(error, 409))
        return [Route("/studio/styles", answer, methods=["GET"])]

    async def _listed(self, _: Request, visitor: Visitor) -> Response:
        found = await self._bridge.call(self._styles.listed(visitor))
        choices = [(_label(one.name, one.before, one.after), one.name) for one in found]
        if choices:
            first = (say("studio_style_open"), "")
            choices = [first, *choices, (say("t_style_none"), NONE)]
        return JSONResponse({"choices": choices}, headers=PRIVATE)


def _label(name: str, before: str, after: str) -> str:
    words = " … ".join(filter(None, (before, after)))
    shown = words if len(words) <= 60 else f"{words[:59]}…"
    return f"{name} ({shown})" if shown else name
