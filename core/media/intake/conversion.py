"""Convert decoded frames to one shape, upright, in BT.709: one filter graph for each kind of frame.

A film may change its size, its colours and its scan in mid-stream; what differs in shape from its
beginning is shown whole, with black at its sides.
"""

import gc
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.filter import Graph
from av.filter.context import FilterContext
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange

from core.domain.dimensions import Size
from core.media.colour import (
    BT2020,
    FILM,
    LEVEL,
    MATRIX_RGB,
    UNSPECIFIED,
    Colours,
    hald_table,
)
from core.media.intake.orientation import UPRIGHT, Turn, filters_of, nearest_turn, swaps_sides
from core.media.pyav import display_matrix

_CLOCK = 90_000  # ticks a second of the graphs
_SMALLEST_SIDE = 16
_ROUND_TO = 8  # px; a film that is scaled down gets sides like 1920×1080
_SAME_SHAPE = 0.02  # of a side: a rounded size is no other shape
_HIGH_DEFINITION = 720  # px; films from there on are in BT.709 unless they say otherwise
# matrices by H.273 that ffmpeg's scaler knows; ones for RGB and unspecified ones are not here
_MATRICES = frozenset({1, 4, 5, 6, 7, 9, 10})
_MATRIX_BT709, _MATRIX_BT601, _MATRIX_BT2020 = 1, 6, 9
_SCALE = "scale=%d:%d:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
_TO_BT709 = ":out_color_matrix=bt709:out_range=limited"
_ON_WHITE = ("negate=components=r+g+b", "premultiply=inplace=1", "format=gbrp", "negate")


@dataclass(frozen=True, slots=True)
class _Chain:
    """A configured graph; its filters do not keep it alive."""

    graph: Graph
    entry: FilterContext
    sink: FilterContext


@dataclass(frozen=True, slots=True)
class _Kind:
    """All that a graph depends on."""

    width: int
    height: int
    pixels: str
    matrix: int
    range: int
    colours: Colours
    turn: Turn
    interlaced: bool

    @property
    def has_alpha(self) -> bool:
        """Return whether some of it is transparent."""
        return _has_alpha(VideoFormat(self.pixels))


@dataclass(frozen=True, slots=True)
class StreamColour:
    """What the container says of the colours; it counts where the frames do not say it."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    range: int = 0

    @classmethod
    def of(cls, decoder: VideoCodecContext) -> "StreamColour":
        """Return what a demuxer told ``decoder``, before anything is decoded."""
        return cls(
            decoder.color_primaries, decoder.color_trc, decoder.colorspace, decoder.color_range
        )


class FrameConverter:
    """Converts the frames of one film, in their order.

    Args:
        keep_pixels: of the result; larger films are scaled down.
        aspect: of one pixel, width ÷ height, as the container or the stream has it.
        told: the colours by the container.
    """

    def __init__(
        self, keep_pixels: int, aspect: Fraction | None, told: StreamColour = StreamColour()
    ) -> None:
        self._told = told
        self._keep_pixels = keep_pixels
        self._stretch = min(max(float(aspect or 1), 0.25), 4.0)
        self._kind: _Kind | None = None
        self._chain: _Chain | None = None
        self._rotation: int | None = None  # degrees of the last frame; its matrix has more
        self._turn = UPRIGHT
        self._size: Size | None = None  # of every frame that comes out

    def convert(self, frame: VideoFrame, time: float) -> Iterator[tuple[float, VideoFrame]]:
        """Yield what is ready of ``frame`` and those before it, each with its time in seconds."""
        interlaced = frame.interlaced_frame or (self._kind is not None and self._kind.interlaced)
        if frame.rotation != self._rotation:
            self._rotation, self._turn = frame.rotation, nearest_turn(display_matrix(frame))
            gc.collect()  # a frame that was asked for its extras is in a cycle: 25 MB in 4K
        kind = _kind_of(frame, self._told, self._turn, interlaced=interlaced)
        if kind != self._kind or self._chain is None:
            yield from self.flush()
            self._kind, self._chain = kind, _chain(kind, *self._shapes(kind))
        chain = self._chain
        frame.colorspace, frame.color_range = kind.matrix, kind.range
        frame.pts, frame.time_base = round(time * _CLOCK), Fraction(1, _CLOCK)
        chain.entry.push(frame)
        yield from _pulled(chain.sink)

    def flush(self) -> Iterator[tuple[float, VideoFrame]]:
        """Yield what is left."""
        chain, self._chain = self._chain, None
        if chain is not None:
            chain.entry.push(None)
            yield from _pulled(chain.sink)

    def _shapes(self, kind: _Kind) -> tuple[Size, Size]:
        """Return the size for frames of ``kind`` before they are turned, and that of the film."""
        sides = (kind.width * self._stretch, float(kind.height))
        swapped = swaps_sides(kind.turn)
        if self._size is None:
            scale = min(1.0, math.sqrt(self._keep_pixels / (sides[0] * sides[1])))
            step = _ROUND_TO if scale < 1 else 2
            width, height = (
                max(_SMALLEST_SIDE, int(side * scale) // step * step) for side in sides
            )
            self._size = Size(height, width) if swapped else Size(width, height)
            return Size(width, height), self._size
        film = self._size
        box = (film.height, film.width) if swapped else (film.width, film.height)
        scale = min(box[0] / sides[0], box[1] / sides[1])
        fitted = [max(2, round(side * scale / 2) * 2) for side in sides]
        if all(side > room * (1 - _SAME_SHAPE) for side, room in zip(fitted, box, strict=True)):
            fitted = list(box)
        return Size(min(fitted[0], box[0]), min(fitted[1], box[1])), film


def _kind_of(frame: VideoFrame, told: StreamColour, turn: Turn, *, interlaced: bool) -> _Kind:
    pixels = frame.format
    colours = Colours(
        _said(frame.color_primaries, told.primaries), _said(frame.color_trc, told.transfer)
    )
    if pixels.is_rgb or pixels.has_palette:
        matrix, range_ = MATRIX_RGB, ColorRange.JPEG
    else:
        matrix, range_ = _said(frame.colorspace, told.matrix), frame.color_range or told.range
        if "yuvj" in pixels.name:
            range_ = ColorRange.JPEG
        elif range_ not in {ColorRange.MPEG, ColorRange.JPEG}:
            range_ = ColorRange.MPEG
        if matrix not in _MATRICES:
            matrix = _usual_matrix(frame, colours)
    return _Kind(
        width=frame.width,
        height=frame.height,
        pixels=pixels.name,
        matrix=matrix,
        range=int(range_),
        colours=colours,
        turn=turn,
        interlaced=interlaced and pixels.name.startswith("yuv") and not _has_alpha(pixels),
    )


def _said(by_frame: int, by_container: int) -> int:
    """Return the number that says something; the frame's own counts first."""
    return by_container if by_frame in {0, UNSPECIFIED} else by_frame


