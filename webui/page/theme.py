# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false
"""Topaz Cinema Slate: slate surfaces, one amber accent, IBM Plex. Dark in light mode too."""

import re
from pathlib import Path

import gradio as gr

from core.domain.modes import MODES

INK = "#12161B"  # page
RAIL = "#151A20"  # sidebar
CARD = "#1A1F26"
RAISED = "#262C35"
LINE = "#343C47"
AMBER = "#E0A458"
AMBER_BRIGHT = "#ECB978"
TEXT = "#E6E8EB"
SUBDUED = "#A9B1BC"  # 7.6 : 1 on CARD

_VALUES: dict[str, str] = {
    "body_background_fill": INK,
    "background_fill_primary": CARD,
    "background_fill_secondary": INK,
    "body_text_color": TEXT,
    "body_text_color_subdued": SUBDUED,
    "block_background_fill": CARD,
    "block_border_color": LINE,
    "block_label_background_fill": CARD,
    "block_label_text_color": TEXT,
    "block_title_text_color": TEXT,
    "block_info_text_color": SUBDUED,
    "panel_background_fill": CARD,
    "border_color_primary": LINE,
    "border_color_accent": AMBER,
    "input_background_fill": INK,
    "input_background_fill_focus": INK,
    "input_border_color": LINE,
    "input_border_color_focus": AMBER,
    "input_placeholder_color": "#8A94A1",
    "button_primary_background_fill": AMBER,
    "button_primary_background_fill_hover": AMBER_BRIGHT,
    "button_primary_text_color": INK,
    "button_primary_text_color_hover": INK,
    "button_primary_border_color": AMBER,
    "button_secondary_background_fill": RAISED,
    "button_secondary_background_fill_hover": LINE,
    "button_secondary_text_color": TEXT,
    "button_secondary_border_color": LINE,
    "checkbox_background_color": INK,
    "checkbox_background_color_selected": AMBER,
    "checkbox_border_color": "#5A6573",
    "checkbox_border_color_selected": AMBER,
    "checkbox_label_background_fill": RAISED,
    "checkbox_label_background_fill_hover": LINE,
    "checkbox_label_background_fill_selected": AMBER,
    "checkbox_label_text_color": TEXT,
    "checkbox_label_text_color_selected": INK,
    "checkbox_label_border_color": LINE,
    "slider_color": AMBER,
    "link_text_color": AMBER,
    "link_text_color_hover": AMBER_BRIGHT,
    "link_text_color_visited": AMBER,
    "link_text_color_active": AMBER,
    "loader_color": AMBER,
    "color_accent_soft": RAISED,
    "table_even_background_fill": CARD,
    "table_odd_background_fill": INK,
}
_PLAIN: dict[str, str] = {
    "color_accent": AMBER,
    "block_radius": "10px",
    "input_radius": "6px",
    "button_large_radius": "8px",
    "button_small_radius": "6px",
    "block_shadow": "none",
    "button_primary_shadow": "none",
    "block_label_text_weight": "500",
    "block_title_text_weight": "500",
    "body_text_size": "15px",
}
ROOT_STYLE = (
    f"<style>:root{{--cl-rail:{RAIL};--cl-raised:{RAISED};--cl-line:{LINE};--cl-amber:{AMBER}}}"
    f"html,body{{background:{INK}}}"
    # what Gradio puts together is seen once it is: nothing moves before somebody's eyes
    "html:not(.cl-built) .gradio-container{visibility:hidden;animation:cl-late 0s 8s forwards}"
    "@keyframes cl-late{to{visibility:visible}}"  # also where a script of ours has failed
    # Gradio's own messages lie over the sidebar, or over the bar of a phone: never over a card
    ".toast-wrap{inset:auto auto 12px 12px!important;width:240px!important}"
    "@media(max-width:1023px){.toast-wrap{inset:0 0 auto!important;width:auto!important;"
    "max-height:52px;overflow:hidden}.toast-body{max-height:52px}}</style>"
)
STYLES = Path(__file__).resolve().parents[1] / "assets" / "studio.css"
STYLE_SHEETS = (STYLES, STYLES.with_name("clips.css"))
ICONS = STYLES.with_name("icons")
# in this order: each uses those before it
_SCRIPTS = (
    "address.js",
    "requests.js",
    "elements.js",
    "forms.js",
    "frame.js",
    "parts.js",
    "files.js",
    "file_placement.js",
    "times.js",
    "timeline.js",
    "state.js",
    "actions.js",
    "player.js",
    "drafts.js",
    "feed.js",
    "stage.js",
    "reuse.js",
    "styles.js",
    "lineage.js",
    "queue.js",
    "gallery.js",
    "side.js",
    "preflight.js",
    "programs.js",
    "done.js",
    "shortcuts.js",
    "studio.js",
)


# comments that are lines of their own, those behind code, and the space before it; no text of ours
# goes over lines, and what stands in quotes is no comment
_FOR_READERS = (
    re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n", re.DOTALL | re.MULTILINE),
    re.compile(r" // [^\"'`\n]*$", re.MULTILINE),
    re.compile(r"(?<=\{) /\*[^*\n]*\*/ (?=\})"),  # why a block is empty
    re.compile(r"^\s+", re.MULTILINE),
)


def theme() -> gr.themes.Base:
    """Make the theme; its fonts are in `first_paint.html`, so that nothing waits for them."""
    values = {**_VALUES, **{f"{key}_dark": value for key, value in _VALUES.items()}, **_PLAIN}
    base = gr.themes.Base(
        primary_hue=gr.themes.colors.amber,
        neutral_hue=gr.themes.colors.slate,
        font=["Clapper Sans", "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    return base.set(**values)


def icons() -> str:
    """Return the styles that give the button of each mode its icon."""
    return "".join(
        f'#mode-{spec.mode} {{ --cl-icon: url("data:image/svg+xml,{_icon(spec.icon)}"); }}\n'
        for spec in MODES.values()
    )


def _icon(name: str) -> str:
    picture = (ICONS / f"{name}.svg").read_text("utf-8").strip()
    return picture.replace("<", "%3C").replace(">", "%3E")


def script() -> str:
    """Join the page's own scripts, which stand inside the page, so without what readers need.

    Comments and indentation are a fifth of what the page moves, also compressed.
    """
    whole = "".join(STYLES.with_name(name).read_text("utf-8") for name in _SCRIPTS)
    for part in _FOR_READERS:
        whole = part.sub("", whole)
    return whole
