"""Write files atomically: beside their place, synced, then renamed into it.

Every file that is read back as the truth is written here: a crash, a full disk or a second process
leaves the older content or the newer one, never a part of it.
"""

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from uuid import uuid4

from filelock import lock_descriptor

from core.runtime import file_names

PART = ".part-"  # begins the name of every unfinished file, see core.runtime.file_names
_POLL_S = 0.01  # a writer holds a folder for about as long as it takes to sync a small file


def part_beside(target: Path) -> Path:
    """Make up a new hidden name in the folder of ``target``, with the same suffix."""
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
    sync_to_disk(part)
    part.replace(target)
    sync_to_disk(target.parent)


def write_atomically(target: Path, data: bytes | str, mode: int = 0o600) -> None:
    """Write ``data`` to ``target``, whole or not at all; an older file is replaced at once.

    Args:
        target: its folder has to exist. Where it is a link, the file behind it is replaced.
        data: all of the content; text becomes UTF-8.
        mode: rights of a new file, less the umask of the process.

    Raises:
        OSError: it cannot be written, e.g. the disk is full; the older file is untouched.
    """
    target = target.resolve()
    with only_writer_of(target):
        replace_whole(target, data, mode)


@contextmanager
def only_writer_of(target: Path) -> Generator[None]:
    """Hold the folder of ``target`` against other writers, for reading and then writing it.

    Processes and threads wait for each other; inside, write with :func:`replace_whole`. Where the
    file system has no locks, nobody is held.
    """
    folder = os.open(target.resolve().parent, os.O_RDONLY)
    try:
        with suppress(OSError):
            lock_descriptor(folder, poll_interval=_POLL_S)
        yield
    finally:
        os.close(folder)


def replace_whole(target: Path, data: bytes | str, mode: int = 0o600) -> None:
    """Do what :func:`write_atomically` does, for who holds :func:`only_writer_of` already.

    Raises:
        OSError: as there.
    """
    target = target.resolve()
    content = data.encode() if isinstance(data, str) else data
    for left in target.parent.glob(f"{PART}*-{escape(target.name)}"):
        left.unlink(missing_ok=True)  # of a process that was killed; a secret may be in it
    part = target.with_name(f"{PART}{uuid4().hex}-{target.name}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        _keep_owner(part, target)
        publish(part, target)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def remove_parts(folder: Path) -> int:
    """Remove what a crash left unfinished in ``folder``; only while nobody else writes there.

    Returns:
        How many files went.
    """
    parts = file_names.entries_of(folder, file_names.PART)
    for part in parts:
        part.unlink(missing_ok=True)
    return len(parts)


def sha256_of(path: Path) -> str:
    """Hash the bytes of ``path``: its SHA-256, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep_owner(part: Path, target: Path) -> None:
    """Give ``part`` to whom ``target`` belongs, where root writes for a service."""
    with suppress(OSError):
        before = target.stat()
        if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(part, before.st_uid, before.st_gid)


def sync_to_disk(path: Path) -> None:
    """Wait until ``path``, a file or a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
