# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false
"""Fields that Gradio has not quite: files as they were sent, numbers that may be empty."""

from dataclasses import asdict, dataclass

import gradio as gr
from gradio.components import Component

from core.domain.file_types import offered_types
from core.domain.media import MediaKind
from core.i18n.messages import language_of, sentences


@dataclass(frozen=True, slots=True)
class FileOffer:
    """What the page's script tells a browser of the field for a file."""

    kind: MediaKind
    accept: str  # types and suffixes that a dialog offers
    parts: bool = True  # a part of the file can be chosen


def field_id(key: str, form: str) -> str:
    """Return the id in the page of the field ``key`` of a form."""
    return f"{key}-{form}"


def upload_field(kind: MediaKind, label: str, field: str, accept: str = "") -> gr.HTML:
    """Return the field for a file of ``kind``; ``field`` is its id, ``accept`` what it offers.

    The bytes go to the server as they are: only the core's sandbox decodes.
    """
    offer = FileOffer(kind, accept or ",".join(offered_types(kind)), parts=not accept)
    return gr.HTML(
        value=None,
        label=label,
        html_template="<div></div>",
        js_on_load="Clapper.file(element, props, trigger, watch)",
        elem_classes=["cl-media"],
        apply_default_css=False,
        container=True,
        padding=False,
        offer=asdict(offer),
        field=field,
    )


def offer_of(field: Component) -> FileOffer | None:
    """Return what an upload field offers; None for other fields."""
    props = field.props if isinstance(field, gr.HTML) else {}
    return FileOffer(**props["offer"]) if "offer" in props else None


def file_words() -> dict[str, str]:
    """Return the words that fields for files place, and the line of pictures."""
    own = sentences(language_of(None))
    return {
        code: own[code]
        for code in own
        if code.startswith(("studio_file", "studio_part", "studio_times"))
    }


def number_field(label: str, placeholder: str, info: str | None = None) -> Component:
    """Return the field for a number that may be left empty."""
    field = gr.Number(label=label, placeholder=placeholder, info=info)
    # Gradio's page makes 0 of None, and shows it in place of the placeholder
    field.value = ""
    return field
