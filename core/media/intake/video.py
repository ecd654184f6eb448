"""Rewrite sound and films inside the sandbox, films as MP4 of constant rate and modest size."""

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import BinaryIO, cast

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer, OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from core.domain.media import MediaKind
from core.errors import MediaDamaged, MediaUnreadable
from core.media.frame_rate import choose_rate, resample_frames
from core.media.intake.audio import FILM_RATE, first_readable_sound
from core.media.intake.codecs import WITH_ALPHA
from core.media.intake.conversion import FrameConverter, StreamColour
from core.media.intake.cutting import cropped, from_time, refuse_nothing_left
from core.media.intake.probe import Span, Survey, decoded, survey
from core.media.intake.protocol import Note, RecodeResult, RecodeTask
from core.media.intake.stored import EXACT, most_bytes, write_sound
from core.media.intake.timeline import Timeline
from core.media.intake.tracks import damage_of, open_source, pixel_aspect, prepared, refuse_pixels
from core.media.pyav import add_audio, add_video, encode_frame, system_errors, tag_bt709, unpack

# one thread, no look-ahead and one reference bound the memory
_X264 = {
    "preset": "superfast",
    "tune": "zerolatency",
    "crf": "16",
    "x264-params": "threads=1:sliced-threads=0:ref=1",
}
# bits a second of the result: a bounded rate bounds the disk, and what is kept is at most twice as
# large as what was sent
_MOST_BPS, _LEAST_BPS = 24_000_000, 150_000
_SHARE = 1.7
_SOUND_BPS, _LEAST_SOUND_BPS = 128_000, 64_000
_BUFFER_S = 0.5
_MISSING_S = 0.5  # of frames that were promised by packets
_SKIPPABLE = 4.0  # times the rate of the result: then frames that no other needs are not decoded


def recode_stream(task: RecodeTask, source: BinaryIO, output: BinaryIO) -> RecodeResult:
    """Write the sound or the film in ``source`` to ``output``.

    Raises:
        MediaUnreadable: without a track of the wanted kind.
        MediaDamaged: nothing can be decoded; other refusals come through.
    """
    found = survey(task, source)
    if (found.audio if task.kind is MediaKind.AUDIO else found.video) is None:
        raise MediaUnreadable(task.role, f"no_{task.kind.value}")
    recode = _recode_sound if task.kind is MediaKind.AUDIO else _recode_film
    with damage_of(task):
        return recode(task, source, output, found)


def first_frame(task: RecodeTask, source: BinaryIO, found: Survey) -> VideoFrame:
    """Decode the first picture of a film that was surveyed, upright and in BT.709.

    Raises:
        MediaDamaged: no picture can be decoded.
    """
    with open_source(task, source) as container, damage_of(task):
        pictures = _Decoding(task, source, container, found).pictures(skip=False)
        _, first = next(pictures, (0.0, None))
        if first is None:
            raise MediaDamaged(task.role)
        return first


def _recode_sound(
    task: RecodeTask, source: BinaryIO, output: BinaryIO, found: Survey
) -> RecodeResult:
    refuse_nothing_left(task, found.read_s)
    frames, notes = first_readable_sound(task, source, found, until_s=task.cut.end_s)
    if not frames:
        raise MediaDamaged(task.role)
    samples = sum(frame.samples for frame in frames)
    suffix = write_sound(frames, output, most_bytes(source))
    rate = frames[0].sample_rate
    seconds = samples / rate
    read_s = min(found.read_s, task.cut.end_s or found.read_s) - task.cut.start_s
    if (found.missing and not task.cut.end_s) or seconds < read_s - _MISSING_S:
        notes.append(Note("film_read_in_part", {"read_s": seconds}))
    return RecodeResult(seconds=seconds, sample_rate=rate, suffix=suffix, notes=tuple(notes))


def _recode_film(
    task: RecodeTask, source: BinaryIO, output: BinaryIO, found: Survey
) -> RecodeResult:
    span = found.video or Span()
    refuse_nothing_left(task, span.seconds)
    begin_s, end_s = task.cut.start_s, min(span.seconds, task.cut.end_s or span.seconds)
    used_s = min(end_s - begin_s, task.use_seconds)
    # 20 s in stereo are 8 MB; so each track is read by itself and no packet waits for another
    sound, notes = first_readable_sound(
        task, source, found, span.start - span.delay, begin_s + used_s
    )
    fps = choose_rate([time for time in span.times if time >= span.start], task.max_fps)
    ticks = max(1, round(used_s * fps))
    rates = _bit_rates(source, span.seconds, used_s, with_sound=bool(sound))
    with open_source(task, source) as container:
        decoding = _Decoding(task, source, container, found)
        timed = decoding.pictures(skip=len(span.times) > _SKIPPABLE * fps * span.seconds)
        used = cropped(from_time(timed, begin_s), task.cut)
        film = decoding.as_far_as_read(resample_frames(used, float(fps), ticks), fps, begin_s)
        first = next(film, None)
        if first is None:
            raise MediaDamaged(task.role)
        with system_errors(), av.open(output, "w", "mp4", EXACT) as target:
            ticks = _write_film(target, fps, rates, chain([first], film), sound)
        width, height = first.width, first.height
    seconds = float(ticks / fps)
    if decoding.is_short or (found.missing and begin_s + used_s >= span.seconds):
        notes.append(Note("film_read_in_part", {"read_s": seconds}))
    elif end_s - begin_s > task.use_seconds + _MISSING_S:
        notes.append(Note("film_used_in_part", {"used_s": seconds}))
    return RecodeResult(
        width,
        height,
        seconds,
        float(fps),
        sample_rate=FILM_RATE if sound else 0,
        suffix=".mp4",
        notes=tuple(notes),
    )


