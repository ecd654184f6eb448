# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""Drop a finished clip to get its settings back, with a tick for each of them."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.media.provenance import Provenance
from core.messages import name, say

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
    found: gr.Markdown
    ticks: gr.CheckboxGroup
    apply: gr.Button


def build_reload() -> ReloadPanel:
    """Lay out the panel."""
    with gr.Accordion(say("studio_reload"), open=False, elem_id="reload", elem_classes=["cl-more"]):
        file = gr.File(
            label=say("studio_reload_drop"), file_types=[".mp4"], type="filepath", height=120
        )
        found = gr.Markdown(say("studio_reload_info"))
        ticks = gr.CheckboxGroup([], label=say("studio_reload_fields"), visible=False)
        apply = gr.Button(say("studio_reload_apply"), visible=False)
    return ReloadPanel(file, found, ticks, apply)


def describe(provenance: Provenance | None) -> list[Any]:
    """Return updates for text, ticks and button, from what the file says."""
    if provenance is None:
        gone = gr.update(visible=False)
        return [say("studio_reload_none"), gone, gone]
    sampling = provenance.sampling
    data = {
        "mode": provenance.mode,
        "preset": sampling.preset,
        "size": str(sampling.size),
        "seconds": sampling.seconds,
        "seed": sampling.seed,
    }
    offered = [tick for tick in TICKS if tick != "prompt" or provenance.prompt]
    choices = [(name(tick).capitalize(), tick) for tick in offered]
    ticks = gr.update(choices=choices, value=offered, visible=True)
    return [say("studio_reload_found", data), ticks, gr.update(visible=True)]


def chosen(changes: dict[str, Any], ticks: list[str]) -> dict[str, Any]:
    """Return those of ``changes`` that are ticked."""
    wanted = {field for tick in ticks for field in TICKS.get(tick, ())}
    return {key: value for key, value in changes.items() if key in wanted}
