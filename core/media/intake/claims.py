"""Tell whether a file has fewer bytes than it says, for containers whose demuxers do not tell.

A claim is where the file ends by its own headers. Some name the size of the whole, which writers
get a little wrong; others are a row of parts of known sizes, of which the last may not be whole.
"""

import io
import re
import struct
from collections.abc import Callable
from typing import BinaryIO

# more than headers that are a little wrong
_MISSING_BYTES, _MISSING_SHARE = 512, 0.03
_UNKNOWN_BYTES = (1 << 31) - (1 << 16)  # what recorders that stream write instead of a size
_MOST_PARTS = 100_000  # that are looked at; a minute of FLV has 6000
_TAIL = 1 << 17  # bytes in which the last page of an OGG begins
_HEAD = 1 << 16
_ASF_FACTS = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def is_cut(reader: str, source: BinaryIO) -> bool:
    """Return whether bytes are missing at the end of ``source``.

    Args:
        reader: ffmpeg's name of the demuxer.
        source: the file; it may be left at any place.
    """
    there = source.seek(0, io.SEEK_END)
    source.seek(0)
    if reader in _SIZES:
        claimed = _SIZES[reader](source)
        missing = claimed - there
        return claimed < _UNKNOWN_BYTES and missing > max(_MISSING_BYTES, _MISSING_SHARE * claimed)
    return reader in _PARTS and _PARTS[reader](source, there) > there


def _number(source: BinaryIO, at: int, form: str) -> int:
    """Return the number of ``form`` (struct) at a place; 0 behind the end."""
    source.seek(at)
    content = source.read(struct.calcsize(form))
    return struct.unpack(form, content)[0] if len(content) == struct.calcsize(form) else 0


def _end_of_asf(source: BinaryIO) -> int:
    at = source.read(_HEAD).find(_ASF_FACTS)
    return 0 if at < 0 else _number(source, at + 40, "<Q")


def _end_of_mp3(source: BinaryIO) -> int:
    """Return what the frame of LAME and its like says; it stands first."""
    head = source.read(_HEAD)
    found = re.search(rb"(?:Xing|Info)\0\0\0[\2\3\6\7\x0a\x0b\x0e\x0f]", head)
    if found is None:
        return 0
    flags = head[found.end() - 1]
    frame = head.rfind(b"\xff", 0, found.start())
    return frame + _number(source, found.end() + 4 * (flags & 1), ">I")


def _end_of_caf(source: BinaryIO, there: int) -> int:
    """Return where the sound of a Core Audio file ends."""
    at = 8
    for _ in range(_MOST_PARTS):
        if at >= there:
            break
        size = _number(source, at + 4, ">q")
        if size < 0:
            return 0
        at += 12 + size
    return at


def _end_of_boxes(source: BinaryIO, there: int) -> int:
    """Return where the last box of an MP4 ends."""
    at = 0
    for _ in range(_MOST_PARTS):
        size = _number(source, at, ">I")
        if size == 1:
            size = _number(source, at + 8, ">Q")
        at += size
        if size < 8 or at >= there:
            break
    return at


def _end_of_segment(source: BinaryIO) -> int:
    """Return where the segment of a Matroska file ends; 0 for one that was streamed."""
    head = source.read(_HEAD)
    at = head.find(b"\x18\x53\x80\x67") + 4
    if at < 4 or at >= len(head) or not head[at]:
        return 0
    length = 9 - head[at].bit_length()
    size = int.from_bytes(head[at : at + length]) & (1 << 7 * length) - 1
    return 0 if size == (1 << 7 * length) - 1 else at + length + size


def _end_of_tags(source: BinaryIO, there: int) -> int:
    """Return where the last tag of an FLV ends."""
    at = _number(source, 5, ">I") + 4
    for _ in range(_MOST_PARTS):
        if at >= there:
            break
        at += 15 + (_number(source, at, ">I") & 0xFFFFFF)
    return at


def _end_of_pages(source: BinaryIO, there: int) -> int:
    """Return where the last page of an OGG ends."""
    begin = max(0, there - _TAIL)
    source.seek(begin)
    tail = source.read()
    at = tail.rfind(b"OggS\0")
    if at < 0:
        return 0
    sizes = tail[at + 27 : at + 27 + tail[at + 26]] if at + 26 < len(tail) else b""
    return begin + at + 27 + len(sizes) + sum(sizes)


_SIZES: dict[str, Callable[[BinaryIO], int]] = {
    "avi": lambda source: _number(source, 4, "<I") + 8,
    "wav": lambda source: _number(source, 4, "<I") + 8,
    "w64": lambda source: _number(source, 16, "<Q"),
    "aiff": lambda source: _number(source, 4, ">I") + 8,
    "au": lambda source: _number(source, 4, ">I") + _number(source, 8, ">I"),
    "asf": _end_of_asf,
    "mp3": _end_of_mp3,
    "matroska": _end_of_segment,
}
_PARTS: dict[str, Callable[[BinaryIO, int], int]] = {
    "caf": _end_of_caf,
    "mov": _end_of_boxes,
    "flv": _end_of_tags,
    "ogg": _end_of_pages,
}
