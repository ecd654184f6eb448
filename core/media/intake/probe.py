"""Measure a file inside the sandbox by its packets, before the first frame is decoded.

Headers are claims. The length is that of the packets which are really there and are shown; the
claims only tell whether something is missing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.video.frame import VideoFrame

from core.domain.media import MediaKind
from core.errors import MediaDamaged, MediaTooLong, MediaTooManyFrames
from core.media.intake.claims import is_cut
from core.media.intake.dolby import is_only_for_dolby
from core.media.intake.protocol import RecodeTask
from core.media.intake.reasons import codec_refused
from core.media.intake.timeline import Timeline
from core.media.intake.tracks import Choice, choose_tracks, damage_of, open_source
from core.media.pyav import FFmpegError, all_packets

if TYPE_CHECKING:
    from av.packet import Packet

Decode: TypeAlias = "Callable[[Packet[Any] | None], list[VideoFrame | AudioFrame]]"  # None: the end

_MOST_FPS = 500.0  # packets a second; phones record slow motion at 240
_FEW_S = 1.0  # so many more packets than these are no burden
_MOST_SOUND_PACKETS = 500.0  # a second; Opus has at most 400
_BAD_PACKETS = 0.1  # of all: more of them, and the file is damaged
SLACK_S = 0.25  # encoders' padding at either end
# demuxers whose files say how long they are; others only guess from the number of bytes
_CLAIMING = frozenset({"mov", "matroska", "w64", "aiff", "flac", "asf"})
_WITHOUT_DISPLAY = frozenset({"avi"})
_MISSING_S, _MISSING_SHARE = 0.25, 0.03  # less is a codec's padding or a rounded header


@dataclass(slots=True)
class Span:
    """What the packets of one track say, in seconds."""

    timeline: Timeline = field(default_factory=lambda: Timeline(""))
    times: list[float] = field(default_factory=list[float])  # when each that is shown begins
    start: float = 0.0  # when the first is shown
    last: float = 0.0  # when the last is shown
    hold: float = 0.0  # how long the last lasts
    # by how much all is stamped late: an AVI has no times of display, and what ffmpeg makes up for
    # them begins with the delay of the decoder
    delay: float = 0.0
    _key_seen: bool = False
    _key_first: bool = False  # the first one shown needs no other

    @property
    def seconds(self) -> float:
        """Return how long the track is; the last packet's own claim counts within reason."""
        if len(self.times) < 2:
            return self.hold
        return self.last - self.start + min(self.hold or self.gap, 3 * self.gap)

    @property
    def gap(self) -> float:
        """Return the mean time between two packets."""
        return (self.last - self.start) / max(1, len(self.times) - 1)

    @property
    def end(self) -> float:
        """Return when the last is over."""
        return self.last + self.hold

    def add(self, packet: "Packet[Any]") -> None:
        """Count one packet.

        What comes before the first key picture cannot be decoded. What is flagged to be thrown
        away is decoded, because others refer to it, and is not shown.
        """
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or packet.size == 0:
            self._repeat(packet)
            return
        if packet.is_keyframe and not self._key_seen:
            self._key_seen = True
            self.times.clear()
        if packet.is_discard:
            return
        base = packet.time_base or Fraction(1, 1)
        at, hold = self.timeline.place(float(stamp * base)), float((packet.duration or 0) * base)
        if not self.times:
            self._key_first = packet.is_keyframe
            self.start, self.last, self.hold = at, at, hold
            self.delay = self._delay_of(packet)
        elif at >= self.last:
            self.last, self.hold = at, hold
        elif not self._key_first:
            self.start = min(self.start, at)
        self.times.append(at)

    def _delay_of(self, packet: "Packet[Any]") -> float:
        if self.timeline.reader not in _WITHOUT_DISPLAY or packet.pts is None or packet.dts is None:
            return 0.0
        return float((packet.pts - packet.dts) * (packet.time_base or 0))

    def _repeat(self, packet: "Packet[Any]") -> None:
        """Count an empty packet: the picture before it stays, as in Theora and AVI."""
        base, stamp = packet.time_base or Fraction(1, 1), packet.dts
        at = 0.0 if stamp is None else float(stamp * base) + self.delay
        if self.times and at > self.last:
            self.last, self.hold = at, float((packet.duration or 0) * base) or self.gap


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file really has."""

    video: Span | None
    audio: Span | None
    video_index: int
    sounds: Choice  # only tracks that have packets
    read_s: float  # of the wanted kind
    missing: bool  # the file says that it is longer


def survey(task: RecodeTask, source: BinaryIO) -> Survey:
    """Look at every packet of ``source``.

    It raises MediaTooLong as soon as a packet of the wanted kind lies beyond the limit,
    MediaTooManyFrames where there are more than a real film has, MediaDamaged where the file is
    none, and MediaCodecRefused where no track of the wanted kind can be decoded.

    Raises:
        codec_refused: only Dolby's decoder can show it.
    """
    cut = is_cut(task.reader, source)
    with open_source(task, source) as container, damage_of(task):
        videos = Choice(())
        if task.kind is MediaKind.VIDEO:
            videos = choose_tracks(task, container, MediaKind.VIDEO)
        sounds = choose_tracks(task, container, MediaKind.AUDIO)
        spans: dict[int, Span] = {}
        wanted = (videos if task.kind is MediaKind.VIDEO else sounds).indexes
        broken = _read(task, container, wanted, spans)
        present = {index for index, span in spans.items() if span.times}
        audible = tuple(index for index in sounds.indexes if index in present)
        video = next((index for index in videos.indexes if index in present), -1)
        if video >= 0 and is_only_for_dolby(task.reader, source):
            raise codec_refused(task.role, MediaKind.VIDEO, "dolby_vision_5")
        main = video if task.kind is MediaKind.VIDEO else next(iter(audible), -1)
        read_s = spans[main].seconds if main in spans else 0.0
        return Survey(
            video=spans.get(video),
            audio=spans[audible[0]] if audible else None,
            video_index=video,
            sounds=Choice(audible, sounds.unreadable),
            read_s=read_s,
            missing=broken or cut or _is_short(task, container, spans, main),
        )


def decoded(
    task: RecodeTask, container: InputContainer, index: int, decode: Decode
) -> Iterator[VideoFrame | AudioFrame]:
    """Yield the frames of one track; single bad packets are left out, as players do.

    Raises:
        MediaDamaged: too many were bad.
        MemoryError: one needs more than is allowed.
    """
    count = bad = 0
    for packet in chain(_until_broken(all_packets(container, index)), [None]):
        count += 1
        try:
            frames = decode(packet)
        except MemoryError:
            raise
        except FFmpegError:
            bad += 1
            continue
        yield from frames
    if bad > max(1, count * _BAD_PACKETS):
        raise MediaDamaged(task.role)


def _read(
    task: RecodeTask, container: InputContainer, wanted: tuple[int, ...], spans: dict[int, Span]
) -> bool:
    """Fill ``spans`` with what each track has; return whether the demuxer failed on the way.

    Raises:
        MediaTooLong: a wanted track is.
        MediaTooManyFrames: any track has too many packets.
    """
    fps = {track.index: _MOST_FPS for track in container.streams.video}
    broken: list[FFmpegError] = []
    for packet in _until_broken(all_packets(container), broken, empty=True):
        index = packet.stream_index
        span = spans.setdefault(index, Span(Timeline(task.reader)))
        span.add(packet)
        if index in wanted[:1] and span.seconds > task.max_seconds + SLACK_S:
            claimed = (container.duration or 0) / av.time_base
            raise MediaTooLong(task.role, max(claimed, span.seconds), task.max_seconds)
        rate = fps.get(index, _MOST_SOUND_PACKETS)
        if len(span.times) > (task.max_seconds + SLACK_S) * rate:
            found = len(span.times) / max(span.seconds, 1e-3)
            raise MediaTooManyFrames(task.role, found, rate)
    for index, span in spans.items():
        rate = fps.get(index, _MOST_SOUND_PACKETS)
        if len(span.times) > (span.seconds + _FEW_S) * rate:
            raise MediaTooManyFrames(task.role, len(span.times) / max(span.seconds, 1e-3), rate)
    return bool(broken)


def _until_broken(
    packets: "Iterator[Packet[Any]]",
    broken: list[FFmpegError] | None = None,
    *,
    empty: bool = False,
) -> "Iterator[Packet[Any]]":
    """Yield packets as far as the file can be read, and note in ``broken`` what ended it early.

    Those that are ``empty`` only repeat the picture before them.

    Raises:
        MemoryError: one needs more than is allowed.
    """
    while True:
        try:
            packet = next(packets, None)
        except MemoryError:
            raise
        except FFmpegError as error:
            if broken is not None:
                broken.append(error)
            return
        if packet is None:
            return
        if packet.size or empty:
            yield packet


def _is_short(
    task: RecodeTask, container: InputContainer, spans: dict[int, Span], main: int
) -> bool:
    """Return whether the file claims to be longer than what was there to read."""
    found = [span for span in spans.values() if span.times]
    if task.reader not in _CLAIMING or not found or main < 0:
        return False
    track = container.streams[main]
    if track.duration and track.time_base:
        claimed, read = float(track.duration * track.time_base), spans[main].seconds
    else:
        claimed = (container.duration or 0) / av.time_base
        read = max(span.end for span in found) - min(0.0, *(span.start for span in found))
    return claimed - read > max(_MISSING_S, _MISSING_SHARE * claimed)