class _Decoding:
    """The decoding of one track of pictures, and how far it came."""

    def __init__(
        self, task: RecodeTask, source: BinaryIO, container: InputContainer, found: Survey
    ) -> None:
        self._task, self._source, self._container = task, source, container
        self._index, self._span = found.video_index, found.video or Span()
        self._reached_s = 0.0  # when the last picture is shown
        self._ended = False

    @property
    def is_short(self) -> bool:
        """Return whether pictures are missing at the end, though their packets were there."""
        promised = self._span.last - self._span.start
        return self._ended and self._reached_s < promised - _MISSING_S

    def pictures(self, *, skip: bool) -> Iterator[tuple[float, VideoFrame]]:
        """Yield (seconds, picture), scaled down at once: the decoder's own may have 30 MB each.

        Args:
            skip: leave out what no other picture needs.

        Raises:
            MediaDamaged: there is no such track.
        """
        track = prepared(self._task, self._container, self._index)
        if not isinstance(track, VideoStream):
            raise MediaDamaged(self._task.role)
        decoder = _decoder(track)
        if skip:
            decoder.skip_frame = "NONREF"
        converter = FrameConverter(
            self._task.keep_pixels,
            pixel_aspect(self._task, self._source, track),
            StreamColour.of(track.codec_context),
        )
        frames = decoded(self._task, self._container, self._index, partial(unpack, decoder))
        timeline = Timeline(self._task.reader)
        for index, frame in enumerate(frames):
            if isinstance(frame, VideoFrame):
                refuse_pixels(self._task, frame.width, frame.height)
                known = frame.pts is not None and frame.time_base
                time = index * self._span.gap
                if known:
                    time = timeline.place(frame.time) - self._span.start
                self._reached_s = max(self._reached_s, time)
                yield from converter.convert(frame, time)
        self._ended = True
        yield from converter.flush()

    def as_far_as_read(
        self, film: Iterable[VideoFrame], fps: Fraction, begin_s: float
    ) -> Iterator[VideoFrame]:
        """Yield ``film`` without the last picture held for those that are missing."""
        for tick, picture in enumerate(film):
            if self.is_short and begin_s + tick / fps > self._reached_s + self._span.gap:
                return
            yield picture


def _decoder(track: VideoStream) -> VideoCodecContext:
    """Return what decodes ``track``: another decoder where the usual one sees no transparency."""
    usual = track.codec_context
    name = WITH_ALPHA.get(usual.name)
    if name is None or track.metadata.get("alpha_mode", "0") == "0":
        return usual
    decoder = cast("VideoCodecContext", av.CodecContext.create(name, "r"))
    decoder.thread_count = 1
    return decoder


def _bit_rates(
    source: BinaryIO, source_s: float, used_s: float, *, with_sound: bool
) -> tuple[int, int]:
    """Return the most bits a second for pictures, and those for sound."""
    given = source.seek(0, io.SEEK_END) * 8 / max(source_s, 0.1) * _SHARE
    sound = min(_SOUND_BPS, max(_LEAST_SOUND_BPS, round(given / 8))) if with_sound else 0
    most = min(_MOST_BPS, max(_LEAST_BPS, given - sound))
    return round(most * used_s / (used_s + _BUFFER_S)), sound


def _write_film(
    target: OutputContainer,
    fps: Fraction,
    rates: tuple[int, int],
    pictures: Iterable[VideoFrame],
    sound: list[AudioFrame],
) -> int:
    """Write pictures and sound, and return how many pictures there were."""
    limit = {"maxrate": f"{rates[0]}", "bufsize": f"{round(rates[0] * _BUFFER_S)}"}
    video = add_video(target, "libx264", fps, _X264 | limit)
    video.thread_count = 1
    tag_bt709(video)
    audio = add_audio(target, "aac", FILM_RATE, "stereo") if sound else None
    if audio:
        audio.bit_rate = rates[1]
    count = said = 0
    for picture in pictures:
        if count == 0:
            video.width, video.height, video.pix_fmt = picture.width, picture.height, "yuv420p"
        picture.pts, picture.time_base = count, 1 / fps
        encode_frame(target, video, picture)
        count += 1
        while audio and said < len(sound) and (sound[said].time or 0.0) < count / fps:
            encode_frame(target, audio, sound[said])
            said += 1
    encode_frame(target, video, None)
    if audio:
        encode_frame(target, audio, None)
    return count
