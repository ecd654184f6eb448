"""Rewrite sound and films inside the sandbox: FLAC, and an MP4 of constant rate and modest size."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.subtitles import codeccontext as subtitle_codec
from av.subtitles import stream as subtitle_stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from core.domain.media import MediaKind
from core.errors import MediaUnreadable
from core.media.frame_rate import resample_frames
from core.media.intake.audio import FILM_RATE, normalised_sound
from core.media.intake.probe import (
    Span,
    damage_of,
    decoded,
    first_track,
    measure,
    open_source,
    refuse_pixels,
)
from core.media.intake.protocol import RecodeResult, RecodeTask
from core.media.pyav import add_audio, add_video, as_bt709, encode_frame, system_errors, tag_bt709

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

# what PyAV would import later, when no file can be opened any more
_LATER = (subtitle_codec, subtitle_stream, logging)
_LEAST_FPS = 8
_USUAL_RATES = [
    *(Fraction(whole) for whole in range(1, 126)),
    *(Fraction(whole * 1000, 1001) for whole in (24, 30, 48, 60, 120)),
]
_SMALLEST_SIDE = 16
# one thread, no look-ahead and one reference bound the memory, a bounded bit rate bounds the disk
_X264 = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "crf": "16",
    "maxrate": "24M",
    "bufsize": "24M",
    "x264-params": "threads=1:sliced-threads=0:ref=1",
}
_EXACT = {"fflags": "+bitexact"}  # the same input gives the same bytes, hence the same name


def recode_stream(task: RecodeTask, source: BinaryIO, output: BinaryIO) -> RecodeResult:
    """Write the sound or the film in ``source`` to ``output``.

    Raises:
        MediaUnreadable: damaged, or without the wanted track; other refusals come through.
    """
    span = measure(task, source, task.kind)
    if span is None:
        raise MediaUnreadable(task.role, f"no_{task.kind.value}")
    recode = _recode_sound if task.kind is MediaKind.AUDIO else _recode_film
    with damage_of(task):
        return recode(task, source, output, span)


def _recode_sound(task: RecodeTask, source: BinaryIO, output: BinaryIO, span: Span) -> RecodeResult:
    del span
    samples = 0
    stream: AudioStream | None = None
    with system_errors(), av.open(output, "w", "flac", _EXACT) as target:
        for frame in normalised_sound(task, source, None):
            if stream is None:
                stream = add_audio(target, "flac", frame.sample_rate, frame.layout.name)
            samples += frame.samples
            encode_frame(target, stream, frame)
        if stream is None:
            raise MediaUnreadable(task.role, "damaged")
        encode_frame(target, stream, None)
    return RecodeResult(seconds=samples / stream.rate, sample_rate=stream.rate)


def _recode_film(task: RecodeTask, source: BinaryIO, output: BinaryIO, span: Span) -> RecodeResult:
    has_sound = measure(task, source, MediaKind.AUDIO) is not None
    # 60 s in stereo are 23 MB; so each track is read by itself and no packet waits for another
    sound = list(normalised_sound(task, source, span)) if has_sound else []
    with open_source(task, source) as container:
        track = first_track(task, container, MediaKind.VIDEO)
        if not isinstance(track, VideoStream):
            raise MediaUnreadable(task.role, "no_video")
        fps = _frame_rate(span, task.max_fps)
        ticks = max(1, round(span.seconds * fps))
        film = _upright(resample_frames(_timed(task, container, track, span), float(fps), ticks))
        first = next(film, None)
        if first is None:
            raise MediaUnreadable(task.role, "damaged")
        with system_errors(), av.open(output, "w", "mp4", _EXACT) as target:
            _write_film(target, fps, chain([first], film), sound)
        width, height = first.width, first.height
    return RecodeResult(width, height, float(ticks / fps), float(fps), FILM_RATE if sound else 0)


def _write_film(
    target: OutputContainer, fps: Fraction, pictures: Iterable[VideoFrame], sound: list[AudioFrame]
) -> None:
    video = add_video(target, "libx264", fps, _X264)
    video.thread_count = 1
    tag_bt709(video)
    audio = add_audio(target, "aac", FILM_RATE, "stereo") if sound else None
    said = 0
    for index, picture in enumerate(pictures):
        if index == 0:
            video.width, video.height, video.pix_fmt = picture.width, picture.height, "yuv420p"
        picture.pts, picture.time_base = index, 1 / fps
        encode_frame(target, video, picture)
        while audio and said < len(sound) and (sound[said].time or 0.0) < (index + 1) / fps:
            encode_frame(target, audio, sound[said])
            said += 1
    encode_frame(target, video, None)
    if audio:
        encode_frame(target, audio, None)


def _timed(
    task: RecodeTask, container: InputContainer, track: VideoStream, span: Span
) -> Iterator[tuple[float, VideoFrame]]:
    """Yield (seconds, picture), scaled down at once: the decoder's own may have 30 MB each."""
    shape = (0, 0)
    for index, frame in enumerate(decoded(task, container, track)):
        if isinstance(frame, VideoFrame):
            refuse_pixels(task, frame.width, frame.height)
            if index == 0:
                aspect = track.codec_context.sample_aspect_ratio
                shape = _shape(frame, aspect, task.keep_pixels)
            time = index * span.gap if frame.pts is None else frame.time - span.start
            yield time, as_bt709(frame, *shape)


