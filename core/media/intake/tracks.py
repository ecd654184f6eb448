"""Open a stranger's file with one demuxer, and choose the tracks to use.

Nothing beside the open file may be read, whatever the file says.
"""

import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, NoReturn

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.subtitles import codeccontext as subtitle_codec
from av.subtitles import stream as subtitle_stream
from av.video.stream import VideoStream

from core.domain.media import MediaKind
from core.errors import MediaDamaged, MediaTooManyPixels
from core.media.intake.codecs import CODECS
from core.media.intake.protocol import RecodeTask
from core.media.intake.reasons import codec_name, codec_refused
from core.media.pyav import FFmpegError

# what PyAV would import later, when no file can be opened any more
_LATER = (subtitle_codec, subtitle_stream, logging)
_CLOSED = {
    "protocol_whitelist": "none",
    "codec_whitelist": ",".join(sorted(CODECS)),
    "max_streams": "512",  # a demuxer that meets one more ends the file there
    "probesize": "5000000",
    "analyzeduration": "5000000",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "ignore_chapters": "1",
    "threads": "1",
}
_PART_BYTES = 1 << 20
# pictures that lie in a film and do not move
_STILL = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails


@dataclass(frozen=True, slots=True)
class Choice:
    """The tracks of one kind that can be decoded, the one to use first."""

    indexes: tuple[int, ...]  # of the streams
    unreadable: str = ""  # the codec of a track that a player would have taken before, for people


@contextmanager
def damage_of(task: RecodeTask) -> Generator[None]:
    """Turn ffmpeg's errors about the data into a damaged file.

    Raises:
        MediaDamaged: it is.
        MemoryError: it needs more than is allowed.
    """
    try:
        yield
    except MemoryError:  # ffmpeg's own is of both kinds
        raise
    except (FFmpegError, ValueError) as error:
        raise MediaDamaged(task.role) from error


def open_source(task: RecodeTask, source: BinaryIO) -> InputContainer:
    """Open ``source`` from its beginning, with the ordered demuxer and no other.

    It raises MediaDamaged where the file is not what its first bytes promised.
    """
    source.seek(0)
    limits = {"max_pixels": str(task.max_pixels)}
    with damage_of(task):
        return av.open(
            source, "r", task.reader, options=_CLOSED | limits, buffer_size=1 << 16, io_open=_refuse
        )


def choose_tracks(task: RecodeTask, container: InputContainer, kind: MediaKind) -> Choice:
    """Choose among the tracks of ``kind``: those marked as default come first, then by order.

    Cover pictures are no films.

    Raises:
        codec_refused: none of several can be decoded, and they are what was asked for.
    """
    tracks: Sequence[VideoStream | AudioStream]
    tracks = container.streams.video if kind is MediaKind.VIDEO else container.streams.audio
    moving = [track for track in tracks if not track.disposition & _STILL]
    moving.sort(key=lambda track: not track.disposition & Disposition.default)
    usable = tuple(track.index for track in moving if _codec_of(track) in CODECS)
    if not moving or (usable and usable[0] == moving[0].index):
        return Choice(usable)
    if not usable and kind is task.kind:
        raise codec_refused(task.role, kind, _codec_of(moving[0]))
    return Choice(usable, codec_name(_codec_of(moving[0])))


def prepared(task: RecodeTask, container: InputContainer, index: int) -> VideoStream | AudioStream:
    """Return the track at ``index`` of the streams, ready to be decoded within the limits.

    Raises:
        MediaTooManyPixels: by its header.
        MediaDamaged: it is neither sound nor film.
    """
    track = container.streams[index]
    if not isinstance(track, VideoStream | AudioStream):
        raise MediaDamaged(task.role)
    if isinstance(track, VideoStream):
        refuse_pixels(task, track.codec_context.width, track.codec_context.height)
    track.codec_context.thread_count = 1  # threads would multiply the memory
    track.codec_context.options = {"max_pixels": str(task.max_pixels)}
    return track


def pixel_aspect(task: RecodeTask, source: BinaryIO, track: VideoStream) -> Fraction | None:
    """Return width ÷ height of one pixel: what the container says, else what the stream says.

    An MP4 may say it as ``pasp``. Without that the demuxer concludes it from the sizes in its
    headers, which counts only where the stream says nothing itself.
    """
    own = track.codec_context.sample_aspect_ratio
    if task.reader == "mov" and own and not _mentions(source, b"pasp"):
        return own
    return track.sample_aspect_ratio or own


def _mentions(source: BinaryIO, name: bytes) -> bool:
    """Look for ``name`` in the whole file; the place in it stays as it was."""
    place = source.tell()
    source.seek(0)
    rest = b""
    while part := source.read(_PART_BYTES):
        if name in rest + part:
            break
        rest = part[-len(name) :]
    source.seek(place)
    return bool(part)


def refuse_pixels(task: RecodeTask, width: int, height: int) -> None:
    """Check one picture's size.

    Raises:
        MediaTooManyPixels: it is too large.
    """
    if width * height > task.max_pixels:
        raise MediaTooManyPixels(task.role, width, height, task.max_pixels)


def _codec_of(track: VideoStream | AudioStream) -> str:
    codec = track.codec_context  # None where there is no decoder, whatever the stubs say
    return codec.name if codec else "unknown_format"


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    """Answer a demuxer that wants to open something else.

    Raises:
        ValueError: always.
    """
    del url, flags, options
    raise ValueError("a file that wants to open another")
