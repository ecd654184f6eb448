# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The field of one option, by the kind of its row, and the box that belongs to it."""

import gradio as gr
from gradio.components import Component

from core.domain.limits import RequestLimits
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, Option, OptionKind
from core.i18n.messages import language_of, name, say, sentences
from core.i18n.option_words import mode_example, mode_hint, option_hint, option_label
from webui.page.components import number_field
from webui.page.form_values import AUTO, FOLLOW, Tick, has_auto, start_of, tick_of
from webui.page.style_choice import STYLE, style_field

FIRST = ("prompt", "preset", "aspect", "seconds")  # in sight; everything else is folded away


def field_with_tick(option: Option, mode: Mode, limits: RequestLimits) -> dict[str, Component]:
    """Lay out the field of ``option`` in the form of ``mode``, and its box, by name."""
    tick, fields = tick_of(option, mode), dict[str, Component]()
    if tick is not None and tick == FOLLOW:  # laid out first: it rules what is below
        fields[tick.name] = _box(tick)
    field = fields[option.name] = _field(option, mode, limits)
    if option.guided_only:
        field.visible = False  # until a preset is chosen that guides
    if tick is not None and tick.name not in fields:
        fields[tick.name] = _box(tick)
    return fields


def _box(tick: Tick) -> Component:
    return gr.Checkbox(label=say(f"studio_{tick.name}"), value=not tick.counts)


def _field(option: Option, mode: Mode, limits: RequestLimits) -> Component:
    """Return the field for a value of ``option``, by its kind."""
    label, info = label_of(option), _info(option, limits)
    match option.kind:
        case OptionKind.TEXT if option.name == "prompt":
            return _prompt(mode)
        case OptionKind.TEXT if option == STYLE:
            return style_field(label, info)
        case OptionKind.TEXT:
            return gr.Textbox(label=label, info=info)
        case OptionKind.CHOICE:
            return _choice(option, label, info)
        case OptionKind.SEED:
            hint = say("studio_seed_hint")
            return gr.Textbox(label=label, info=info, placeholder=hint, max_lines=1)
        case OptionKind.NUMBER | OptionKind.COUNT:
            return _number(option, mode, limits, label, info)


def label_of(option: Option) -> str:
    """Return the label of the field of ``option``, with the unit of what stands there."""
    label = option_label(option)
    if not option.unit:
        return label
    unit = sentences(language_of(None)).get(f"unit.{option.unit}", option.unit)
    return say("studio_label_unit", {"label": label, "unit": unit})


def _info(option: Option, limits: RequestLimits) -> str | None:
    """Return the hint for the folded part; what stands first explains itself on the card."""
    return None if option.name in FIRST else option_hint(option, limits)


def _prompt(mode: Mode) -> gr.Textbox:
    label = label_of(OPTIONS["prompt"])
    needed = MODES[mode].prompt_required
    return gr.Textbox(
        label=label if needed else say("studio_optional", {"label": label}),
        info=f"{mode_hint(mode)} {say('studio_wildcards')}",
        placeholder=mode_example(mode),
        lines=4,
        max_lines=12,
    )


def _choice(option: Option, label: str, info: str | None) -> Component:
    choices = [(name(item).capitalize(), str(item)) for item in option.choices]
    value = str(option.default)
    if has_auto(option):
        choices, value = [(say("studio_auto"), AUTO), *choices], AUTO
    if option.name in FIRST:
        return gr.Radio(choices, value=value, label=label, elem_classes=[f"cl-{option.name}"])
    return gr.Dropdown(choices, value=value, label=label, info=info, filterable=False)


def _number(
    option: Option, mode: Mode, limits: RequestLimits, label: str, info: str | None
) -> Component:
    start = start_of(option, limits)
    if start is None:
        return number_field(label, say("studio_auto"), info)
    low, high = option.range_in(limits)
    return gr.Slider(
        low,
        high,
        value=start,
        step=1 if option.kind is OptionKind.COUNT else 0.5 if high - low > 1 else 0.05,
        label=label,
        info=info,
        interactive=True,
        visible=tick_of(option, mode) != FOLLOW,
    )
