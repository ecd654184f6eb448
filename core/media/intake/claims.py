"""Tell whether a file has fewer bytes than it says, for containers whose demuxers do not tell."""

import io
from typing import BinaryIO

# more than headers that are a little wrong
_MISSING_BYTES, _MISSING_SHARE = 4096, 0.03
_UNKNOWN_BYTES = (1 << 31) - (1 << 16)  # what recorders that stream write instead of a size
_MOST_CHUNKS = 64


def is_cut(reader: str, source: BinaryIO) -> bool:
    """Return whether bytes are missing at the end of ``source``.

    Args:
        reader: ffmpeg's name of the demuxer.
        source: the file; it may be left at any place.
    """
    there = source.seek(0, io.SEEK_END)
    source.seek(0)
    if reader in {"avi", "wav"}:
        claimed = int.from_bytes(source.read(8)[4:], "little")
    elif reader == "caf":
        claimed = _end_of_caf(source)
    else:
        return False
    missing = claimed - there
    return claimed < _UNKNOWN_BYTES and missing > max(_MISSING_BYTES, _MISSING_SHARE * claimed)


def _end_of_caf(source: BinaryIO) -> int:
    """Return where the sound of a Core Audio file ends by its chunks; 0 where it does not say."""
    at = 8
    for _ in range(_MOST_CHUNKS):
        source.seek(at)
        head = source.read(12)
        size = int.from_bytes(head[4:], "big", signed=True)
        if len(head) < 12 or size < 0:
            return 0
        at += 12 + size
        if head[:4] == b"data":
            return at
    return 0