def _usual_matrix(frame: VideoFrame, colours: Colours) -> int:
    """Return the matrix that players assume for a film that does not name it."""
    if colours.is_hdr or colours.primaries == BT2020:
        return _MATRIX_BT2020
    high = min(frame.width, frame.height) >= _HIGH_DEFINITION
    return _MATRIX_BT709 if high else _MATRIX_BT601


def _has_alpha(pixels: VideoFormat) -> bool:
    return pixels.has_palette or any(component.is_alpha for component in pixels.components)


def _chain(kind: _Kind, inner: Size, film: Size) -> _Chain:
    """Make the graph for ``kind``, which scales to ``inner`` before it turns."""
    graph = Graph()
    graph.threads = 1
    shape = f"video_size={kind.width}x{kind.height}:pix_fmt={kind.pixels}:time_base=1/{_CLOCK}"
    entry = graph.add("buffer", f"{shape}:colorspace={kind.matrix}:range={kind.range}")
    table: FilterContext | None = None
    node = entry
    scale = _SCALE % (inner.width, inner.height)
    alpha, plain = kind.has_alpha, kind.colours.is_plain(FILM)
    if kind.interlaced:
        node = _linked(graph, node, "bwdif=mode=send_frame:parity=auto:deint=interlaced")
    if alpha:
        node = _linked(graph, node, scale, "format=gbrap", *_ON_WHITE)
    if not plain:
        node = _linked(graph, node, *_as_coded(kind, scale))
        table, node = _looked_up(graph, node)
    node = _linked(graph, node, scale + _TO_BT709, "format=yuv420p", *filters_of(kind.turn))
    turned = (inner.height, inner.width) if swaps_sides(kind.turn) else (inner.width, inner.height)
    if turned != (film.width, film.height):
        node = _linked(graph, node, f"pad={film.width}:{film.height}:(ow-iw)/2:(oh-ih)/2:black")
    sink = _linked(graph, node, "buffersink")
    graph.configure()
    if table is not None:
        table.push(_table_frame(kind))
        table.push(None)
    return _Chain(graph, entry, sink)


def _as_coded(kind: _Kind, scale: str) -> tuple[str, ...]:
    """Return filters that scale, and put luma and differences in the place of red, green, blue."""
    if kind.matrix == MATRIX_RGB or kind.has_alpha:
        return (scale, "format=rgb48le")
    planes = "map0p=1:map1p=2:map2p=0"  # green, blue, red of planar RGB
    return (scale, "format=yuv444p16le", f"mergeplanes=format=gbrp16le:{planes}", "format=rgb48le")


def _linked(graph: Graph, node: FilterContext, *filters: str) -> FilterContext:
    """Add ``filters`` after ``node``, and return the last."""
    for text in filters:
        name, _, options = text.partition("=")
        added = graph.add(name, options or None)
        node.link_to(added)
        node = added
    return node


def _looked_up(graph: Graph, node: FilterContext) -> tuple[FilterContext, FilterContext]:
    """Add the look-up of colours in a table: its own entry, and the filter.

    It works on packed pixels: with planar ones ffmpeg exchanges red and blue.
    """
    side = LEVEL**3
    shape = f"video_size={side}x{side}:pix_fmt=rgb48le:time_base=1/{_CLOCK}"
    table = graph.add("buffer", f"{shape}:colorspace={MATRIX_RGB}:range={int(ColorRange.JPEG)}")
    lookup = graph.add("haldclut", "interp=tetrahedral")
    node.link_to(lookup, 0, 0)
    table.link_to(lookup, 0, 1)
    return table, lookup


def _table_frame(kind: _Kind) -> VideoFrame:
    matrix = MATRIX_RGB if kind.has_alpha else kind.matrix
    full_range = kind.range == ColorRange.JPEG
    pixels = hald_table(kind.colours, matrix, full_range)
    frame = VideoFrame.from_ndarray(pixels, "rgb48le")
    frame.pts, frame.time_base = 0, Fraction(1, _CLOCK)
    frame.colorspace, frame.color_range = MATRIX_RGB, ColorRange.JPEG
    return frame


def _pulled(sink: FilterContext) -> Iterator[tuple[float, VideoFrame]]:
    while True:
        try:
            frame = sink.pull()
        except (BlockingIOError, EOFError):
            return
        if isinstance(frame, VideoFrame):
            frame.pict_type = PictureType.NONE  # the encoder decides, not whoever encoded it before
            yield float(frame.time), frame
