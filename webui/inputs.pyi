# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportIncompatibleMethodOverride=false
"""Upload fields that hand on the file as it was sent: only the core's sandbox decodes it."""

from typing import Any

import gradio as gr

from core.media.kinds import MediaKind

_SOURCES: dict[MediaKind, list[Any]] = {
    MediaKind.IMAGE: ["upload", "clipboard"],
    MediaKind.AUDIO: ["upload", "microphone"],
    MediaKind.VIDEO: ["upload"],
}

from gradio.events import Dependency

class PictureInput(gr.Image):
    """A picture."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:  # noqa: ANN401  # the toolkit's own record
        """Return the path of the upload."""
        return payload.path if payload else None
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class SoundInput(gr.Audio):
    """A sound."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:  # noqa: ANN401  # the toolkit's own record
        """Return the path of the upload."""
        return payload.path if payload else None
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class FilmInput(gr.Video):
    """A video."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:  # noqa: ANN401  # the toolkit's own record
        """Return the path of the upload."""
        return payload.path if payload else None
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


def upload_field(kind: MediaKind, label: str) -> gr.components.Component:
    """Return the field for a file of ``kind``."""
    common: dict[str, Any] = {
        "label": label,
        "sources": _SOURCES[kind],
        "elem_classes": ["cl-media"],
        "buttons": [],
    }
    if kind is MediaKind.IMAGE:
        return PictureInput(type="filepath", height=200, **common)
    if kind is MediaKind.AUDIO:
        return SoundInput(type="filepath", **common)
    return FilmInput(height=200, **common)