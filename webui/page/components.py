# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false
"""Fields that Gradio has not quite: files as they were sent, numbers that may be empty."""

from typing import Any

import gradio as gr
from gradio.components import Component

from core.domain.file_types import offered_types
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


def offer_of(field: Component) -> dict[str, str] | None:
    """Return what the page's script tells a browser of an upload field; None for other fields.

    Gradio goes by the type that the browser says, which is often missing. So the script gives each
    file the main type that the field wants, and the bytes decide on the server, as everywhere.
    """
    kinds = {gr.Image: MediaKind.IMAGE, gr.Audio: MediaKind.AUDIO, gr.Video: MediaKind.VIDEO}
    kind = next((kind for part, kind in kinds.items() if isinstance(field, part)), None)
    if kind is None:
        return None
    return {"type": f"{kind}/x-sent", "accept": ",".join(offered_types(kind))}


def _as_sent(payload: Any) -> str | None:  # noqa: ANN401  # Gradio's own record
    return payload.path if payload else None


def number_field(label: str, placeholder: str, info: str | None = None) -> Component:
    """Return the field for a number that may be left empty."""
    field = gr.Number(label=label, placeholder=placeholder, info=info)
    # Gradio's page makes 0 of None, and shows it in place of the placeholder
    field.value = ""
    return field
