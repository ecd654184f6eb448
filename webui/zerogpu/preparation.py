"""What a Space does before any GPU is lent, so that a new worker has less left to do.

ComfyUI's modules are imported in the parent, whose torch answers for a GPU that only its forks get;
the model files are read once, so that forks find them in memory. What was achieved, and no more, is
taken off the declared seconds.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from core.comfy.paths import ComfyPaths
from core.comfy.startup import import_ahead
from core.duration import WorkerState
from core.errors import SetupProblem
from core.models.page_cache import FileReader

log = structlog.get_logger(__name__)

# what code of others raises on a torch that only seems to have a device
_OF_OTHERS = (ImportError, RuntimeError, AttributeError, AssertionError, TypeError, ValueError,
              LookupError, OSError)  # fmt: skip


class Preparation:
    """The start of ComfyUI as far as it needs no GPU, and the files in memory."""

    def __init__(self) -> None:
        """Have nothing prepared yet."""
        self._imported = False
        self._reader = FileReader()

    def import_comfyui(self, place: ComfyPaths, vram: str) -> None:
        """Import ComfyUI's modules here, on the thread that imported the lender's package.

        A failure is logged and no more: workers import them then, and are lent longer for it.
        """
        began = time.monotonic()
        try:
            import_ahead(place, vram)
        except SetupProblem as problem:
            log.warning("comfyui_not_imported", problem=str(problem))
        except _OF_OTHERS:
            log.exception("comfyui_not_imported")
        else:
            self._imported = True
            log.info("comfyui_imported", seconds=round(time.monotonic() - began, 1))

    def read_files(self, paths: Sequence[Path]) -> None:
        """Read the model files in the background."""
        self._reader.begin(paths)

    def state(self) -> WorkerState:
        """Return what a new worker would find now."""
        return WorkerState(
            imported=self._imported, cached=self._reader.share, disk=self._reader.rate
        )
