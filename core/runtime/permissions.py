"""File permissions: our files for this account alone, a person's output as their umask says.

The umask belongs to the whole process, so it is set in one place, where a process begins.
"""

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_PEOPLES_FILE, _PEOPLES_FOLDER = 0o666, 0o777  # less their umask, as every program does
_before: list[int] = []  # the umask that the person has, while ours is in force


@contextmanager
def private_files() -> Generator[None]:
    """Let whatever is made inside the block be for this account alone."""
    _before.append(os.umask(0o077))
    try:
        yield
    finally:
        os.umask(_before.pop())


def hand_over(path: Path) -> None:
    """Give ``path``, a file or folder made for a person, the rights that they make files with."""
    if _before:
        with suppress(OSError):  # a file system without rights
            path.chmod((_PEOPLES_FOLDER if path.is_dir() else _PEOPLES_FILE) & ~_before[0])


def make_folder_for_people(folder: Path) -> None:
    """Make ``folder`` and what is missing above it, with the rights that a person's have."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        hand_over(path)


def make_private_folder(folder: Path) -> None:
    """Make ``folder`` for this account alone; one that is there keeps its rights."""
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)


def make_private(folder: Path, leave: frozenset[str] = frozenset()) -> None:
    """Take the rights of others from ``folder`` and all in it; links are not followed.

    Args:
        folder: of ours.
        leave: names directly in it whose contents belong to somebody else too.
    """
    _narrow(folder)
    for entry in _entries(folder):
        if entry.is_symlink():
            continue
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False) and entry.name not in leave:
            make_private(path)
        elif entry.name not in leave:
            _narrow(path)


def _narrow(path: Path) -> None:
    with suppress(OSError):  # gone meanwhile, or another account's
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode & 0o077:
            path.chmod(mode & PRIVATE_FOLDER)


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from entries
