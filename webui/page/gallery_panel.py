# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The gallery as it stands in the page; `gallery.js` fills it."""

import gradio as gr

from core.i18n.messages import language_of, say, sentences
from webui.views.gallery import filter_choices

_TEMPLATE = (
    "<h2>{title}</h2><div data-part='tools' class='cl-tools' role='search'></div>"
    "<div data-part='many' class='cl-tools' hidden></div><ul></ul>"
    "<div data-part='end' role='status'></div>"
)


def build_gallery(words: dict[str, str]) -> None:
    """Lay it out; ``words`` are those of the whole page."""
    own = sentences(language_of(None))
    gr.HTML(
        html_template=_TEMPLATE.format(title=say("studio_history")),
        js_on_load="Clapper.history(element, props)",
        elem_id="history",
        elem_classes=["cl-card", "cl-section", "cl-history"],
        apply_default_css=False,
        words={**words, **{code: own[code] for code in own if code.startswith("gallery_")}},
        filters=filter_choices(),
    )
