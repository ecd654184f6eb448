# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""Binds the page's components to its script, which asks the server itself.

No event goes through Gradio's own client: one lost request of it reloads the page.
"""

import json
from typing import Any

import gradio as gr

from core.domain.followups import USES_FRAME
from webui.page.fields import FIRST
from webui.page.form import ModeForm, shown_when
from webui.page.layout import Page, show_mode
from webui.page.reload import PANEL
from webui.page.style_choice import STYLE, bind_style_names

# several at a time: the script says which answer counts
_INTERNAL: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "queue": False,
    "trigger_mode": "multiple",
}


def bind(page: Page) -> None:
    """Connect everything."""
    for mode, button in page.modes.items():
        fields = page.forms[mode].fields
        carried = [key for key in FIRST if key in fields]
        outputs = [*page.navigation, *(fields[key] for key in carried)]
        button.click(None, None, outputs, js=show_mode(mode.value, carried), **_INTERNAL)
    for form in page.forms.values():
        _bind_form(form, page)
    _bind_stage(page)
    _bind_reload(page)
    _bind_reused(page)
    styled = [form.fields[STYLE.name] for form in page.forms.values() if STYLE.name in form.fields]
    bind_style_names(page.style_names, styled, _INTERNAL)


def _bind_form(form: ModeForm, page: Page) -> None:
    def script(function: str, *more: str) -> str:
        given = ", ".join((f'"{form.mode}"', "values", *more))
        return f"(...values) => Clapper.{function}({given})"

    # first of all: a form changes its shape at once, whatever becomes of the question below
    for name, (by, values) in shown_when(form.fields).items():
        ruler: Any = form.fields[by]
        js = f"(value) => ({{__type__: 'update', visible: {json.dumps(values)}.includes(value)}})"
        ruler.change(None, ruler, form.fields[name], js=js, **_INTERNAL)
    card: Any = form.card  # says itself once it is there
    files = list(form.media.values())
    changes: list[Any] = [_changed(component) for component in form.inputs]
    gr.on(
        [card.expand, *changes],
        None,
        form.inputs,
        [form.card, *files],
        js=script("look"),
        **_INTERNAL,
    )
    outputs = [page.stage, form.card, *form.drawn, *files]
    form.go.click(None, form.inputs, outputs, js=script("generate"), **_INTERNAL)
    card.resume(None, form.inputs, outputs, js=script("generate", "true"), **_INTERNAL)
    card.fix(None, form.inputs, list(form.fields.values()), js=script("mend"), **_INTERNAL)
    if form.timeline is not None:
        line: Any = form.timeline
        js = f'() => Clapper.timed("{form.mode}")'
        line.fill(None, None, form.inputs, js=js, **_INTERNAL)


def _bind_stage(page: Page) -> None:
    target = page.forms[USES_FRAME]
    slot = next(iter(target.media.values()))
    stage: Any = page.stage
    js = f'() => Clapper.takeFrame("{USES_FRAME}")'
    stage.use_frame(None, None, [slot, *page.navigation], js=js, **_INTERNAL)


def _bind_reload(page: Page) -> None:
    panel = page.reload
    shown = [panel.found, panel.ticks, panel.apply]
    loaded: Any = panel.loaded  # says itself once it is there
    gr.on(
        [loaded.expand, _changed(panel.file)],
        None,
        panel.file,
        [*shown, panel.file],
        js=f"(file) => Clapper.describe('{PANEL}', file)",
        **_INTERNAL,
    )
    fields = [item for form in page.forms.values() for item in form.fields.values()]
    panel.apply.click(
        None,
        panel.ticks,
        [*fields, *page.navigation],
        js=f"(ticks) => Clapper.apply('{PANEL}', ticks)",
        **_INTERNAL,
    )


def _bind_reused(page: Page) -> None:
    panel: Any = page.reused
    fields = [item for form in page.forms.values() for item in form.inputs]
    js = f"() => Clapper.refill({json.dumps(list(page.forms))})"
    panel.fill(None, None, [*fields, *page.navigation], js=js, **_INTERNAL)


def _changed(component: Any) -> Any:  # noqa: ANN401  # events are made at run time
    return component.change