def _frame_rate(span: Span, highest: float) -> Fraction:
    """Choose the rate for the result: the measured one, whatever the header says.

    Time stamps are rounded, to 10 ms at worst, so a usual rate that is as near as that is meant.
    """
    measured = 1 / span.gap if span.gap else float(_LEAST_FPS)
    rate = Fraction(measured).limit_denominator(1001)
    leeway = measured * (0.0005 + 0.01 / max(span.seconds, 1))
    near = [usual for usual in _USUAL_RATES if abs(usual - measured) < leeway]
    if near:
        rate = min(near, key=lambda usual: (usual.denominator, abs(usual - measured)))
    rate = max(rate, Fraction(1, 100))
    rate /= max(1, math.ceil(rate / highest - 0.01))
    return rate * max(1, math.ceil(_LEAST_FPS / rate))


def _shape(frame: VideoFrame, aspect: Fraction | None, keep_pixels: int) -> tuple[int, int]:
    """Return even sides with square pixels for a frame as it is stored, before it is turned."""
    stretch = min(max(float(aspect or 1), 0.25), 4.0)
    width, height = frame.width * stretch, float(frame.height)
    scale = min(1.0, math.sqrt(keep_pixels / (width * height)))
    sides = (max(_SMALLEST_SIDE, int(side * scale) // 2 * 2) for side in (width, height))
    return next(sides), next(sides)


def _upright(pictures: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    turn: Callable[[VideoFrame], VideoFrame] | None = None
    shown = made = None
    for picture in pictures:
        turn = turn or _turner(picture)
        if made is None or picture is not shown:
            shown, made = picture, turn(picture)
        yield made


def _turner(first: VideoFrame) -> Callable[[VideoFrame], VideoFrame]:
    """Make what turns pictures like ``first`` upright, as its display matrix asks."""
    quarter = round(first.rotation / 90) % 4  # counterclockwise
    if quarter == 0:
        return lambda picture: picture
    filters = {1: ["transpose=cclock"], 2: ["hflip", "vflip"], 3: ["transpose=clock"]}[quarter]
    graph = Graph()
    graph.threads = 1
    nodes = [graph.add(*text.split("=")) for text in filters]
    source = graph.add_buffer(
        width=first.width,
        height=first.height,
        format=av.VideoFormat("yuv420p"),
        time_base=Fraction(1, 90_000),
    )
    graph.link_nodes(source, *nodes, graph.add("buffersink")).configure()

    def turned(picture: VideoFrame) -> VideoFrame:
        graph.vpush(picture)
        return graph.vpull()

    return turned
