# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The form of one mode, made from the mode's spec: only the inputs that it uses."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from core.domain.limits import RequestLimits
from core.domain.modes import MODES, Mode
from core.domain.options import ASPECTS
from core.domain.presets import PRESETS, Camera, Preset
from core.i18n.messages import name, say
from webui.page.components import side_field, upload_field
from webui.page.form_values import AUTO, FIELDS, follows

_SLOT_WORDS = {  # where the role's own word says too little
    (Mode.LIPSYNC, "image"): "studio_slot_portrait",
    (Mode.STYLE, "image"): "studio_slot_look",
}


@dataclass(frozen=True, slots=True)
class FormRules:
    """What the forms need to know of the service."""

    limits: RequestLimits
    guided: bool  # a preset runs with guidance here, so a negative prompt acts


@dataclass(frozen=True, slots=True)
class ModeForm:
    """The components of one mode."""

    mode: Mode
    media: dict[str, Component]  # by role
    fields: dict[str, Component]  # by name; without those that the mode does not have
    card: gr.HTML
    go: gr.Button

    @property
    def inputs(self) -> list[Component]:
        """Return what events of the form get: files in the order of the slots, then fields."""
        return [*self.media.values(), *self.fields.values()]


def build_form(mode: Mode, rules: FormRules, words: dict[str, str]) -> ModeForm:
    """Lay out the form of ``mode`` inside the current tab."""
    gr.HTML(_title(mode), elem_classes=["cl-title"])
    media = _media(mode)
    fields: dict[str, Component] = {"prompt": _prompt(mode)}
    fields["preset"] = gr.Radio(
        [(name(item), item.value) for item in Preset],
        value=Preset.BALANCED.value,
        label=say("studio_preset"),
        elem_classes=["cl-preset"],
    )
    fields["aspect"] = gr.Radio(
        [(say("studio_aspect_auto"), AUTO), *((key, key) for key in ASPECTS)],
        value=AUTO,
        label=say("studio_aspect"),
        elem_classes=["cl-aspect"],
    )
    fields |= _length(mode, rules.limits)
    with gr.Accordion(say("studio_more"), open=False, elem_classes=["cl-more"]):
        fields |= _details(rules)
    ordered = {key: fields[key] for key in FIELDS if key in fields}
    kept = kept_table(mode.value, media, ordered)
    with gr.Column(elem_classes=["cl-dock"]):
        card, go = _dock(mode, kept, words)
    return ModeForm(mode, media, ordered, card, go)


def shown_when(fields: dict[str, Component]) -> dict[str, tuple[str, list[Any]]]:
    """Return which of ``fields`` are shown only for some values of another, and for which."""
    found: dict[str, tuple[str, list[Any]]] = {}
    if "follow" in fields:
        found["seconds"] = ("follow", [False])
    if "negative" in fields:
        found["negative"] = ("preset", [item.value for item in Preset if PRESETS[item].may_guide])
    return found


def kept_table(
    name: str, media: dict[str, Component], fields: dict[str, Component]
) -> dict[str, Any]:
    """Give every field its name in the page, and return what the page's script knows of them.

    The script keeps, restores and sends exactly these, in the order in which events get them.
    """
    shown = shown_when(fields)
    rows: list[dict[str, Any]] = []
    for key, component in (media | fields).items():
        component.elem_id = f"{key}-{name}"
        rows.append(
            {
                "name": key,
                "id": component.elem_id,
                "label": str(component.label),  # pyright: ignore[reportAttributeAccessIssue]  # all fields have one
                "file": key in media,
                "shown": shown.get(key),
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
    return f"<h1>{name(mode)} <code>{mode}</code></h1><p>{say(f'studio_d_{mode}')}</p>"


def slot_label(mode: Mode, role: str) -> str:
    """Return what the file of ``role`` is called in ``mode``."""
    return say(_SLOT_WORDS.get((mode, role), f"studio_slot_{role}"))


def _media(mode: Mode) -> dict[str, Component]:
    slots = MODES[mode].slots
    if not slots:
        return {}
    with gr.Row(equal_height=True, elem_classes=["cl-files"]):
        fields = {slot.role: upload_field(slot.kind, slot_label(mode, slot.role)) for slot in slots}
    notes_on_files(mode.value)
    return fields


def notes_on_files(name: str) -> gr.HTML:
    """Lay out where the page says that a file of the form ``name`` has to be sent again."""
    return gr.HTML(
        html_template="<div role='status'></div>",
        js_on_load=f"Clapper.notes(element, '{name}')",
        elem_classes=["cl-notes"],
        apply_default_css=False,
        container=False,
    )


def _prompt(mode: Mode) -> gr.Textbox:
    needed = MODES[mode].prompt_required
    return gr.Textbox(
        label=say("studio_prompt" if needed else "studio_prompt_optional"),
        info=say(f"studio_h_{mode}"),
        placeholder=say(f"studio_e_{mode}"),
        lines=4,
        max_lines=12,
    )


def _length(mode: Mode, limits: RequestLimits) -> dict[str, Component]:
    fields: dict[str, Component] = {}
    if follows(mode):
        fields["follow"] = gr.Checkbox(label=say("studio_follow"), value=True)
    fields["seconds"] = gr.Slider(
        limits.min_seconds,
        limits.max_seconds,
        value=limits.default_seconds,
        step=0.5,
        label=say("studio_seconds"),
        interactive=True,
        visible=not follows(mode),
    )
    return fields


def _details(rules: FormRules) -> dict[str, Component]:
    limits = rules.limits
    fields: dict[str, Component] = {}
    with gr.Row():
        fields["camera"] = gr.Dropdown(
            [(name(item).capitalize(), item.value) for item in Camera],
            value=Camera.NONE.value,
            label=say("studio_camera"),
            filterable=False,
        )
        fields["fps"] = gr.Slider(
            limits.min_fps,
            limits.max_fps,
            value=limits.default_fps,
            step=1,
            label=say("studio_fps"),
        )
    with gr.Row():
        auto = say("studio_aspect_auto")
        fields["width"] = side_field(say("studio_width"), auto)
        fields["height"] = side_field(say("studio_height"), auto)
    with gr.Row():
        fields["seed"] = gr.Textbox(
            label=say("studio_seed"), placeholder=say("studio_seed_hint"), max_lines=1
        )
        fields["lock"] = gr.Checkbox(label=say("studio_lock"), value=False)
    if rules.guided:
        fields["negative"] = gr.Textbox(
            label=say("studio_negative"), info=say("studio_negative_info"), visible=False
        )
    return fields
