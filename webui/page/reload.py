# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""Drop a finished clip to get its settings back, with a tick for each of them."""

from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from core.i18n.messages import name, say
from core.service.clip_settings import ClipSettings
from webui.page.form import kept_table
from webui.page.form_values import Values

PANEL = "clip"  # name of the panel among the forms of the page
# one tick may stand for several fields that mean nothing alone
TICKS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "negative"),
    "preset": ("preset",),
    "pixels": ("width", "height"),
    "seconds": ("seconds", "follow"),
    "fps": ("fps",),
    "seed": ("seed", "lock"),
    "camera": ("camera",),
}


@dataclass(frozen=True, slots=True)
class ReloadPanel:
    """The components of the panel."""

    file: gr.File
    loaded: gr.HTML
    found: gr.Markdown
    ticks: gr.CheckboxGroup
    apply: gr.Button


def build_reload() -> ReloadPanel:
    """Lay out the panel."""
    with gr.Accordion(say("studio_reload"), open=False, elem_id="reload", elem_classes=["cl-more"]):
        file = gr.File(
            label=say("studio_reload_drop"), file_types=[".mp4"], type="filepath", height=120
        )
        loaded = _loaded(file)
        found = gr.Markdown(say("studio_reload_info"))
        ticks = gr.CheckboxGroup([], label=say("studio_reload_fields"), visible=False)
        apply = gr.Button(say("studio_reload_apply"), visible=False)
    return ReloadPanel(file, loaded, found, ticks, apply)


def _loaded(file: gr.File) -> gr.HTML:
    """Lay out what keeps ``file`` and says when the panel is there."""
    return gr.HTML(
        html_template="<div role='status'></div>",
        js_on_load=f"Clapper.notes(element, '{PANEL}'); trigger('expand', {{}})",
        elem_classes=["cl-notes"],
        apply_default_css=False,
        container=False,
        kept=kept_table(PANEL, {"clip": file}, {}),
    )


def describe(clip: ClipSettings | None) -> dict[str, Any]:
    """Return what the panel shows of a file: a text, and ticks with what each would change."""
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
    offered = [tick for tick in TICKS if tick != "prompt" or clip.prompt]
    found = changes_in(clip)
    return {
        "text": say("studio_reload_found", data),
        "mode": clip.mode,
        "ticks": [(name(tick).capitalize(), tick) for tick in offered],
        "changes": {
            tick: {key: found[key] for key in TICKS[tick] if key in found} for tick in offered
        },
    }


def changes_in(clip: ClipSettings) -> dict[str, Any]:
    """Return the field values that a clip's own record holds."""
    sampling = clip.sampling
    found = asdict(
        Values(
            preset=sampling.preset,
            width=sampling.width,
            height=sampling.height,
            seconds=round((sampling.frames - 1) / sampling.fps, 2),
            fps=sampling.fps,
            seed=str(sampling.seed),
            lock=True,
            camera=sampling.camera,
            negative=sampling.negative_prompt,
            prompt=clip.prompt,
        )
    )
    absent = {"aspect"} | {key for key in ("prompt", "negative") if not found[key]}
    return {key: value for key, value in found.items() if key not in absent}
