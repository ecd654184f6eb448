"""Seal finished files, so that a file of ours can be told from one that a person edited.

The seal is the SHA-256 of all bytes before it, in a place that readers of the format skip: the last
box of an MP4 (kind ``free``, which Content Credentials do not cover), the last chunk before the end
of a PNG. A program that edits or re-encodes the file drops or breaks it, which metadata such as the
provenance would survive.
"""

import hashlib
import zlib
from pathlib import Path
from typing import BinaryIO

_KIND = bytes.fromhex("8d1f3a5e6b7c4f0e9a2b4c6d8e0f1a3c")  # ours alone, drawn once
_SIZE = (8 + 16 + 32).to_bytes(4, "big")
_BOX = _SIZE + b"free" + _KIND
_BOXES = (_BOX, _SIZE + b"uuid" + _KIND)  # and that of clips before 0.3
_PNG = b"\x89PNG\r\n\x1a\n"
_CHUNK = (32).to_bytes(4, "big") + b"clPR"  # private, and not to be copied by who edits the file
_END = bytes(4) + b"IEND" + zlib.crc32(b"IEND").to_bytes(4, "big")
_BLOCK = 1 << 20


def seal(path: Path) -> None:
    """Add the seal to the PNG or MP4 at ``path``, which bears none yet."""
    with path.open("rb+") as file:
        body = _size(file) - (len(_END) if _is_png(file) else 0)
        mark = _mark(file, body)
        file.seek(body)
        file.write(mark)


def is_sealed(path: Path) -> bool:
    """Tell whether ``path`` is a file that we finished, every byte as it was. Reads all of it."""
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            body = _size(file) - (len(_CHUNK) + 36 + len(_END) if _is_png(file) else len(_BOX) + 32)
            if body < 0:
                return False
            mark = _mark(file, body)
            file.seek(body)
            found = file.read()
        return found == mark or found in {box + mark[len(_BOX) :] for box in _BOXES}
    except OSError:
        return False


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)


def _is_png(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(len(_PNG)) == _PNG


def _mark(file: BinaryIO, body: int) -> bytes:
    """Return what belongs behind the first ``body`` bytes of ``file``."""
    found = hashlib.sha256()
    file.seek(0)
    for start in range(0, body, _BLOCK):
        found.update(file.read(min(_BLOCK, body - start)))
    if not _is_png(file):
        return _BOX + found.digest()
    check = zlib.crc32(_CHUNK[4:] + found.digest())
    return _CHUNK + found.digest() + check.to_bytes(4, "big") + _END
