"""Read the chunks of a PNG: its pixels for the decoder, and what it says of them.

Checksums do not count: a wrong one of a text is no reason to refuse a picture, and pixels have one
of their own inside. Texts are not read at all, however long they are.
"""

import struct
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO

from core.media.colour import Colours, Corners
from core.media.intake.picture_colour import PictureColour

_MARK = b"\x89PNG\r\n\x1a\n"
_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})
_FACTS = frozenset({b"acTL", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf"})
_MOST_FACT = 4_000_000  # bytes of one that is read; a profile has 3 MB at most
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of each colour type


@dataclass(slots=True)
class PngParts:
    """A PNG with nothing but pixels, and the facts beside them."""

    pixels: BytesIO
    facts: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])

    @property
    def moves(self) -> bool:
        """Tell whether it is an animation of more than one picture."""
        return int.from_bytes(self.facts.get(b"acTL", b"")[:4]) > 1

    def colour(self) -> PictureColour:
        """Return what it says of its colours; the PNG specification says what comes first."""
        facts = self.facts
        if (numbers := facts.get(b"cICP")) and len(numbers) == 4:
            return PictureColour(Colours(primaries=numbers[0], transfer=numbers[1]))
        if profile := _unpacked(facts.get(b"iCCP", b"")):
            return PictureColour(profile=profile)
        if b"sRGB" in facts:
            return PictureColour()
        gamma = int.from_bytes(facts.get(b"gAMA", b"")[:4]) / 100_000
        corners: Corners = ()
        if len(facts.get(b"cHRM", b"")) == 32:
            found = [value / 100_000 for value in struct.unpack(">8I", facts[b"cHRM"])]
            if all(found):
                white, *colours = zip(found[::2], found[1::2], strict=True)
                corners = (*colours, white)
        return PictureColour(Colours(gamma=1 / gamma if gamma else 0.0, corners=corners))


def read_png(source: BinaryIO) -> PngParts:
    """Read ``source`` up to its last chunk, or to where it was cut."""
    parts = PngParts(BytesIO())
    parts.pixels.write(_MARK)
    source.seek(len(_MARK))
    while len(head := source.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"IEND" or not name.isalpha():
            break
        if name in _PIXELS:
            content = source.read(length)
            parts.pixels.write(struct.pack(">I4s", len(content), name))
            parts.pixels.write(content)
            parts.pixels.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(name))))
        elif name in _FACTS and length <= _MOST_FACT:
            parts.facts.setdefault(name, source.read(length))
        else:
            source.seek(length, 1)
        source.seek(4, 1)
    parts.pixels.write(struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND")))
    parts.pixels.seek(0)
    return parts


def share_of_pixels(pixels: BytesIO) -> float:
    """Return how much of a PNG's rows can be unpacked, 0 … 1; 0 where they are interlaced."""
    whole = pixels.getbuffer()
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", whole[16:29])
    if interlaced or colour not in _CHANNELS:
        return 0.0
    wanted = height * (1 + (width * bits * _CHANNELS[colour] + 7) // 8)
    unpacker, found, at = zlib.decompressobj(), 0, len(_MARK)
    try:
        while found < wanted and at < len(whole):
            length, name = struct.unpack(">I4s", whole[at : at + 8])
            rest = bytes(whole[at + 8 : at + 8 + length]) if name == b"IDAT" else b""
            while rest and found < wanted:
                found += len(unpacker.decompress(rest, 1 << 20))
                rest = unpacker.unconsumed_tail
            at += 12 + length
    except zlib.error:
        pass
    return min(1.0, found / wanted)


def _unpacked(chunk: bytes) -> bytes:
    """Return the profile in an iCCP chunk, or nothing where it cannot be unpacked."""
    content = chunk.partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(content, _MOST_FACT)
    except zlib.error:
        return b""
