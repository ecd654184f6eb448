# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The line of a clip on which its pictures stand at the seconds at which they are reached."""

import gradio as gr

from core.domain.file_types import offered_types
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS

_TIMES, _LENGTH = "times", "seconds"  # fields of the form that the line writes and follows


def has_timeline(mode: Mode) -> bool:
    """Return whether the pictures of ``mode`` are reached at times that people choose."""
    return OPTIONS[_TIMES].offered_in(mode)


def build_timeline(mode: Mode) -> gr.HTML:
    """Lay out the line of ``mode``; at its event ``fill`` it writes into the form."""
    spec = MODES[mode]
    most = len(spec.every_slot)
    line = {
        "form": mode.value,
        "roles": spec.roles_for(MediaKind.IMAGE, most),
        "ends": spec.roles(MediaKind.IMAGE),
        "times": _TIMES,
        "length": _LENGTH,
    }
    return gr.HTML(
        value=None,
        html_template="<section></section>",
        js_on_load="Clapper.timeline(element, props, trigger, ['fill'])",
        elem_id=f"timeline-{mode}",
        elem_classes=["cl-card"],
        apply_default_css=False,
        line=line,
        accept=",".join(offered_types(MediaKind.IMAGE)),
    )
