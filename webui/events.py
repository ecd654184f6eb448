# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""Binds the page's components to the handlers. All of these events are internal to the page."""

from typing import Any

import gradio as gr

from core.actions import CONTINUES_AS
from core.modes import MODES
from webui.form import Form
from webui.handlers import Handlers, Update, changes_in, fill, guided, visitor_in
from webui.page import Page, show_mode
from webui.reload import chosen, describe

_INTERNAL: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_QUIET: dict[str, Any] = {**_INTERNAL, "queue": False}


def bind(page: Page, handlers: Handlers) -> None:
    """Connect everything."""
    for mode, button in page.modes.items():
        button.click(None, None, page.navigation, js=show_mode(mode.value), **_QUIET)
    for form in page.forms.values():
        _bind_form(form, page, handlers)
    _bind_stage(page, handlers)
    _bind_reload(page, handlers)


def _bind_form(form: Form, page: Page, handlers: Handlers) -> None:
    async def look(request: gr.Request, *inputs: object) -> Update:
        return (await handlers.look(form, visitor_in(request), inputs)).plain()

    async def generate(request: gr.Request, *inputs: object) -> list[Update]:
        return await handlers.generate(form, visitor_in(request), inputs)

    async def mend(request: gr.Request, *inputs: object) -> list[Update]:
        return await handlers.mend(form, visitor_in(request), inputs)

    changes: list[Any] = [_changed(component) for component in form.inputs]
    unfolded: Any = form.card.expand  # the card says so itself once it is there
    gr.on(
        [unfolded, *changes],
        look,
        form.inputs,
        form.card,
        trigger_mode="always_last",
        **_QUIET,
    )
    outputs = [page.stage, form.card, form.fields["seed"]]
    form.go.click(generate, form.inputs, outputs, **_INTERNAL)
    form.card.fix(mend, form.inputs, list(form.fields.values()), **_QUIET)
    if "follow" in form.fields:
        follow: Any = form.fields["follow"]
        follow.change(
            None,
            follow,
            form.fields["seconds"],
            js="(follow) => ({__type__: 'update', visible: !follow})",
            **_QUIET,
        )
    if "negative" in form.fields:
        preset: Any = form.fields["preset"]
        preset.change(_show_negative, preset, form.fields["negative"], **_QUIET)


def _show_negative(preset: str) -> Update:
    return gr.update(visible=guided(preset))


def _bind_stage(page: Page, handlers: Handlers) -> None:
    target = page.forms[CONTINUES_AS]
    slot = next(iter(target.media.values()))

    async def use_frame(event: gr.EventData, request: gr.Request) -> str:
        return await handlers.take_frame(str(event.job), visitor_in(request))

    stage: Any = page.stage
    shown = stage.use_frame(use_frame, None, slot, **_QUIET)
    shown.then(None, None, page.navigation, js=show_mode(CONTINUES_AS.value), **_QUIET)


def _bind_reload(page: Page, handlers: Handlers) -> None:
    panel = page.reload

    def read(path: str | None, request: gr.Request) -> list[Update]:
        if path is None:
            return [gr.skip(), gr.update(visible=False), gr.update(visible=False)]
        return describe(handlers.read_clip(path, visitor_in(request)))

    panel.file.change(read, panel.file, [panel.found, panel.ticks, panel.apply], **_QUIET)

    def apply(path: str | None, ticks: list[str], request: gr.Request) -> list[Update]:
        provenance = handlers.read_clip(path, visitor_in(request))
        updates: list[Update] = []
        for mode, form in page.forms.items():
            mine = provenance is not None and provenance.mode is mode
            changes = chosen(changes_in(provenance), ticks) if provenance and mine else {}
            updates += fill(form, changes)
        return updates

    fields = [item for form in page.forms.values() for item in form.fields.values()]
    filled = panel.apply.click(apply, [panel.file, panel.ticks], fields, **_QUIET)

    def mode_of(path: str | None, request: gr.Request) -> str:
        provenance = handlers.read_clip(path, visitor_in(request))
        return provenance.mode if provenance else next(iter(MODES))

    hidden = gr.Textbox(visible=False)
    named = filled.then(mode_of, panel.file, hidden, **_QUIET)
    named.then(None, hidden, page.navigation, js="(mode) => Clapper.show(mode)", **_QUIET)


def _changed(component: Any) -> Any:  # noqa: ANN401  # events are made at run time
    return component.change
