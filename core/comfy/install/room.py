"""Room on the disk for what is installed, and what a full one leaves behind.

The numbers are measured: ComfyUI v0.27.0 takes 33 MB with git's copy, the largest pinned pack 35;
torch with CUDA about 8 GB while it is installed, all other packages 2; small model files for the
trial of all modes 706 MB, their clips some more.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.runtime.full_disk import NO_ROOM

CHECKOUT_BYTES = 40_000_000
TRIAL_BYTES = 1_000_000_000
_TORCH_BYTES, _PACKAGES_BYTES = 8_000_000_000, 2_000_000_000
_SPARE_BYTES = 1_000_000  # where less is free, a program that gave up had no room


def free_bytes(path: Path) -> int:
    """Return what is free on the disk that holds ``path``, or will."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def packages_bytes(what: str) -> int:
    """Return about how much room the group of packages ``what`` takes."""
    return _TORCH_BYTES if what == "torch" else _PACKAGES_BYTES


def fullest(*paths: Path) -> Path:
    """Return that of ``paths`` whose disk has the least room."""
    return min(paths, key=free_bytes)


def is_full(complaint: str, *paths: Path) -> bool:
    """Tell whether a program that wrote to ``paths`` gave up for want of room."""
    said = any(os.strerror(number) in complaint for number in NO_ROOM)
    return said or free_bytes(fullest(*paths)) < _SPARE_BYTES


@contextmanager
def temporary_folder(prefix: str) -> Generator[Path]:
    """Yield a folder that goes when the block ends, whatever its programs left in it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove ``folder`` as far as it goes: what is in the way is told by whoever needs the room."""
    shutil.rmtree(folder, ignore_errors=True)


def remove_files(files: set[Path]) -> None:
    """Remove ``files``; what is gone already, or in the way, stays so."""
    for path in files:
        with suppress(OSError):
            path.unlink()
