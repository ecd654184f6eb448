# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The form of one mode, made from the mode's spec: only the inputs that it uses."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from core.compose import ASPECTS
from core.limits import RequestLimits
from core.messages import name, say
from core.modes import MODES, Mode
from core.presets import Camera, Preset
from webui.inputs import side_field, upload_field
from webui.values import AUTO, FIELDS, Values, follows

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
class Form:
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

    def read(self, inputs: tuple[object, ...]) -> tuple[dict[str, str | None], Values]:
        """Return files by role and the values, from what an event got."""
        count = len(self.media)
        paths = {
            role: value if isinstance(value, str) else None
            for role, value in zip(self.media, inputs[:count], strict=True)
        }
        found = dict(zip(self.fields, inputs[count:], strict=True))
        kept = {key: value for key, value in found.items() if value not in {None, ""}}
        return paths, Values(**kept)  # pyright: ignore[reportArgumentType]  # the page's own values; compose checks them


def build_form(mode: Mode, rules: FormRules, words: dict[str, str]) -> Form:
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
    with gr.Column(elem_classes=["cl-dock"]):
        card, go = _dock(mode, words)
    ordered = {key: fields[key] for key in FIELDS if key in fields}
    return Form(mode, media, ordered, card, go)


def _dock(mode: Mode, words: dict[str, str]) -> tuple[gr.HTML, gr.Button]:
    card = gr.HTML(
        value=None,
        html_template=_CARD,
        js_on_load="Clapper.preflight(element, props, trigger, watch, ['fix', 'expand'])",
        elem_classes=["cl-card", "cl-preflight"],
        apply_default_css=False,
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
        return {slot.role: upload_field(slot.kind, slot_label(mode, slot.role)) for slot in slots}


def _prompt(mode: Mode) -> gr.Textbox:
    needed = MODES[mode].prompt_required
    return gr.Textbox(
        label=say("studio_prompt" if needed else "studio_prompt_optional"),
        info=say(f"studio_h_{mode}"),
        placeholder=say(f"studio_e_{mode}"),
        lines=4,
        max_lines=12,
        elem_id=f"prompt-{mode}",
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
