"""Find the graph in whatever people have of it: an export, a request to ComfyUI, a saved clip.

ComfyUI writes the graph into the pictures and clips that it saves, and programs keep it inside what
they send. No picture is decoded here: only the texts beside it are read.
"""

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from core.workflow.errors import NotAWorkflow

Content: TypeAlias = Mapping[str, object]

_MOST_BYTES = 64 << 20  # of the texts; the largest graphs that people share have less than 1 MB
_DEPTH = 5  # of what a graph is kept inside
_MOST_PARTS = 200_000  # looked at in search of a graph
_PNG, _RIFF = b"\x89PNG\r\n\x1a\n", b"RIFF"
_BOXES = {b"moov", b"udta", b"meta", b"ilst"}  # of MP4, on the way to its texts
_BEGIN = re.compile(r"(?:prompt|workflow):(?=\{)")  # how a WebP's texts are marked


def text_of(path: Path) -> str:
    """Return the JSON in the file ``path``, or that which ComfyUI wrote into what it saved.

    Raises:
        NotAWorkflow: it holds neither.
    """
    with path.open("rb") as file:
        head = file.read(16)
        size = file.seek(0, 2)
        file.seek(0)
        embedded = _embedded(head, file, size)
        if embedded is None:
            return _plain(file, size, path.name)
        read = ((text, _graph_in(_loaded(text))) for text in embedded)
        found = [(text, graph) for text, graph in read if graph is not None]
    if not found:
        raise NotAWorkflow(path.name, "no_graph_inside")
    return next((text for text, graph in found if not _is_drawing(graph)), found[0][0])


def content_of(text: str, file: str) -> Content:
    """Return the graph or drawing in ``text``, out of what it may be kept inside.

    Args:
        text: JSON.
        file: its name, for messages.

    Raises:
        NotAWorkflow: there is none, or one of several.
    """
    data = _loaded(text)
    if data is None:
        raise NotAWorkflow(file, "not_json")
    found = _graph_in(data)
    if found is None:
        several = len(list(_level_with_graphs(data))) > 1
        raise NotAWorkflow(file, "several_graphs" if several else "not_a_graph")
    return found


def _plain(file: BinaryIO, size: int, name: str) -> str:
    if size > _MOST_BYTES:
        raise NotAWorkflow(name, "too_large")
    data = file.read()
    wide = data[:2] in {b"\xff\xfe", b"\xfe\xff"}  # as Windows' shell writes texts
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")  # some editors write a mark first
    except UnicodeDecodeError:
        raise NotAWorkflow(name, "no_graph_inside") from None


def _loaded(text: str) -> object:
    """Return the JSON ``text``; None where it is none. What is no number there becomes null."""
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):  # also brackets without end
        return None


def _graph_in(data: object) -> Content | None:
    """Return the one graph in ``data``; graphs come before drawings, both from the outside in."""
    found = list(_level_with_graphs(data))
    graphs = [one for one in found if not _is_drawing(one)] or found
    return graphs[0] if len(graphs) == 1 else None


def _level_with_graphs(data: object) -> list[Content]:
    level, seen = [data], 0
    for _ in range(_DEPTH):
        found = [cast("Content", part) for part in level if _is_graph(part) or _is_drawing(part)]
        if found or seen > _MOST_PARTS:
            return found
        level = [_opened(inner) for part in level for inner in _parts(part)]
        seen += len(level)
    return []


def _parts(part: object) -> list[object]:
    if isinstance(part, dict):
        return list(cast("Content", part).values())
    return cast("list[object]", part) if isinstance(part, list) else []


def _opened(part: object) -> object:
    """Return what the text ``part`` says, where it is JSON inside JSON."""
    return _loaded(part) if isinstance(part, str) and part.lstrip()[:1] == "{" else part


def _is_graph(part: object) -> bool:
    if not isinstance(part, dict):
        return False
    entries = cast("Content", part).values()
    return any(isinstance(one, dict) and "class_type" in one for one in entries)


def _is_drawing(part: object) -> bool:
    """Tell whether ``part`` is what the editor saves."""
    return isinstance(part, dict) and isinstance(cast("Content", part).get("nodes"), list)


def _embedded(head: bytes, file: BinaryIO, size: int) -> list[str] | None:
    """Return the texts of a picture or clip; None where the file is something else."""
    if head.startswith(_PNG):
        return list(_png_texts(file))
    if head.startswith(_RIFF) and head[8:12] == b"WEBP":
        return list(_webp_texts(file, size))
    return list(_mp4_texts(file, 0, size)) if head[4:8] == b"ftyp" else None


def _png_texts(file: BinaryIO) -> Iterator[str]:
    file.seek(len(_PNG))
    while len(start := file.read(8)) == 8:
        length, kind = int.from_bytes(start[:4]), start[4:]
        if kind not in {b"tEXt", b"iTXt", b"zTXt"} or length > _MOST_BYTES:
            file.seek(length + 4, 1)
            continue
        data = file.read(length)
        file.seek(4, 1)  # its checksum
        _, _, rest = data.partition(b"\0")
        if kind == b"iTXt":
            packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
        else:
            packed = kind == b"zTXt"
            rest = rest[1:] if packed else rest
        yield (_unpacked(rest) if packed else rest).decode("utf-8", "replace")


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MOST_BYTES)
    except zlib.error:
        return b""


def _webp_texts(file: BinaryIO, size: int) -> Iterator[str]:
    place = 12
    while place + 8 <= size:
        file.seek(place)
        start = file.read(8)
        length = int.from_bytes(start[4:], "little")
        if start[:4] == b"EXIF" and length <= _MOST_BYTES:
            texts = (part.decode("utf-8", "replace") for part in file.read(length).split(b"\0"))
            yield from (_BEGIN.split(text, 1)[-1] for text in texts if _BEGIN.search(text))
        place += 8 + length + length % 2


def _mp4_texts(file: BinaryIO, place: int, end: int, inside: bytes = b"") -> Iterator[str]:
    """Yield the values of the metadata: ``moov/udta/meta/ilst`` has a box for each."""
    while place + 8 <= end:
        file.seek(place)
        start = file.read(16)
        length, kind, header = int.from_bytes(start[:4]), start[4:8], 8
        if length == 1:
            length, header = int.from_bytes(start[8:16]), 16
        stop = min(end, place + length) if length else end
        if stop < place + header:
            return
        if inside == kind == b"data":
            file.seek(place + 16)  # behind its type and its language
            yield file.read(min(max(stop - place - 16, 0), _MOST_BYTES)).decode("utf-8", "replace")
        elif inside == b"ilst":
            yield from _mp4_texts(file, place + header, stop, b"data")
        elif kind in _BOXES:
            versioned = kind == b"meta" and start[12:16] != b"hdlr"
            yield from _mp4_texts(file, place + header + 4 * versioned, stop, kind)
        place = stop
