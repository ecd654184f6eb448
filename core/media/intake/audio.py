"""Decode sound inside the sandbox, in two channels at most and at its place in time."""

from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.filter import Graph

from core.domain.media import MediaKind
from core.errors import MediaTooLong
from core.media.intake.probe import SLACK_S, Span, decoded, first_track, open_source
from core.media.intake.protocol import RecodeTask

FILM_RATE = 48_000  # Hz of a film's sound
_LOWEST_RATE, _HIGHEST_RATE = 8_000, 48_000  # Hz; sound within is kept at its own rate


def normalised_sound(task: RecodeTask, source: BinaryIO, film: Span | None) -> Iterator[AudioFrame]:
    """Yield the sound in our own format: for a FLAC, or for a film at its place in time.

    Raises:
        MediaTooLong: more samples come out than the packets said.
    """
    with open_source(task, source) as container:
        track = first_track(task, container, MediaKind.AUDIO)
        if not isinstance(track, AudioStream):
            return
        graph: Graph | None = None
        heard = told = 0
        for frame in decoded(task, container, track):
            if not isinstance(frame, AudioFrame) or not frame.samples:
                continue
            graph = graph or _sound_graph(frame, film)
            begins = heard / frame.sample_rate
            if film is not None and frame.time is not None:
                begins = frame.time - film.start
            frame.pts = round(begins * frame.sample_rate)
            frame.time_base = Fraction(1, frame.sample_rate)
            heard += frame.samples
            graph.push(frame)
            for made in _pulled(graph):
                told += made.samples
                if told > (task.max_seconds + SLACK_S) * made.sample_rate:
                    raise MediaTooLong(task.role, told / made.sample_rate, task.max_seconds)
                yield made
        if graph:
            graph.push(None)
            yield from _pulled(graph)


def _sound_graph(frame: AudioFrame, film: Span | None) -> Graph:
    mono = frame.layout.nb_channels == 1
    copied = mono and film is not None  # ffmpeg's own mixing would take 3 dB
    layout = "mono" if mono and film is None else "stereo"
    rate = FILM_RATE if film else min(max(frame.sample_rate, _LOWEST_RATE), _HIGHEST_RATE)
    in_time = ":async=1:first_pts=0" if film else ""  # gaps become silence, early samples go
    graph = Graph()
    graph.threads = 1
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format,
            layout=frame.layout,
            time_base=Fraction(1, frame.sample_rate),
        ),
        *([graph.add("pan", "stereo|c0=c0|c1=c0")] if copied else []),
        graph.add("aresample", f"{rate}:rematrix_maxval=1{in_time}"),
        graph.add("aformat", f"sample_fmts={'fltp' if film else 's16'}:channel_layouts={layout}"),
        graph.add("abuffersink"),
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
