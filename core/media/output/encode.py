"""Encode frames and samples as an MP4 that plays everywhere: H.264 yuv420p, AAC, ``moov`` first."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from core.domain.dimensions import Size
from core.domain.media import Sound
from core.media.pyav import add_audio, add_video, as_bt709, encode_frame, system_errors, tag_bt709

SOUND_RATE = 48_000  # Hz, stereo
# edit lists count in this scale: the default of 1/1000 s would cut half a millisecond of sound
MUXER = {"movflags": "+faststart", "movie_timescale": str(SOUND_RATE)}
_SOUND_BLOCK = 1024  # samples of one AAC frame


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How to encode; the options are x264's and the bit rate is the sound's."""

    size: Size
    fps: Fraction
    video: Mapping[str, str]
    video_bps: int = 0  # 0 where the options choose the quality
    sound_bps: int = 192_000
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


def write_mp4(
    path: Path,
    recipe: EncoderSettings,
    frames: Iterable[NDArray[np.uint8] | VideoFrame],
    samples: NDArray[np.float32] | None,
    check: Callable[[], None],
) -> None:
    """Write one MP4.

    Args:
        path: a new file.
        recipe: size, rate, quality and metadata.
        frames: pictures in order, RGB arrays ``[H, W, 3]`` or decoded frames.
        samples: ``[2, n]`` at :data:`SOUND_RATE`, already as long as the pictures; None: silent.
        check: called before every frame; may raise to stop.

    Raises:
        OSError: the disk is full or failed.
    """
    with system_errors(), av.open(str(path), "w", "mp4", MUXER) as container:
        container.metadata.update(recipe.tags)
        video = _video_stream(container, recipe)
        audio = None if samples is None else add_aac(container, recipe)
        said = 0
        for index, picture in enumerate(frames):
            check()
            encode_frame(container, video, _yuv(picture, index, recipe))
            if audio is not None and samples is not None:
                heard = int((index + 1) / recipe.fps * SOUND_RATE)
                said = write_sound(container, audio, samples, said, heard)
        encode_frame(container, video, None)
        if audio is not None and samples is not None:
            write_sound(container, audio, samples, said, None)
            encode_frame(container, audio, None)


def stereo(sound: Sound, count: int) -> NDArray[np.float32]:
    """Convert ``sound`` to ``[2, count]`` at :data:`SOUND_RATE`, cut or padded with silence."""
    samples = np.nan_to_num(np.atleast_2d(sound.samples).astype(np.float32), posinf=1, neginf=-1)
    if samples.shape[0] > 2:
        samples = samples.mean(axis=0, keepdims=True)
    if sound.rate != SOUND_RATE and samples.shape[1]:
        samples = _resampled(samples, sound.rate)
    samples = np.broadcast_to(samples, (2, samples.shape[1]))[:, :count]
    samples = np.pad(samples, ((0, 0), (0, count - samples.shape[1])))
    return np.ascontiguousarray(np.clip(samples, -1.0, 1.0))


def _resampled(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    layout = "mono" if samples.shape[0] == 1 else "stereo"
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=SOUND_RATE)
    whole = AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
    whole.sample_rate = rate
    whole.pts = 0
    whole.time_base = Fraction(1, rate)
    parts = [
        np.asarray(part.to_ndarray(), np.float32)
        for frame in (whole, None)
        for part in resampler.resample(frame)
    ]
    return np.concatenate(parts, axis=1)


def _video_stream(container: OutputContainer, recipe: EncoderSettings) -> VideoStream:
    stream = add_video(container, "libx264", recipe.fps, recipe.video)
    stream.width, stream.height = recipe.size.width, recipe.size.height
    stream.pix_fmt = "yuv420p"
    stream.thread_type = "AUTO"  # several frames at once; PyAV's own choice is parts of one frame
    stream.time_base = 1 / recipe.fps
    if recipe.video_bps:
        stream.bit_rate = recipe.video_bps
    tag_bt709(stream)
    return stream


def add_aac(container: OutputContainer, recipe: EncoderSettings) -> AudioStream:
    """Add the sound track of a clip."""
    stream = add_audio(container, "aac", SOUND_RATE, "stereo")
    stream.bit_rate = recipe.sound_bps
    stream.time_base = Fraction(1, SOUND_RATE)
    return stream


def _yuv(
    picture: NDArray[np.uint8] | VideoFrame, index: int, recipe: EncoderSettings
) -> VideoFrame:
    if not isinstance(picture, VideoFrame):
        picture = VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
    frame = as_bt709(picture, recipe.size.width, recipe.size.height)
    frame.pts = index
    frame.time_base = 1 / recipe.fps
    return frame


def write_sound(
    container: OutputContainer,
    stream: AudioStream,
    samples: NDArray[np.float32],
    start: int,
    until: int | None,
) -> int:
    """Encode whole blocks up to ``until`` (None: all there is); return the first sample left."""
    while True:
        end = min(start + _SOUND_BLOCK, samples.shape[1])
        if start == end or (until is not None and start + _SOUND_BLOCK > until):
            return start
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples[:, start:end]), "fltp", "stereo"
        )
        frame.sample_rate = SOUND_RATE
        frame.pts = start
        frame.time_base = Fraction(1, SOUND_RATE)
        encode_frame(container, stream, frame)
        start = end
