"""Read what is there of a JPEG whose end is missing."""

import re
from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageChops

_ENOUGH = 0.99  # of the rows
_BLOCK = 16  # rows that are decoded at once
# bits for the block in which the file was cut; they can make up some twenty blocks, no more
_FILLER = bytes(32)
_END = b"\xff\xd9"
_SEGMENT = re.compile(rb"\xff+([\xc0-\xcf\xda-\xfe])(..)", re.DOTALL)
_MARKS = {"L": 1, "RGB": (1, 254, 3), "CMYK": (1, 254, 3, 251)}  # rows of it were not decoded


def rescue(source: BinaryIO, size: tuple[int, int]) -> tuple[Image.Image, bool]:
    """Decode a JPEG without its end; ``size`` is the least of the result, px.

    Returns:
        The picture, and whether rows are missing at its bottom.

    Raises:
        OSError: more than a little is missing.
    """
    source.seek(0)
    content = source.read()
    complete = _has_all_scans(content)
    end = _END if complete else b""
    picture = Image.open(BytesIO(content + _FILLER + end), formats=("JPEG",))
    picture.draft(picture.mode, size)
    mark = _MARKS.get(picture.mode)
    if mark is None:
        raise OSError(picture.mode)
    empty = Image.new(picture.mode, picture.size, mark)
    picture.im = empty.copy().im
    try:
        picture.load()
    except OSError:
        picture.tile = []  # type: ignore[attr-defined]  # what was decoded is there
    found = ImageChops.difference(picture, empty).getbbox(alpha_only=False)
    rows = found[3] if found else 0
    if rows < min(picture.height * _ENOUGH, picture.height - _BLOCK):
        raise OSError("the end is missing")
    if rows == picture.height:
        return picture, False
    return picture.crop((0, 0, picture.width, rows)), True


def _has_all_scans(content: bytes) -> bool:
    """Tell whether a progressive JPEG got as far as its last scan; False for other JPEGs."""
    at, components = 2, b""
    while (segment := _SEGMENT.match(content, at)) and segment[1] != b"\xda":
        if segment[1] == b"\xc2":
            start = segment.end() + 5
            components = content[start + 1 : start + 1 + 3 * content[start] : 3]
        at = segment.end() - 2 + int.from_bytes(segment[2])
    known = {component: [False] * 64 for component in components}
    for scan in re.finditer(rb"\xff\xda..(.)", content[at:], re.DOTALL):
        count = scan[1][0]
        body = content[at + scan.end() : at + scan.end() + 2 * count + 3]
        if len(body) < 2 * count + 3 or body[-1] & 15:
            continue  # bits of this scan are still to come
        for component in body[: 2 * count : 2]:
            if component in known:
                first, last = body[-3], min(body[-2], 63)
                known[component][first : last + 1] = [True] * (last + 1 - first)
    return bool(known) and all(all(found) for found in known.values())
