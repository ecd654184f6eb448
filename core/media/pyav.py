"""The calls of PyAV that its type stubs leave partly untyped, each with a precise type."""

import errno
import os
import struct
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
)
from av.video.stream import VideoStream
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.packet import Packet

__all__ = [
    "FFmpegError",
    "add_audio",
    "add_copy",
    "add_video",
    "all_packets",
    "as_bt709",
    "display_matrix",
    "encode_frame",
    "mux",
    "system_errors",
    "tag_bt709",
    "to_deep_rgb",
    "to_rgb",
    "unpack",
]

# swscale's default cuts what it should round, and makes a picture darker each time
_EXACTLY = int(
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)


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


def add_copy(container: OutputContainer, track: VideoStream) -> VideoStream:
    """Add a video track whose packets are those of ``track``, of another file, as they are."""
    return container.add_stream_from_template(track)  # pyright: ignore[reportUnknownMemberType]  # untyped **kwargs


def mux(container: OutputContainer, packet: "Packet[Any]") -> None:
    """Write a packet as it is."""
    container.mux_one(packet)  # pyright: ignore[reportUnknownMemberType]  # Packet is generic in the stubs


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

    It is RGB, or a frame of ours.
    """
    made = picture.reformat(
        width,
        height,
        "yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=_EXACTLY,
        threads=1,
    )
    made.pict_type = PictureType.NONE  # the encoder decides, not whoever encoded it before
    return made


def to_rgb(picture: VideoFrame) -> NDArray[np.uint8]:
    """Convert a frame of ours to RGB ``[H, W, 3]``, to the nearest number."""
    pixels = picture.to_ndarray(format="rgb24", interpolation=_EXACTLY, threads=1)
    return np.asarray(pixels, np.uint8)


def all_packets(container: InputContainer, index: int | None = None) -> "Iterator[Packet[Any]]":
    """Yield the packets of all tracks, or of the one at ``index``; empty ones tell the end."""
    chosen = [] if index is None else [container.streams[index]]
    return cast("Iterator[Packet[Any]]", container.demux(*chosen))  # pyright: ignore[reportUnknownMemberType]  # as above


def unpack(
    decoder: VideoStream | AudioStream | VideoCodecContext, packet: "Packet[Any] | None"
) -> list[VideoFrame | AudioFrame]:
    """Decode one packet, or what is left where there is none any more."""
    return list(decoder.decode(packet))  # pyright: ignore[reportUnknownMemberType]  # as above


def display_matrix(picture: VideoFrame) -> tuple[int, ...]:
    """Return the nine numbers of the display matrix that came with ``picture``; () for none."""
    extras = cast("Mapping[SideDataType, SideData]", picture.side_data)
    extra = extras.get(SideDataType.DISPLAYMATRIX)
    return () if extra is None else struct.unpack("=9i", bytes(extra)[:36])


def to_deep_rgb(picture: VideoFrame) -> NDArray[np.uint16]:
    """Convert a frame of any kind to full-range RGB ``[H, W, 3]`` of 16 bits; curves stay."""
    made = picture.reformat(
        format="rgb48le", dst_color_range=ColorRange.JPEG, interpolation=_EXACTLY, threads=1
    )
    return np.asarray(made.to_ndarray(), np.uint16)


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
