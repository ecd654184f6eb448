# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""No file is fetched from an address that somebody sends: uploads only.

Gradio would load the whole answer into memory before anything here is asked: its size is the
sender's choice. It offers no switch, so its one function for it is replaced.
"""

from gradio import processing_utils

from core.errors import MediaRefused
from webui.gradio_errors import GradioError


class MediaByLink(MediaRefused):
    """An address in the place of a file."""


def refuse_links() -> None:
    """Let Gradio fetch nothing from now on, in this process."""
    processing_utils.async_ssrf_protected_download = _refused


async def _refused(url: str, cache_dir: str) -> str:
    """Fetch nothing.

    Raises:
        GradioError: always.
    """
    del url, cache_dir
    raise GradioError(MediaByLink("media"))
