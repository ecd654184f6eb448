# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false
"""Upload fields that hand on the file as it was sent: only the core's sandbox decodes it."""

from typing import Any

import gradio as gr
from gradio.components import Component

from core.media.kinds import MediaKind

_SOURCES: dict[MediaKind, list[Any]] = {
    MediaKind.IMAGE: ["upload", "clipboard"],
    MediaKind.AUDIO: ["upload", "microphone"],
    MediaKind.VIDEO: ["upload"],
}
_HEIGHT = 200  # px


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
    # the toolkit's own would decode pictures here, in the process of the service; a subclass would
    # be tidier, but making one writes a file beside this module
    field.preprocess = _as_sent
    return field


def _as_sent(payload: Any) -> str | None:  # noqa: ANN401  # the toolkit's own record
    return payload.path if payload else None
