# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false
"""Fields that Gradio has not quite: files as they were sent, numbers that may be empty."""

from typing import Any

import gradio as gr
from gradio.components import Component

from core.domain.media import MediaKind

_SOURCES: dict[MediaKind, list[Any]] = {
    MediaKind.IMAGE: ["upload", "clipboard"],
    MediaKind.AUDIO: ["upload", "microphone"],
    MediaKind.VIDEO: ["upload"],
}
_HEIGHT = 240  # px, as in studio.css


def upload_field(kind: MediaKind, label: str) -> Component:
    """Return the field for a file of ``kind``."""
    common: dict[str, Any] = {
        "label": label,
        "sources": _SOURCES[kind],
        "elem_classes": ["cl-media"],
        "buttons": [],
    }
    field: Component
    if kind is MediaKind.IMAGE:
        field = gr.Image(type="filepath", height=_HEIGHT, **common)
    elif kind is MediaKind.AUDIO:
        field = gr.Audio(type="filepath", **common)
    else:
        field = gr.Video(height=_HEIGHT, **common)
    # only the core's sandbox decodes: Gradio's own would do it here, in the process of the
    # service; a subclass would be tidier, but making one writes a file beside this module
    field.preprocess = _as_sent
    return field


def _as_sent(payload: Any) -> str | None:  # noqa: ANN401  # Gradio's own record
    return payload.path if payload else None


def number_field(label: str, placeholder: str, info: str | None = None) -> Component:
    """Return the field for a number that may be left empty."""
    field = gr.Number(label=label, placeholder=placeholder, info=info)
    # Gradio's page makes 0 of None, and shows it in place of the placeholder
    field.value = ""
    return field
