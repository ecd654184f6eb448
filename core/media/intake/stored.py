"""Choose how a result is stored: exactly where that is small, else in at most twice what was sent.

A picture or a sound is first written without loss. Where that takes more than it may, it holds the
noise of a lossy codec, which is not worth the room, and is written again as a good encoder of such
files does.
"""

import io
from collections.abc import Sequence
from itertools import chain
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from PIL import Image

from core.media.pyav import add_audio, encode_frame, system_errors

SHARE = 2.0  # of what was sent, at most
_FLOOR = 100_000  # bytes that are always free: an exact picture of a video call, a word
EXACT = {"fflags": "+bitexact"}  # the same input gives the same bytes, hence the same name
# quality and colour resolution (0: as the picture, 2: halved), the best that fits is taken
_JPEG = ((95, 0), (90, 0), (85, 2), (75, 2))
_OPUS_RATE = 48_000  # Hz; the only one that all players know
_OPUS_BPS = 128_000  # for each channel, where nobody hears a difference
_LEAST_BPS = 24_000
_OVERHEAD = 0.9  # of the bytes are sound: the rest are Ogg's pages, and swings of the rate


def most_bytes(source: BinaryIO) -> int:
    """Return how large the result of ``source`` may be."""
    return max(_FLOOR, round(SHARE * source.seek(0, io.SEEK_END)))


def write_picture(picture: Image.Image, output: BinaryIO, most: int) -> str:
    """Write ``picture`` (RGB) in at most ``most`` bytes if that can be, and return the suffix."""
    picture.save(output, "PNG", compress_level=3)
    if output.tell() <= most:
        return ".png"
    for quality, subsampling in _JPEG:
        _empty(output)
        picture.save(output, "JPEG", quality=quality, subsampling=subsampling, optimize=True)
        if output.tell() <= most:
            break
    return ".jpg"


def write_sound(frames: Sequence[AudioFrame], output: BinaryIO, most: int) -> str:
    """Write ``frames`` (16 bits, all of one kind) in at most ``most`` bytes; as for pictures."""
    rate, layout = frames[0].sample_rate, frames[0].layout.name
    with system_errors(), av.open(output, "w", "flac", EXACT) as target:
        stream = add_audio(target, "flac", rate, layout)
        for frame in (*frames, None):
            encode_frame(target, stream, frame)
    if output.seek(0, io.SEEK_END) <= most:
        return ".flac"
    seconds = sum(frame.samples for frame in frames) / rate
    _empty(output)
    with system_errors(), av.open(output, "w", "ogg", EXACT) as target:
        stream = add_audio(target, "libopus", _OPUS_RATE, layout)
        room = round(_OVERHEAD * most * 8 / seconds)
        stream.bit_rate = max(_LEAST_BPS, min(_OPUS_BPS * frames[0].layout.nb_channels, room))
        resampler = av.AudioResampler("s16", layout, _OPUS_RATE)
        for frame in chain(frames, [None]):
            for piece in resampler.resample(frame):
                encode_frame(target, stream, piece)
        encode_frame(target, stream, None)
    return ".ogg"


def _empty(output: BinaryIO) -> None:
    output.seek(0)
    output.truncate()
