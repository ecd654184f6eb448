"""The calls of PyAV that its type stubs leave partly untyped, each with a precise type."""

import errno
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

if TYPE_CHECKING:
    from av.packet import Packet

__all__ = [
    "FFmpegError",
    "add_audio",
    "add_video",
    "as_bt709",
    "encode_frame",
    "packets",
    "system_errors",
    "tag_bt709",
    "unpack",
]

_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED, which PyAV does not name
_HIGH_DEFINITION = 720  # px; films from there on are in BT.709 unless they say otherwise


def add_video(
    container: OutputContainer, codec: str, fps: Fraction, options: Mapping[str, str]
) -> VideoStream:
    """Add a video track of ``fps`` pictures a second."""
    add = container.add_stream  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # untyped **kwargs
    return cast("VideoStream", add(codec, rate=fps, options=dict(options)))


def add_audio(container: OutputContainer, codec: str, rate: int, layout: str) -> AudioStream:
    """Add a sound track of ``rate`` Hz; ``layout`` is ``mono`` or ``stereo``."""
    add = container.add_stream  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # untyped **kwargs
    stream = cast("AudioStream", add(codec, rate=rate, layout=layout))
    stream.codec_context.thread_count = 1
    return stream


def encode_frame(
    container: OutputContainer,
    stream: VideoStream | AudioStream,
    frame: VideoFrame | AudioFrame | None,
) -> None:
    """Encode ``frame`` (None: the end) and write what comes out."""
    encoded = stream.encode(frame)  # pyright: ignore[reportArgumentType, reportUnknownMemberType, reportUnknownVariableType]  # Packet is generic in the stubs
    container.mux(encoded)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # as above


def tag_bt709(stream: VideoStream) -> None:
    """Write into ``stream`` that its colours are BT.709 in the limited range, as players expect."""
    stream.color_range = ColorRange.MPEG
    stream.colorspace = Colorspace.ITU709
    stream.color_primaries = ColorPrimaries.BT709
    stream.color_trc = ColorTrc.BT709


def as_bt709(picture: VideoFrame, width: int, height: int) -> VideoFrame:
    """Convert ``picture`` to those colours as yuv420p, scaled to ``width`` × ``height`` px.

    A film that does not name its colours has those that players assume for its size.
    """
    if picture.format.name.startswith("yuv"):
        if picture.colorspace == _UNSPECIFIED:
            high = min(picture.width, picture.height) >= _HIGH_DEFINITION
            picture.colorspace = Colorspace.ITU709 if high else Colorspace.ITU601
        if picture.color_range == ColorRange.UNSPECIFIED and "j" not in picture.format.name:
            picture.color_range = ColorRange.MPEG
    made = picture.reformat(
        width,
        height,
        "yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation="BICUBIC",
        threads=1,
    )
    made.pict_type = PictureType.NONE  # the encoder decides, not whoever encoded it before
    return made


def packets(
    container: InputContainer, stream: VideoStream | AudioStream
) -> "Iterator[Packet[VideoStream | AudioStream]]":
    """Yield the packets of ``stream``; the last is empty and flushes the decoder."""
    return cast("Iterator[Packet[VideoStream | AudioStream]]", container.demux(stream))  # pyright: ignore[reportUnknownMemberType]  # as above


def unpack(
    stream: VideoStream | AudioStream, packet: "Packet[VideoStream | AudioStream]"
) -> list[VideoFrame | AudioFrame]:
    """Decode one packet."""
    return list(stream.decode(packet))  # pyright: ignore[reportUnknownMemberType]  # as above


@contextmanager
def system_errors() -> Generator[None]:
    """Turn ffmpeg's errors about the disk into the system's own.

    Raises:
        OSError: with the same errno, where ffmpeg failed because of the system.
        FFmpegError: anything else.
    """
    try:
        yield
    except FFmpegError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}:
            raise OSError(error.errno, os.strerror(error.errno)) from error
        raise
