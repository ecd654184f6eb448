"""The executor that needs no model: it draws an animatic of the request on the CPU."""

import asyncio
import time
from collections.abc import Callable

import numpy as np

from core.draft.draw import Finish, Look, Shot
from core.draft.hearing import RATE, Hearing, ambience
from core.draft.scenes import pictures
from core.executor import CancelToken, Order
from core.media.buffer import frame_buffer
from core.media.decode import load_sound
from core.media.kinds import RawClip, Sound
from core.media.threads import in_thread
from core.modes import Mode
from core.progress import Progress, ProgressSink, Stage, Working

_PREPARED = 0.04  # share of a run that is over when drawing begins
_ENCODING = 0.03  # … and of encoding at its end, where the order does not know


class DraftExecutor:
    """Turns orders into animatics, one at a time, in a thread beside the event loop.

    The same request with the same files gives the same frames and samples.
    """

    @property
    def name(self) -> str:
        """Return ``draft``."""
        return "draft"

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Draw ``order``.

        Raises:
            Cancelled: within one frame of the cancel.
            OSError: the disk has no room for the frames.
        """
        loop = asyncio.get_running_loop()

        def report(event: Progress) -> None:
            loop.call_soon_threadsafe(on_progress, event)

        return await in_thread(lambda check: _draw(order, report, check), cancel)

    async def close(self) -> None:
        """Do nothing: there is no device to let go of."""


def _draw(order: Order, report: ProgressSink, check: Callable[[], None]) -> RawClip:
    began = time.monotonic()
    sampling = order.request.sampling
    count, size = sampling.frames, (sampling.width, sampling.height)
    report(Working(Stage.PREPARE, 0, 1, 0.0))
    check()
    look = Look.of(order.request)
    given, sound = _sound(order, look)
    hearing = Hearing.of(given, count, sampling.fps) if given else None
    finish = Finish(look, size, sampling.preset)
    drawn = max(_PREPARED, 1 - order.shares.get(Stage.ENCODE, _ENCODING))
    frames = frame_buffer((count, size[1], size[0], 3), order.workspace)
    for index, (picture, strength) in enumerate(pictures(Shot(order, look, hearing))):
        check()
        frames[index] = np.asarray(finish.apply(picture, index / sampling.fps, strength))
        done = (index + 1) / count
        fraction = _PREPARED + (drawn - _PREPARED) * done
        report(Working(Stage.STAGE1, index + 1, count, fraction))
    gpu_ms = round((time.monotonic() - began) * 1000)
    return RawClip(frames, float(sampling.fps), sound, gpu_ms, {"executor": "draft"})


def _sound(order: Order, look: Look) -> tuple[Sound | None, Sound | None]:
    """Return the sound that pictures follow, if the mode has one, and the sound of the clip."""
    request = order.request
    media, seconds = request.media(), request.sampling.seconds
    match request.mode:
        case Mode.A2V | Mode.LIPSYNC:
            given = load_sound(order.path_of(media["audio"]), RATE, 2, seconds)
            return given, given
        case Mode.STYLE:
            video = media["video"]
            has_sound = video.sample_rate > 0
            return None, load_sound(order.path_of(video), RATE, 2, seconds) if has_sound else None
        case _:
            return None, ambience(look.random(3), float(look.sky[0]) / 255, seconds)
