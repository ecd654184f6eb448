"""Decode sound inside the sandbox, in two channels at most and at its place in time."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.filter import Graph

from core.domain.media_cut import MediaCut
from core.errors import MediaDamaged, MediaTooLong
from core.media.intake.probe import SLACK_S, Survey, decoded
from core.media.intake.protocol import Note, RecodeTask
from core.media.intake.timeline import Timeline
from core.media.intake.tracks import open_source, prepared
from core.media.pyav import FFmpegError, unpack

FILM_RATE = 48_000  # Hz of a film's sound
_LOWEST_RATE, _HIGHEST_RATE = 8_000, 48_000  # Hz; sound within is kept at its own rate
# what ATSC and ITU-R BS.775 mix: the centre, where speech is, and the surrounds 3 dB less; no bass
# channel. Nothing is made quieter beforehand; what would clip is limited.
_MIX = "center_mix_level=0.7071:surround_mix_level=0.7071:lfe_mix_level=0:rematrix_maxval=100"
# −1 dB of true peak: peaks between samples are seen at four times the rate; 0.3 dB are left for
# the way back and for the encoder
_LIMIT = "limit=0.861:level=0:attack=5:release=50:latency=1"


def first_readable_sound(
    task: RecodeTask,
    source: BinaryIO,
    found: Survey,
    film_start: float | None = None,
    until_s: float | None = None,
) -> tuple[list[AudioFrame], list[Note]]:
    """Decode the first track that can be, and return what to tell of those before it.

    Args and errors are those of :func:`normalised_sound`. There may be no frame at all.
    """
    unreadable = found.sounds.unreadable
    for index in found.sounds.indexes:
        try:
            frames = list(normalised_sound(task, source, index, film_start, until_s))
        except (MediaDamaged, FFmpegError):
            frames = []
        if frames:
            note = Note("other_sound_track", {"codec": unreadable})
            return frames, [note] if unreadable else []
        unreadable = unreadable or "unknown_codec"
    return [], [Note("sound_left_out", {"codec": unreadable})] if unreadable else []


def normalised_sound(
    task: RecodeTask,
    source: BinaryIO,
    index: int,
    film_start: float | None = None,
    until_s: float | None = None,
) -> Iterator[AudioFrame]:
    """Yield the track at ``index`` in our own format: for a FLAC, or for a film at its place.

    Args:
        task: the limits.
        source: the file.
        index: of the stream.
        film_start: when the film's first picture is shown, s; None for a sound by itself.
        until_s: seconds after which no more is decoded.

    Raises:
        MediaTooLong: more samples come out than the packets said.
    """
    in_film = film_start is not None
    with open_source(task, source) as container:
        track = prepared(task, container, index)
        if not isinstance(track, AudioStream):
            return
        graph: Graph | None = None
        told = 0
        frames = _uniform(decoded(task, container, index, partial(unpack, track)))
        timeline = Timeline(task.reader)
        for frame in _placed(frames, timeline, film_start, until_s):
            graph = graph or _sound_graph(frame, task.cut, in_film=in_film)
            graph.push(frame)
            for made in _pulled(graph):
                told += made.samples
                if told > (task.max_seconds + SLACK_S) * made.sample_rate:
                    raise MediaTooLong(task.role, told / made.sample_rate, task.max_seconds)
                yield made
        if graph:
            graph.push(None)
            yield from _pulled(graph)


def _placed(
    frames: Iterator[AudioFrame],
    timeline: Timeline,
    film_start: float | None,
    until_s: float | None,
) -> Iterator[AudioFrame]:
    """Stamp ``frames`` one after another, or by their own times in a film, up to ``until_s``."""
    heard = 0
    for frame in frames:
        begins = heard / frame.sample_rate
        if film_start is not None and frame.time is not None:
            begins = timeline.place(frame.time) - film_start
        if until_s is not None and begins > until_s:
            return
        frame.pts = round(begins * frame.sample_rate)
        frame.time_base = Fraction(1, frame.sample_rate)
        heard += frame.samples
        yield frame


def _uniform(frames: Iterator[object]) -> Iterator[AudioFrame]:
    """Yield frames that all are like the first: television changes from 5.1 to stereo and back."""
    first: AudioFrame | None = None
    resampler: av.AudioResampler | None = None
    kind = ()
    for frame in frames:
        if not isinstance(frame, AudioFrame) or not frame.samples:
            continue
        first = first or frame
        found = (frame.format.name, frame.layout.name, frame.sample_rate)
        if found == (first.format.name, first.layout.name, first.sample_rate):
            yield frame
            continue
        if resampler is None or found != kind:
            kind = found
            resampler = av.AudioResampler(first.format, first.layout, first.sample_rate)
        yield from resampler.resample(frame)


def _sound_graph(frame: AudioFrame, cut: MediaCut, *, in_film: bool) -> Graph:
    channels = frame.layout.nb_channels
    layout = "mono" if channels == 1 and not in_film else "stereo"
    rate = FILM_RATE if in_film else min(max(frame.sample_rate, _LOWEST_RATE), _HIGHEST_RATE)
    in_time = ":async=1:first_pts=0" if in_film else ""  # gaps become silence, early samples go
    chain: list[tuple[str, str]] = []
    if channels == 1 and in_film:  # ffmpeg's own mixing would take 3 dB
        chain.append(("pan", "stereo|c0=c0|c1=c0"))
    if channels > 2:
        chain.append(("aresample", f"{_MIX}{in_time}"))
        chain.append(("aformat", "sample_fmts=dblp:channel_layouts=stereo"))
        chain.append(("aresample", f"{4 * rate}"))
        chain.append(("alimiter", _LIMIT))
        in_time = ""
    chain.append(("aresample", f"{rate}{in_time}"))
    chain.append(
        ("aformat", f"sample_fmts={'fltp' if in_film else 's16'}:channel_layouts={layout}")
    )
    if cut.in_time:
        end = "" if cut.end_s is None else f":end={cut.end_s:.6f}"
        chain += [("atrim", f"start={cut.start_s:.6f}{end}"), ("asetpts", "PTS-STARTPTS")]
    chain.append(("abuffersink", ""))
    graph = Graph()
    graph.threads = 1
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format,
            layout=frame.layout,
            time_base=Fraction(1, frame.sample_rate),
        ),
        *(graph.add(name, options or None) for name, options in chain),
    ).configure()
    return graph


def _pulled(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        if isinstance(frame, AudioFrame):
            yield frame
