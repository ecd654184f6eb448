"""Decode admitted files into arrays, for executors. Uploads go through the media store first."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.domain.dimensions import Size
from core.domain.media import Sound
from core.media.frame_rate import resample_frames
from core.media.pyav import to_rgb

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Fit: TypeAlias = Literal["cover", "contain"]  # cut what is too much, or pad with black


def load_image(path: Path, size: Size, fit: Fit = "cover") -> NDArray[np.uint8]:
    """Load the picture at ``path`` as ``[H, W, 3]`` RGB of exactly ``size``.

    Args:
        path: an admitted image.
        size: of the result, px.
        fit: ``cover`` fills the size and cuts the longer side evenly; ``contain`` shows all of
            the picture and pads with black.

    Returns:
        A fresh array.
    """
    with Image.open(path, formats=("PNG", "JPEG")) as picture:
        return _fitted(picture, size, fit)


def load_sound(path: Path, rate: int, channels: int, seconds: float | None = None) -> Sound:
    """Load the first sound track of ``path``, an admitted audio or video file.

    Args:
        path: the file.
        rate: Hz of the result.
        channels: 1 or 2.
        seconds: exact length of the result, cut or padded with silence; None keeps the file's.

    Returns:
        ``[channels, n]``; silence, or nothing without ``seconds``, where the file has no sound.
    """
    limit = None if seconds is None else round(seconds * rate)
    parts = [np.zeros((channels, 0), np.float32)]
    count = 0
    for part in _samples(path, rate):
        mixed = part.mean(axis=0, keepdims=True) if channels == 1 else part
        parts.append(np.broadcast_to(mixed, (channels, part.shape[1])))
        count += part.shape[1]
        if limit is not None and count >= limit:
            break
    samples = np.concatenate(parts, axis=1)[:, :limit]
    if limit is not None:
        samples = np.pad(samples, ((0, 0), (0, limit - samples.shape[1])))
    return Sound(np.ascontiguousarray(samples), rate)


def sound_between(path: Path, rate: int, start_s: float, seconds: float) -> Sound:
    """Load ``seconds`` of the sound of ``path`` in stereo, from ``start_s`` on.

    What lies before its beginning (``start_s`` may be below 0) and behind its end is silence.
    """
    start, count = round(start_s * rate), round(seconds * rate)
    whole = load_sound(path, rate, 2, max(0, start + count) / rate).samples
    silence = np.zeros((2, min(count, max(0, -start))), np.float32)
    samples = np.concatenate([silence, whole[:, max(0, start) :]], axis=1)
    return Sound(np.ascontiguousarray(samples), rate)


def video_frames(
    path: Path, fps: float, frames: int, size: Size, fit: Fit = "cover", *, start: int = 0
) -> Iterator[NDArray[np.uint8]]:
    """Yield exactly ``frames`` pictures of ``path``, resampled in time to ``fps``.

    Args:
        path: an admitted video.
        fps: of the result; the source's own rate does not matter, its speed stays.
        frames: how many; the last picture is held where the source ends earlier.
        size: of the result, px.
        fit: as for :func:`load_image`.
        start: how many pictures are left out before the first, at ``fps``.

    Yields:
        ``[H, W, 3]`` RGB, read as they are asked for; close the iterator to let go of the file.
    """
    with av.open(str(path), "r") as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        timed = ((frame.time or 0.0, frame) for frame in container.decode(stream))
        shown: VideoFrame | None = None
        pixels = np.zeros((size.height, size.width, 3), np.uint8)
        for frame in islice(resample_frames(timed, fps, start + frames), start, None):
            if frame is not shown:
                shown = frame
                pixels = _fitted(Image.fromarray(to_rgb(frame)), size, fit)
            yield pixels


def _samples(path: Path, rate: int) -> Iterator[NDArray[np.float32]]:
    """Yield the first sound track piece by piece, ``[its own 1 or 2 channels, n]``."""
    with av.open(str(path), "r") as container:
        if not container.streams.audio:
            return
        layout = container.streams.audio[0].layout.name
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        for frame in chain(container.decode(audio=0), [None]):
            for piece in resampler.resample(frame):
                yield np.asarray(piece.to_ndarray(), np.float32)


def _fitted(picture: Image.Image, size: Size, fit: Fit) -> NDArray[np.uint8]:
    picture = picture.convert("RGB")
    target = (size.width, size.height)
    scale = ImageOps.fit if fit == "cover" else ImageOps.pad
    return np.array(scale(picture, target, Image.Resampling.LANCZOS), np.uint8)
