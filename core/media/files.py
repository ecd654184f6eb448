"""Whole files or none: written beside their place, synced, then renamed into it."""

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from core import own

PART = ".part-"  # begins the name of every unfinished file, see core.own


def part_beside(target: Path) -> Path:
    """Return a new hidden name in the folder of ``target``, with the same suffix."""
    return target.with_name(f"{PART}{uuid4().hex}{target.suffix}")


@contextmanager
def whole_file(target: Path) -> Generator[Path]:
    """Yield a name to write to; it becomes ``target`` when the block ends without an error.

    Args:
        target: where the finished file shall lie; an older one is replaced at once.

    Yields:
        A name in the same folder. Nothing is left there if the block raises.
    """
    part = part_beside(target)
    try:
        yield part
        publish(part, target)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def publish(part: Path, target: Path) -> None:
    """Make ``part`` durable and move it to ``target`` in one step."""
    _sync(part)
    part.replace(target)
    _sync(target.parent)


def remove_parts(folder: Path) -> int:
    """Remove what a crash left unfinished in ``folder``; only while nobody else writes there.

    Returns:
        How many files went.
    """
    parts = own.entries_of(folder, own.PART)
    for part in parts:
        part.unlink(missing_ok=True)
    return len(parts)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the bytes of ``path``, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
