# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The form of one mode, made from its record and the table of options: only what it uses."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from core.domain.limits import RequestLimits
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.options import OPTIONS, Option, OptionKind
from core.domain.presets import PRESETS, Preset
from core.i18n.messages import say
from core.i18n.option_words import mode_summary, mode_title
from webui.page.components import field_id, offer_of, upload_field
from webui.page.fields import FIRST, field_with_tick
from webui.page.form_values import FOLLOW, LOCK, fields_of, options_on_page
from webui.page.timeline import build_timeline, has_timeline
from webui.views.inputs import slot_label

# every other option of the folded part has a line of its own
_SIDE_BY_SIDE = (("camera", "fps"), ("width", "height"))


@dataclass(frozen=True, slots=True)
class FormRules:
    """What the forms need to know of the service."""

    limits: RequestLimits
    guided: bool  # a preset runs with guidance here, so what needs it acts


@dataclass(frozen=True, slots=True)
class ModeForm:
    """The components of one mode."""

    mode: Mode
    media: dict[str, Component]  # by role
    fields: dict[str, Component]  # by name; without those that the mode does not have
    card: gr.HTML
    go: gr.Button
    timeline: gr.HTML | None = None  # of the pictures, where they have times

    @property
    def inputs(self) -> list[Component]:
        """Return what events of the form get: files in the order of the slots, then fields."""
        return [*self.media.values(), *self.fields.values()]

    @property
    def drawn(self) -> list[Component]:
        """Return the fields that show what was drawn for a clip."""
        return [self.fields[key] for key in self.fields if _is_drawn(key)]


def build_form(mode: Mode, rules: FormRules, words: dict[str, str]) -> ModeForm:
    """Lay out the form of ``mode`` inside the current tab."""
    gr.HTML(_title(mode), elem_classes=["cl-title"])
    media = _media(mode)
    timeline = build_timeline(mode) if has_timeline(mode) else None
    offered = {option.name: option for option in options_on_page(mode, guided=rules.guided)}
    fields: dict[str, Component] = {}
    for key in FIRST:
        if key in offered:
            fields |= field_with_tick(offered[key], mode, rules.limits)
    folded = [option for key, option in offered.items() if key not in FIRST]
    with gr.Accordion(say("studio_more"), open=False, elem_classes=["cl-more"]):
        for line in lines_of(folded):
            with gr.Row():
                for option in line:
                    fields |= field_with_tick(option, mode, rules.limits)
    ordered = {key: fields[key] for option in offered.values() for key in fields_of(option, mode)}
    kept = kept_table(mode.value, media, ordered)
    with gr.Column(elem_classes=["cl-dock"]):
        card, go = _dock(mode, kept, words)
    return ModeForm(mode, media, ordered, card, go, timeline)


def lines_of(options: list[Option]) -> list[list[Option]]:
    """Share ``options`` out among the lines of the folded part."""
    rest = {option.name: option for option in options}
    pairs = [[rest.pop(key) for key in names if key in rest] for names in _SIDE_BY_SIDE]
    return [*filter(None, pairs), *([option] for option in rest.values())]


def shown_when(fields: dict[str, Component]) -> dict[str, tuple[str, list[Any]]]:
    """Return which of ``fields`` are shown only for some values of another, and for which."""
    found: dict[str, tuple[str, list[Any]]] = {}
    if FOLLOW.name in fields:
        found["seconds"] = (FOLLOW.name, [FOLLOW.counts])
    guiding = [item.value for item in Preset if PRESETS[item].may_guide]
    for key in fields:
        if key in OPTIONS and OPTIONS[key].guided_only:
            found[key] = ("preset", guiding)
    return found


def _is_drawn(key: str) -> bool:
    return key in OPTIONS and OPTIONS[key].kind is OptionKind.SEED


def kept_table(
    name: str, media: dict[str, Component], fields: dict[str, Component]
) -> dict[str, Any]:
    """Give every field its name in the page, and return what the page's script knows of them.

    The script keeps, restores and sends exactly these, in the order in which events get them.
    """
    shown = shown_when(fields)
    rows: list[dict[str, Any]] = []
    for key, component in (media | fields).items():
        component.elem_id = field_id(key, name)
        offer = offer_of(component)
        rows.append(
            {
                "name": key,
                "id": component.elem_id,
                "label": str(component.label),  # pyright: ignore[reportAttributeAccessIssue]  # all fields have one
                "file": key in media,
                "kind": offer.kind if offer else "",
                "shown": shown.get(key),
                "drawn": _is_drawn(key),
                "counts": field_id(LOCK.name, name) if _is_drawn(key) else "",
            }
        )
    return {"name": name, "fields": rows}


def _dock(mode: Mode, kept: dict[str, Any], words: dict[str, str]) -> tuple[gr.HTML, gr.Button]:
    card = gr.HTML(
        value=None,
        html_template=_CARD,
        js_on_load="Clapper.preflight(element, props, trigger, watch, ['fix', 'expand', 'resume'])",
        elem_classes=["cl-card", "cl-preflight"],
        apply_default_css=False,
        kept=kept,
        words=words,
    )
    go = gr.Button(
        say("studio_generate"), variant="primary", elem_classes=["cl-go"], elem_id=f"go-{mode}"
    )
    return card, go


_CARD = "<dl></dl><div data-part='notes'></div>"


def _title(mode: Mode) -> str:
    return f"<h1>{mode_title(mode)} <code>{mode}</code></h1><p>{mode_summary(mode)}</p>"


def _media(mode: Mode) -> dict[str, Component]:
    slots = MODES[mode].slots
    if not slots:
        return {}
    with gr.Row(equal_height=True, elem_classes=["cl-files"]):
        fields = {slot.role: _file_field(slot, mode) for slot in slots}
    if MODES[mode].more:
        fields |= _more_media(mode)
    notes_on_files(mode.value)
    return fields


def _more_media(mode: Mode) -> dict[str, Component]:
    """Lay out the fields of files that may be left out: folded away, or shown once they hold one.

    Files that stand on a line are added there.
    """
    if has_timeline(mode):
        with gr.Row(elem_classes=["cl-files", "cl-between"]):
            return {slot.role: _file_field(slot, mode) for slot in MODES[mode].more}
    with (
        gr.Accordion(say("studio_more_files"), open=False, elem_classes=["cl-more"]),
        gr.Row(equal_height=True, elem_classes=["cl-files"]),
    ):
        return {slot.role: _file_field(slot, mode) for slot in MODES[mode].more}


def _file_field(slot: MediaSlot, mode: Mode) -> Component:
    label = slot_label(mode, slot.role)
    return upload_field(slot.kind, label, field_id(slot.role, mode.value))


def notes_on_files(name: str) -> gr.HTML:
    """Lay out where the page says that a file of the form ``name`` has to be sent again."""
    return gr.HTML(
        html_template="<div role='status'></div>",
        js_on_load=f"Clapper.notes(element, '{name}')",
        elem_classes=["cl-notes"],
        apply_default_css=False,
        container=False,
    )
