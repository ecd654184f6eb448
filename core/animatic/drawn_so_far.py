"""Show what is drawn of a clip while the rest is drawn."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.domain.clip_preview import EVERY_S, ClipPreview
from core.media.output.preview_picture import moments_of, preview_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DrawnSoFar:
    """Makes a picture of the frames that are there, at most two a second."""

    def __init__(
        self,
        frames: "NDArray[np.uint8]",
        show: Callable[[ClipPreview], None] | None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the frames ``[T, H, W, 3]`` that are being filled, and who looks, if anybody."""
        self._frames = frames
        self._show = show
        self._seconds = seconds
        self._due_s = seconds()

    def drawn(self, count: int) -> None:
        """Show the first ``count`` frames, if it is time."""
        if self._show is None or self._seconds() < self._due_s:
            return
        self._due_s = self._seconds() + EVERY_S
        self._show(preview_of(self._frames[list(moments_of(count))]))
