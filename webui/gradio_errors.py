# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""Errors in the form that Gradio sends on to its page and to programs."""

import gradio as gr

from core.errors import ClapperError
from core.i18n.messages import explain


class GradioError(gr.Error):
    """An error of ours: its sentence under its code, and nothing in the log."""

    def __init__(self, error: ClapperError) -> None:
        """Take what went wrong."""
        super().__init__(explain(error), title=error.code, print_exception=False)
