# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false
"""Gradio's memory of a page, without its copy of every component.

Its own session writes down the configuration of all components, for links that restore a page: here
13 ms and 360 kB for each tab and for each call of a program, kept for the last 10 000 of them. This
page has no such links; what an event changes in a component is still remembered.
"""

from typing import Any

from gradio.blocks import Blocks
from gradio.state_holder import SessionState, StateHolder

CAPACITY = 2000  # sessions; an older tab starts from the page as it was built


class _Bare:
    """As much of the page as a session needs."""

    def __init__(self, blocks: Blocks) -> None:
        self.default_config = blocks.default_config
        self.blocks: dict[int, Any] = {}


class Sessions(StateHolder):
    """Makes sessions without copies."""

    def __getitem__(self, session_id: str) -> SessionState:
        """Return the session, made on first use."""
        if session_id not in self.session_data:
            bare: Any = _Bare(self.blocks)
            self.session_data[session_id] = SessionState(bare)
        return super().__getitem__(session_id)


def lighten(app: Any) -> None:  # noqa: ANN401  # Gradio's application
    """Let ``app`` make such sessions from now on; before it serves."""
    sessions = Sessions()
    sessions.set_blocks(app.blocks)
    app.state_holder = sessions
