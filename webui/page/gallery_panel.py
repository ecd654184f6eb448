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


_LINEAGE = ("gallery_from", "gallery_children")
_REUSED = ("gallery_reused", "gallery_reused_gone", "studio_undo", "studio_keys_close")


def build_lineage() -> None:
    """Lay out where the clips around the one on the stage are shown."""
    own = sentences(language_of(None))
    gr.HTML(
        html_template="<section hidden></section>",
        js_on_load="Clapper.lineage(element, props)",
        elem_id="lineage",
        elem_classes=["cl-card", "cl-section", "cl-lineage"],
        apply_default_css=False,
        words={code: own[code] for code in _LINEAGE},
    )


def build_reused() -> gr.HTML:
    """Lay out the line above the forms that says whose settings are in them."""
    own = sentences(language_of(None))
    return gr.HTML(
        html_template="<div role='status'></div>",
        js_on_load="Clapper.reused(element, props, trigger, ['fill'])",
        elem_id="reused",
        elem_classes=["cl-card", "cl-reused"],
        apply_default_css=False,
        words={code: own[code] for code in _REUSED},
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
