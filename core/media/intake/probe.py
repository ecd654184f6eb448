"""Probe sound and films inside the sandbox: one demuxer, measured before being decoded.

Headers are claims. The length is that of the packets which are really there, and every packet is
looked at, undecoded, before the first frame is made.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, NoReturn

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from core.domain.file_types import ACCEPTED
from core.domain.media import MediaKind
from core.errors import MediaFormatRefused, MediaTooLong, MediaTooManyPixels, MediaUnreadable
from core.media.intake.protocol import RecodeTask
from core.media.pyav import FFmpegError, packets, unpack

_VIDEO_CODECS = frozenset(
    {"h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4", "mjpeg", "gif"}
)
_AUDIO_CODECS = frozenset({"aac", "mp3", "mp3float", "flac", "alac", "opus", "libopus", "vorbis"})
_PCM = ("u8", "s16le", "s24le", "s32le", "f32le", "s16be", "s24be", "mulaw", "alaw")
CODECS = _VIDEO_CODECS | _AUDIO_CODECS | {f"pcm_{kind}" for kind in _PCM}

_MOST_FPS = 125.0  # packets a second; a slow-motion film above this is too much work
_MOST_SOUND_PACKETS = 500.0  # a second; Opus has at most 400
_BAD_PACKETS = 0.1  # of all: more of them, and the file is damaged
SLACK_S = 0.25  # encoders' padding at either end

# nothing beside the open file may be read, whatever the file says
_CLOSED = {
    "protocol_whitelist": "none",
    "codec_whitelist": ",".join(sorted(CODECS)),
    "max_streams": "16",
    "probesize": "5000000",
    "analyzeduration": "5000000",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "ignore_chapters": "1",
    "threads": "1",
}


@dataclass(frozen=True, slots=True)
class Span:
    """What the packets of one track say, in seconds."""

    start: float  # when the first is shown
    last: float  # when the last is shown
    hold: float  # how long the last lasts
    packets: int

    @property
    def seconds(self) -> float:
        """Return how long the track is; the last packet's own claim counts within reason."""
        if self.packets < 2:
            return self.hold
        return self.last - self.start + min(self.hold or self.gap, 3 * self.gap)

    @property
    def gap(self) -> float:
        """Return the mean time between two packets."""
        return (self.last - self.start) / max(1, self.packets - 1)


@contextmanager
def damage_of(task: RecodeTask) -> Generator[None]:
    """Turn ffmpeg's errors about the data into a damaged file.

    Raises:
        MediaUnreadable: it is.
        MemoryError: it needs more than is allowed.
    """
    try:
        yield
    except MemoryError:  # ffmpeg's own is of both kinds
        raise
    except (FFmpegError, ValueError) as error:
        raise MediaUnreadable(task.role, "damaged") from error


def open_source(task: RecodeTask, source: BinaryIO) -> InputContainer:
    """Open ``source`` from its beginning, with the ordered demuxer and no other.

    It raises MediaUnreadable where the file is not what its first bytes promised.
    """
    source.seek(0)
    limits = {"max_pixels": str(task.max_pixels)}
    with damage_of(task):
        return av.open(
            source, "r", task.reader, options=_CLOSED | limits, buffer_size=1 << 16, io_open=_refuse
        )


def first_track(
    task: RecodeTask, container: InputContainer, kind: MediaKind
) -> VideoStream | AudioStream | None:
    """Choose the track of ``kind`` to use, ready to be decoded within the limits.

    Cover pictures are no films.

    Raises:
        MediaFormatRefused: its codec is not accepted.
        MediaTooManyPixels: by its header.
    """
    streams = container.streams
    tracks = streams.video if kind is MediaKind.VIDEO else streams.audio
    track = next((t for t in tracks if not t.disposition & t.disposition.attached_pic), None)
    if track is None:
        return None
    codec = track.codec_context
    if not codec or codec.name not in CODECS:
        found = codec.name if codec else "unknown_format"
        raise MediaFormatRefused(task.role, found, ACCEPTED[task.kind])
    if isinstance(track, VideoStream):
        refuse_pixels(task, track.codec_context.width, track.codec_context.height)
    codec.thread_count = 1  # threads would multiply the memory
    codec.options = {"max_pixels": str(task.max_pixels)}
    return track


def refuse_pixels(task: RecodeTask, width: int, height: int) -> None:
    """Check one picture's size.

    Raises:
        MediaTooManyPixels: it is too large.
    """
    if width * height > task.max_pixels:
        raise MediaTooManyPixels(task.role, width, height, task.max_pixels)


def measure(task: RecodeTask, source: BinaryIO, kind: MediaKind) -> Span | None:
    """Measure the real extent of the track of ``kind``; None where there is none.

    It raises MediaTooLong as soon as a packet lies beyond the limit, and MediaUnreadable where
    the file is damaged or has more packets than a real film has.
    """
    with open_source(task, source) as container:
        track = first_track(task, container, kind)
        if track is None:
            return None
        rate = _MOST_FPS if isinstance(track, VideoStream) else _MOST_SOUND_PACKETS
        most = round((task.max_seconds + SLACK_S) * rate)
        with damage_of(task):
            return _measure(task, container, track, most)


def decoded(
    task: RecodeTask, container: InputContainer, track: VideoStream | AudioStream
) -> Iterator[VideoFrame | AudioFrame]:
    """Yield the frames of ``track``; single bad packets are left out, as players do.

    Raises:
        MediaUnreadable: too many were bad.
        MemoryError: one needs more than is allowed.
    """
    count = bad = 0
    for packet in packets(container, track):
        count += 1
        try:
            frames = unpack(track, packet)
        except MemoryError:
            raise
        except FFmpegError:
            bad += 1
            continue
        yield from frames
    if bad > max(1, count * _BAD_PACKETS):
        raise MediaUnreadable(task.role, "damaged")


def _measure(
    task: RecodeTask, container: InputContainer, track: VideoStream | AudioStream, most: int
) -> Span | None:
    span: Span | None = None
    for packet in packets(container, track):
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or packet.size == 0:
            continue
        base = packet.time_base or Fraction(1, 1)
        at, hold = float(stamp * base), float((packet.duration or 0) * base)
        span = Span(at, at, hold, 1) if span is None else _with(span, at, hold)
        if span.seconds > task.max_seconds + SLACK_S:
            claimed = (container.duration or 0) / av.time_base
            raise MediaTooLong(task.role, max(claimed, span.seconds), task.max_seconds)
        if span.packets > most:
            raise MediaUnreadable(task.role, "too_costly")
    return span


def _with(span: Span, at: float, hold: float) -> Span:
    if at < span.last:
        return Span(min(span.start, at), span.last, span.hold, span.packets + 1)
    return Span(span.start, at, hold, span.packets + 1)


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    """Answer a demuxer that wants to open something else.

    Raises:
        ValueError: always.
    """
    del url, flags, options
    raise ValueError("a file that wants to open another")
