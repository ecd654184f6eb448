"""The executor that needs no model: it draws an animatic of the request on the CPU."""

import asyncio
import time
from collections.abc import Callable

import numpy as np

from core.animatic.audio_features import RATE, AudioFeatures, ambience
from core.animatic.drawing import Palette, Shot, grade
from core.animatic.drawn_so_far import DrawnSoFar
from core.animatic.scenes import pictures
from core.domain.clip_preview import ClipPreview
from core.domain.continuation import FADE_S, film_of, sound_start_s
from core.domain.media import MediaFile, MediaKind, RawClip, Sound
from core.domain.modes import MODES
from core.domain.presets import Enhance
from core.domain.progress import Progress, ProgressSink, Stage, Working
from core.domain.prompt_preview import PreviewSink
from core.domain.requests import Request
from core.interfaces.executor import Order
from core.media.decode import load_sound, sound_between
from core.media.output.frame_buffer import frame_buffer
from core.runtime.cancellation import CancelToken
from core.runtime.threads import in_thread

_PREPARED = 0.04  # share of a run that is over when drawing begins
_ENCODING = 0.03  # … and of encoding at its end, where the order does not know


class DraftExecutor:
    """Draws the same frames and samples for the same request, in a thread beside the loop."""

    name = "draft"

    def __init__(self) -> None:
        self._show: PreviewSink | None = None

    def show_previews(self, sink: PreviewSink) -> None:
        """Give ``sink`` pictures of what is drawn so far, from now on."""
        self._show = sink

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Draw ``order``; raise ``Cancelled`` within a frame, ``OSError`` on a full disk."""
        loop = asyncio.get_running_loop()

        def report(event: Progress) -> None:
            loop.call_soon_threadsafe(on_progress, event)

        sink = self._show

        def show(preview: ClipPreview) -> None:
            if sink is not None:
                loop.call_soon_threadsafe(sink, order.job_id, preview)

        seen = show if sink is not None else None
        return await in_thread(lambda check: _draw(order, report, check, seen), cancel)

    async def close(self) -> None:
        """Do nothing: there is no device to release."""


def _draw(
    order: Order,
    report: ProgressSink,
    check: Callable[[], None],
    show: Callable[[ClipPreview], None] | None,
) -> RawClip:
    began, request = time.monotonic(), order.request
    sampling, media = request.sampling, request.media()
    report(Working(Stage.PREPARE, 0, 1, 0.0))
    check()
    goes_on = film_of(request) is not None
    look, source = Palette.of(request), _source_of_sound(request)
    lead_s = FADE_S if goes_on else 0.0
    sound = _sound(order, look, source, lead_s)
    heard = sound if source and source.kind is MediaKind.AUDIO else None
    features = AudioFeatures.of(heard, sampling.frames, sampling.fps) if heard else None
    shot = Shot(request, {role: order.path_of(f) for role, f in media.items()}, look, features)
    frames = frame_buffer((sampling.frames, sampling.height, sampling.width, 3), order.workspace)
    drawn = max(0.0, 1 - order.shares.get(Stage.ENCODE, _ENCODING) - _PREPARED)
    so_far = DrawnSoFar(frames, show)
    for index, (picture, strength) in enumerate(pictures(shot)):
        check()
        frames[index] = np.asarray(grade(picture, shot, index / sampling.fps, strength))
        share = _PREPARED + drawn * (index + 1) / sampling.frames
        report(Working(Stage.STAGE1, index + 1, sampling.frames, share))
        so_far.drawn(index + 1)
    gpu_ms = round((time.monotonic() - began) * 1000)
    # no language model here: who asked for one is told that the prompt is as it was typed
    used = request.prompt if sampling.enhance is Enhance.ON else ""
    return RawClip(
        frames,
        float(sampling.fps),
        sound,
        gpu_ms,
        {"executor": "draft"},
        repeated=int(goes_on),
        lead_s=lead_s,
        prompt_used=used,
    )


def _sound(order: Order, look: Palette, source: MediaFile | None, lead_s: float) -> Sound | None:
    """Return the sound of the clip, from ``source`` or as its scene has it; None where silent."""
    sampling = order.request.sampling
    if source is None:
        return ambience(look.random(3), float(look.sky[0]) / 255, lead_s + sampling.seconds)
    if lead_s:
        start_s, path = sound_start_s(sampling), order.path_of(source)
        return sound_between(path, RATE, start_s, lead_s + sampling.seconds)
    return (
        load_sound(order.path_of(source), RATE, 2, sampling.seconds) if source.sample_rate else None
    )


def _source_of_sound(request: Request) -> MediaFile | None:
    """Return the file whose sound the clip has: the first sound, else the first video.

    The sound of a film that goes on is over.
    """
    media = request.media()
    media.pop(MODES[request.mode].continues, None)
    found = [file for file in media.values() if file.kind is not MediaKind.IMAGE]
    return next(iter(sorted(found, key=lambda file: file.kind is MediaKind.VIDEO)), None)
