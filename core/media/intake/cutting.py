"""Leave out what is not used of a film or a sound, inside the sandbox."""

from collections.abc import Iterator

from av.filter import Graph
from av.video.frame import VideoFrame

from core.domain.media_cut import LEAST_S, MediaCut
from core.errors import MediaUnreadable
from core.media.intake.protocol import RecodeTask

Timed = Iterator[tuple[float, VideoFrame]]  # seconds, picture


def refuse_nothing_left(task: RecodeTask, seconds: float) -> None:
    """Refuse a cut that begins where a file of ``seconds`` ends.

    Raises:
        MediaUnreadable: nothing would be left.
    """
    if task.cut.start_s and task.cut.start_s > seconds - LEAST_S:
        raise MediaUnreadable(task.role, "nothing_left")


def from_time(film: Timed, begin_s: float) -> Timed:
    """Yield ``film`` from ``begin_s`` on, which becomes 0: first the picture that stands then."""
    if not begin_s:
        yield from film
        return
    standing: VideoFrame | None = None
    for time, picture in film:
        if time <= begin_s:
            standing = picture
            continue
        if standing is not None:
            yield 0.0, standing
            standing = None
        yield time - begin_s, picture
    if standing is not None:
        yield 0.0, standing


def cropped(film: Timed, cut: MediaCut) -> Timed:
    """Yield ``film``, pictures of one size, cut to a part of each, with even sides."""
    if not cut.in_picture:
        yield from film
        return
    graph: Graph | None = None
    for time, picture in film:
        if graph is None:
            left, top, right, bottom = cut.box(picture.width, picture.height, 2)
            graph = Graph()
            graph.threads = 1
            graph.link_nodes(
                graph.add_buffer(
                    width=picture.width,
                    height=picture.height,
                    format=picture.format,
                    time_base=picture.time_base,
                ),
                graph.add("crop", f"{right - left}:{bottom - top}:{left}:{top}"),
                graph.add("buffersink"),
            ).configure()
        graph.push(picture)
        made = graph.pull()
        if isinstance(made, VideoFrame):
            yield time, made
