"""Tell Dolby Vision that other players cannot show from that whose base is an ordinary film.

Profile 5 codes its colours in a way of its own, which only a decoder of Dolby's turns into a
picture; read as anything else they are green and purple. The base of profiles 7, 8 and 9 is HDR10,
HLG or BT.709 and says so itself.
"""

import re
from typing import BinaryIO

_PART_BYTES = 1 << 20
_LONGEST = 32  # bytes from its mark to what is read of it
# the record of an MP4 (a box), and of a Matroska file (type and data of an addition)
_RECORD = re.compile(
    rb"(?:\0\0\0\x20dv[cvw]C|\x41\xe7\x84dv[cvw]C\x41\xed.)[\x01-\x03].(.).(.)", re.DOTALL
)
_READERS = frozenset({"mov", "matroska"})
_OWN_COLOURS = 5
_MAY_BE = frozenset({10, 20})  # AV1 and films of two eyes, where no other player is named


def is_only_for_dolby(reader: str, source: BinaryIO) -> bool:
    """Return whether the film in ``source`` is Dolby Vision without a base for other players.

    Args:
        reader: ffmpeg's name of the demuxer.
        source: the file; its place stays as it was.
    """
    if reader not in _READERS:
        return False
    place = source.tell()
    source.seek(0)
    rest, found = b"", None
    while found is None and (part := source.read(_PART_BYTES)):
        window = rest + part
        found = _RECORD.search(window)
        rest = window[-_LONGEST:]
    source.seek(place)
    if found is None:
        return False
    profile, base = found[1][0] >> 1, found[2][0] >> 4
    return profile == _OWN_COLOURS or (profile in _MAY_BE and base == 0)
