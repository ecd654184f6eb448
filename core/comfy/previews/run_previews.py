"""Show what a run has come to, and learn from its clip what colours latents stand for."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import structlog

from core.comfy.previews.colour_fit import ColourMap, ColourSums, block_colours
from core.comfy.previews.colour_folder import ColourFolder, decoder_key
from core.comfy.previews.device_latents import DeviceLatents, LatentCopy
from core.domain.clip_preview import EVERY_S
from core.domain.continuation import run_frames
from core.domain.prompt_preview import JobPreview, PreviewSink, prompt_preview
from core.interfaces.executor import Order
from core.media.output.preview_picture import moments_of, preview_of
from core.workflow.graph import Graph

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = structlog.get_logger(__name__)
LEARNT_CLIPS = 12  # then the colours of a decoder are known
_LEARNT_MOMENTS = 12  # of a clip; a thread reads their frames beside the next run
_POLL_S = 0.01
_NEVER_S = 120.0  # a device that takes longer for a step shows nothing


@dataclass(frozen=True, slots=True)
class _DecoderColours:
    """What is known of the decoder of a run."""

    key: str
    sums: ColourSums | None
    map: ColourMap | None


class PreviewWorkshop:
    """The thread on which pictures are made, and who sees them; one for an executor."""

    def __init__(self, colours: ColourFolder, models: Path) -> None:
        """Take where colours are kept, and ComfyUI's folder of model files."""
        self.colours = colours
        self.models = models
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="previews")
        self.sink: PreviewSink | None = None  # on the loop

    def look_at(self, order: Order, loop: asyncio.AbstractEventLoop) -> "RunPreviews | None":
        """Make what looks at a run of ``order``; None where nobody wants to see it."""
        sink = self.sink
        if sink is None:
            return None

        def show(preview: JobPreview) -> None:
            loop.call_soon_threadsafe(sink, order.job_id, preview)

        return RunPreviews(self, show, run_frames(order.request))

    def close(self) -> None:
        """Begin nothing more."""
        self.thread.shutdown(wait=False, cancel_futures=True)


class RunPreviews:
    """Looks at one run. What it is told comes on the executor's thread, and never waits there."""

    def __init__(
        self,
        workshop: PreviewWorkshop,
        show: Callable[[JobPreview], None],
        frames: int,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look at a run that samples ``frames`` pictures, besides those of guides."""
        self._workshop = workshop
        self._show = show
        self._frames = frames
        self._seconds = seconds
        self._known = _DecoderColours("", None, None)
        # that nobody has made a picture of yet: the newest
        self._newest: deque[LatentCopy] = deque(maxlen=1)
        self._whole: LatentCopy | None = None  # of the last sampler, to learn from
        self._shown_s = self._copied_s = seconds() - EVERY_S
        self._over = threading.Event()

    def begin(self, graph: Graph) -> Self:
        """Find out what is known of the decoder in a bound graph; return the same object."""
        key = decoder_key(graph, self._workshop.models)
        sums = self._workshop.colours.read(key)
        self._known = _DecoderColours(key, sums, sums.solve() if sums is not None else None)
        return self

    def told(self, words: str) -> None:
        """Show the words that the model is given in place of the prompt."""
        preview = prompt_preview(words)
        if preview is not None:
            self._show(preview)

    def stepped(self, latents: DeviceLatents) -> None:
        """Make a picture of what the clip would be, as expected after a step."""
        if self._seconds() - self._copied_s >= EVERY_S / 2:  # what is overtaken is not copied
            self._offer(latents)

    def sampled(self, latents: DeviceLatents) -> None:
        """Make a picture of what a sampler left, and keep it to learn from it."""
        self._offer(latents)
        sums = self._known.sums
        if sums is None or sums.clips < LEARNT_CLIPS:
            count = self._count(latents)
            self._whole = latents.copy(moments_of(count, _LEARNT_MOMENTS))

    def learn(self, frames: "NDArray[np.uint8]") -> None:
        """Learn colours from the clip ``[T, H, W, 3]`` that was decoded, beside what follows."""
        whole, self._whole = self._whole, None
        if whole is not None:
            self._workshop.thread.submit(self._learn, self._known, whole, frames)

    def end(self) -> None:
        """Show nothing more: the run is over."""
        self._over.set()

    def _count(self, latents: DeviceLatents) -> int:
        return max(1, min(latents.count, (self._frames - 1) // latents.strides[0] + 1))

    def _offer(self, latents: DeviceLatents) -> None:
        known = self._known.map
        if known is None or known.channels != latents.shape[1]:
            return
        self._copied_s = self._seconds()
        self._newest.append(latents.copy(moments_of(self._count(latents))))
        self._workshop.thread.submit(self._draw, known)

    def _draw(self, known: ColourMap) -> None:
        """Show the newest, not sooner than half a second after the one before."""
        until_s, newest = self._seconds() + _NEVER_S, self._taken(None)
        while newest is not None and not self._may_show(newest):
            if self._over.wait(_POLL_S) or self._seconds() > until_s:
                return
            newest = self._taken(newest)
        if newest is not None:
            preview = preview_of(known.pictures(newest.values()))
            self._shown_s = self._seconds()
            self._show(preview)

    def _taken(self, held: LatentCopy | None) -> LatentCopy | None:
        """Return what came after ``held``, or else that."""
        return self._newest.popleft() if self._newest else held

    def _may_show(self, newest: LatentCopy) -> bool:
        return self._seconds() - self._shown_s >= EVERY_S and newest.ready()

    def _learn(
        self, known: _DecoderColours, whole: LatentCopy, frames: "NDArray[np.uint8]"
    ) -> None:
        latents = whole.values()
        in_time, side = whole.strides
        _, tall, wide, channels = latents.shape
        shaped = frames.shape[1:3] == (tall * side, wide * side)
        if not shaped or len(frames) != whole.frames[-1] * in_time + 1:
            return  # something between sampler and clip made them other frames
        colours = block_colours(frames, whole.frames, whole.strides)
        # anew: the run before may have been learnt from since this one began
        sums = self._workshop.colours.read(known.key) or ColourSums.none(channels)
        if len(sums.xx) != channels + 1:
            sums = ColourSums.none(channels)
        sums = sums.plus(latents.reshape(-1, channels), colours.reshape(-1, 3))
        self._workshop.colours.write(known.key, sums)
        _log.info("colours_learnt", clips=sums.clips, usable=sums.solve() is not None)
