# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""Drop a finished clip to get its settings back, with a tick for each of them."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.domain.limits import RequestLimits
from core.domain.media import MediaKind
from core.i18n.messages import name, say
from core.service.clip_settings import ClipSettings
from webui.page.components import field_id, upload_field
from webui.page.form import kept_table
from webui.page.form_values import form_of, options_on_page

PANEL = "clip"  # name of the panel among the forms of the page
_FILE = "clip"  # of its field
_TOGETHER = {"width": "pixels", "height": "pixels"}  # one tick: they mean nothing alone


@dataclass(frozen=True, slots=True)
class ReloadPanel:
    """The components of the panel."""

    file: gr.HTML
    loaded: gr.HTML
    found: gr.Markdown
    ticks: gr.CheckboxGroup
    apply: gr.Button


def build_reload() -> ReloadPanel:
    """Lay out the panel."""
    with gr.Accordion(say("studio_reload"), open=False, elem_id="reload", elem_classes=["cl-more"]):
        label = say("studio_reload_drop")
        file = upload_field(MediaKind.VIDEO, label, field_id(_FILE, PANEL), ".mp4,video/mp4")
        loaded = _loaded(file)
        found = gr.Markdown(say("studio_reload_info"))
        ticks = gr.CheckboxGroup([], label=say("studio_reload_fields"), visible=False)
        apply = gr.Button(say("studio_reload_apply"), visible=False)
    return ReloadPanel(file, loaded, found, ticks, apply)


def _loaded(file: gr.HTML) -> gr.HTML:
    """Lay out what keeps ``file`` and says when the panel is there."""
    return gr.HTML(
        html_template="<div role='status'></div>",
        js_on_load=f"Clapper.notes(element, '{PANEL}'); trigger('expand', {{}})",
        elem_classes=["cl-notes"],
        apply_default_css=False,
        container=False,
        kept=kept_table(PANEL, {_FILE: file}, {}),
    )


def describe(clip: ClipSettings | None, limits: RequestLimits, *, guided: bool) -> dict[str, Any]:
    """Return what the panel shows of a file: a text, and ticks with what each would change.

    Args:
        clip: the settings in the file; None where it has none of ours.
        limits: in force; a number beyond them is brought inside, and that is said.
        guided: the page has the fields that act with guidance only.
    """
    if clip is None:
        return {"text": say("studio_reload_none"), "mode": "", "ticks": [], "changes": {}}
    sampling = clip.sampling
    data = {
        "mode": clip.mode,
        "preset": sampling.preset,
        "size": str(sampling.size),
        "seconds": sampling.seconds,
        "seed": sampling.seed,
    }
    changes, moved = changes_in(clip, limits, guided=guided)
    note = [say("studio_reload_moved", {"fields": ", ".join(name(one) for one in moved)})]
    return {
        "text": "\n\n".join([say("studio_reload_found", data), *(note if moved else [])]),
        "mode": clip.mode,
        "ticks": [(name(tick).capitalize(), tick) for tick in changes],
        "changes": changes,
    }


def changes_in(
    clip: ClipSettings, limits: RequestLimits, *, guided: bool
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Return the field values that a clip's own record holds, by tick, and which had to change.

    An empty text may have been left out of the file, so it empties no field.
    """
    found: dict[str, dict[str, Any]] = {}
    moved: list[str] = []
    values = clip.options.values()
    for option in options_on_page(clip.mode, guided=guided):
        value = values[option.name]
        if value == option.blank and (option.is_private or not option.kept):
            continue
        if option.bounds is not None and isinstance(value, int | float):
            low, high = option.range_in(limits)
            if not low <= value <= high:  # made where other limits hold, or not made at all
                value = min(max(value, low), high)
                moved.append(option.name)
        changes = found.setdefault(_TOGETHER.get(option.name, option.name), {})
        changes |= form_of(option, clip.mode, value)
    return found, tuple(moved)
