"""The executor that needs no model: it draws an animatic of the request on the CPU."""

import asyncio
import time
from collections.abc import Callable

import numpy as np

from core.draft.draw import Look, Shot, finish
from core.draft.hearing import RATE, Hearing, ambience
from core.draft.scenes import pictures
from core.executor import CancelToken, Order
from core.media.buffer import frame_buffer
from core.media.decode import load_sound
from core.media.kinds import RawClip
from core.media.threads import in_thread
from core.progress import Progress, ProgressSink, Stage, Working

_PREPARED = 0.04  # share of a run that is over when drawing begins
_ENCODING = 0.03  # … and of encoding at its end, where the order does not know


class DraftExecutor:
    """Draws the same frames and samples for the same request, in a thread beside the loop."""

    @property
    def name(self) -> str:
        """Return ``draft``."""
        return "draft"

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Draw ``order``; raise ``Cancelled`` within a frame, ``OSError`` on a full disk."""
        loop = asyncio.get_running_loop()

        def report(event: Progress) -> None:
            loop.call_soon_threadsafe(on_progress, event)

        return await in_thread(lambda check: _draw(order, report, check), cancel)

    async def close(self) -> None:
        """Do nothing: there is no device to let go of."""


def _draw(order: Order, report: ProgressSink, check: Callable[[], None]) -> RawClip:
    began, request = time.monotonic(), order.request
    sampling, media = request.sampling, request.media()
    count, size, seconds = sampling.frames, (sampling.width, sampling.height), sampling.seconds
    report(Working(Stage.PREPARE, 0, 1, 0.0))
    check()
    look, source = Look.of(request), media.get("audio") or media.get("video")
    files = {role: order.path_of(file) for role, file in media.items()}
    sound = None if source else ambience(look.random(3), float(look.sky[0]) / 255, seconds)
    if source and source.sample_rate:
        sound = load_sound(order.path_of(source), RATE, 2, seconds)
    heard = Hearing.of(sound, count, sampling.fps) if sound and "audio" in media else None
    shot = Shot(request, files, look, heard)
    drawn = max(_PREPARED, 1 - order.shares.get(Stage.ENCODE, _ENCODING)) - _PREPARED
    frames = frame_buffer((count, size[1], size[0], 3), order.workspace)
    for index, (picture, strength) in enumerate(pictures(shot)):
        check()
        frames[index] = np.asarray(finish(picture, shot, index / sampling.fps, strength))
        done = _PREPARED + drawn * (index + 1) / count
        report(Working(Stage.STAGE1, index + 1, count, done))
    gpu_ms = round((time.monotonic() - began) * 1000)
    return RawClip(frames, float(sampling.fps), sound, gpu_ms, {"executor": "draft"})
