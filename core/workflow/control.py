"""The source video as a graph needs it: at the clip's rate and length, on the graph's canvas.

ComfyUI's own nodes cannot resample a video in time, so this is done before a job is queued.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from core.frames import Size
from core.requests import Request

_CRF = "12"  # edges are read from these frames, so they must not smear


@dataclass(frozen=True, slots=True)
class Control:
    """What the prepared source must be."""

    size: Size  # of the clip, px
    canvas: Size  # of the file: the clip's size, its border repeated outwards
    frames: int
    fps: int


def canvas_of(size: Size, multiple: int) -> Size:
    """Return ``size`` with both sides rounded up to ``multiple`` px."""
    return Size(-(-size.width // multiple) * multiple, -(-size.height // multiple) * multiple)


def control_of(request: Request, canvas: int) -> Control:
    """Return how the source video of ``request`` is prepared for a graph of that ``canvas``."""
    sampling = request.sampling
    return Control(sampling.size, canvas_of(sampling.size, canvas), sampling.frames, sampling.fps)


def prepare_control(source: Path, target: Path, control: Control) -> None:
    """Write ``source`` as ``control`` says, without sound; blocks, so run it in a thread.

    Args:
        source: an admitted video.
        target: the MP4 to write.
        control: size, rate and length.
    """
    import av
    import numpy as np

    from core.media.decode import video_frames
    from core.media.pyav import add_video, put

    size, canvas = control.size, control.canvas
    left, top = (canvas.width - size.width) // 2, (canvas.height - size.height) // 2
    right, bottom = canvas.width - size.width - left, canvas.height - size.height - top
    border = ((top, bottom), (left, right), (0, 0))
    with av.open(str(target), "w", format="mp4") as container:
        options = {"crf": _CRF, "preset": "veryfast"}
        stream = add_video(container, "libx264", Fraction(control.fps), options)
        stream.width, stream.height, stream.pix_fmt = canvas.width, canvas.height, "yuv444p"
        for pixels in video_frames(source, control.fps, control.frames, size):
            frame = av.VideoFrame.from_ndarray(np.pad(pixels, border, "edge"), format="rgb24")
            put(container, stream, frame)
        put(container, stream, None)
