"""Make one file appear in a second place, without a copy where the file system allows it."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import structlog

Way = tuple[str, Callable[[Path, Path], object]]


def _hardlink(source: Path, place: Path) -> None:
    place.hardlink_to(source.resolve())


def _symlink(source: Path, place: Path) -> None:
    place.symlink_to(source.absolute())  # a relative one would be read from the folder of the link


SYMLINK: Way = ("symlink", _symlink)
HARDLINK: Way = ("hardlink", _hardlink)
COPY: Way = ("copy", shutil.copyfile)
WAYS: Sequence[Way] = (SYMLINK, HARDLINK, COPY)

_log = structlog.get_logger(__name__)


def relative_symlink(source: Path, place: Path) -> None:
    """Make ``place`` a link that survives a move of the folder that holds both."""
    place.symlink_to(os.path.relpath(source, place.parent))


def link(source: Path, place: Path, ways: Sequence[Way] = WAYS) -> str:
    """Make ``source`` appear at ``place``, replacing what is there in one step.

    Args:
        source: an existing file.
        place: where it should appear; its folder is made.
        ways: what to try, best first. A symbolic link fails on Windows without the right and on
            FAT, a hard link across file systems; a copy costs the bytes again.

    Returns:
        The name of the way that worked.

    Raises:
        OSError: no way worked; this is the error of the last.
        ValueError: no way was given.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.{uuid4().hex}.new")
    for name, make in ways:
        try:
            make(source, fresh)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            if name == ways[-1][0]:
                raise
            _log.warning("model_link_fallback", way=name, reason=error.strerror or str(error.errno))
        else:
            fresh.replace(place)
            return name
    raise ValueError("no way to link was given")


def is_link_to(place: Path, source: Path) -> bool:
    """Tell whether ``place`` shows the bytes of ``source`` without being a copy."""
    try:
        return place.samefile(source)
    except OSError:
        return False
