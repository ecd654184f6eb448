"""Prepare the source video for a graph: at the clip's rate and length, on the graph's canvas.

ComfyUI's own nodes cannot resample a video in time, so this is done before a job is queued.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from core.domain.dimensions import Size
from core.domain.requests import Request

_CRF = "12"  # edges are read from these frames, so they must not smear


@dataclass(frozen=True, slots=True)
class ControlVideo:
    """What the prepared source must be."""

    size: Size  # of the clip, px
    canvas: Size  # of the file: the clip's size, its border repeated outwards
    frames: int
    fps: int
    sound: bool = False  # with a track as long as the clip, silent where the source is
    start: int = 0  # frames of the source that are left out before


def canvas_of(size: Size, multiple: int) -> Size:
    """Return ``size`` with both sides rounded up to ``multiple`` px."""
    return Size(-(-size.width // multiple) * multiple, -(-size.height // multiple) * multiple)


def control_of(
    request: Request, canvas: int, *, size: Size | None = None, sound: bool = False
) -> ControlVideo:
    """Return how the source video of ``request`` is prepared for a graph of that ``canvas``.

    Args:
        request: with the rate and the length.
        canvas: the graph's side multiple, px.
        size: that the graph works towards; the clip's own where None.
        sound: with a track as long as the clip.
    """
    sampling = request.sampling
    size = size or sampling.size
    frames, fps = sampling.sampled_frames, sampling.sampled_fps
    return ControlVideo(size, canvas_of(size, canvas), frames, fps, sound)


def prepare_control(
    source: Path, target: Path, control: ControlVideo, check: Callable[[], None] = lambda: None
) -> None:
    """Write ``source`` as ``control`` says; blocks, so run it in a thread.

    Args:
        source: an admitted video.
        target: the MP4 to write.
        control: size, rate and length.
        check: called before every frame; may raise to stop.

    Raises:
        OSError: the disk is full or failed.
    """
    import numpy as np

    from core.media.decode import load_sound, video_frames
    from core.media.output.encode import SOUND_RATE, EncoderSettings, write_mp4

    size, canvas = control.size, control.canvas
    left, top = (canvas.width - size.width) // 2, (canvas.height - size.height) // 2
    right, bottom = canvas.width - size.width - left, canvas.height - size.height - top
    border = ((top, bottom), (left, right), (0, 0))
    pictures = video_frames(source, control.fps, control.frames, size, start=control.start)
    seconds = control.frames / control.fps
    samples = load_sound(source, SOUND_RATE, 2, seconds).samples if control.sound else None
    recipe = EncoderSettings(canvas, Fraction(control.fps), {"crf": _CRF, "preset": "veryfast"})
    padded = (np.pad(pixels, border, "edge") for pixels in pictures)
    write_mp4(target, recipe, padded, samples, check)
