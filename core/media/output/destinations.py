"""Write files where a person asked for them, never over an input or over something of theirs.

Asked before any work, so that no GPU time is spent, and again when the file is put in place. What
may be replaced without a word is what we finished ourselves, untouched since
(:mod:`core.media.output.seal`).
"""

import filecmp
import os
import shutil
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from core.errors import InvalidInput
from core.media.output.seal import is_sealed
from core.runtime.atomic_files import part_beside, sync_to_disk
from core.runtime.paths import readable
from core.runtime.permissions import hand_over, make_folder_for_people


class OutputIsInput(InvalidInput):
    """The result, or its poster, would be written over a file that it is made from."""

    path: str
    instead: str  # what to type


class OutputTaken(InvalidInput):
    """Something lies there that is not an earlier output of ours."""

    path: str
    instead: str


class OutputUnnamed(InvalidInput):
    """The name holds bytes that are no text, so it cannot be kept for a delivery."""

    path: str


class PlaceTaken(FileExistsError):
    """Something of a person's lies at ``filename`` by now."""


def poster_of(clip: Path) -> Path:
    """Return where the poster of ``clip`` goes: the same name, as a PNG."""
    return clip.with_suffix(".png")


def check_clip(file: Path, inputs: Iterable[Path], *, force: bool) -> None:
    """Refuse to put a clip at ``file``, and its poster beside it, over what is a person's.

    Args:
        file: as it was typed.
        inputs: existing files that the clip is made from.
        force: replace other files of theirs; inputs never.

    Raises:
        OutputUnnamed: the name is not text.
        OutputIsInput: one of the two is an input, by whatever name or link.
        OutputTaken: something else lies there.
    """
    _require_text(file)
    target = file.resolve()
    instead = f"-o {readable(free_name(file))}"
    for place in (target, poster_of(target)):
        if any(_same(place, path) for path in inputs):
            raise OutputIsInput(readable(place), instead)
    check_free((target, poster_of(target)), instead, force=force)


def numbered_files(file: Path, count: int) -> list[Path]:
    """Return where ``count`` clips go that are asked for together as ``file``: each its number."""
    if count <= 1:
        return [file]
    return [file.with_name(f"{file.stem}-{n}{file.suffix}") for n in range(1, count + 1)]


def check_clips(file: Path, count: int, inputs: Collection[Path], *, force: bool) -> None:
    """Refuse as :func:`check_clip` does, for each of ``count`` clips (:func:`numbered_files`).

    Raises:
        OutputUnnamed, OutputIsInput, OutputTaken: as there, of the first that cannot be.
    """
    for one in numbered_files(file, count):
        check_clip(one, inputs, force=force)


def check_free(places: Sequence[Path], instead: str, *, force: bool) -> None:
    """Refuse to write to ``places`` where something lies that we did not finish.

    Raises:
        OutputTaken: it does; a folder even with ``force``.
    """
    for place in places:
        if not may_replace(place, force=force):
            raise OutputTaken(readable(place), instead)


def may_replace(place: Path, *, force: bool = False) -> bool:
    """Tell whether a file may be put at ``place``."""
    if not os.path.lexists(place):
        return True
    return not place.is_dir() if force else is_sealed(place)


def free_name(file: Path) -> Path:
    """Find a name like ``file`` at which neither a clip nor a poster lies."""
    number = 1
    while True:
        ending = "-clip" if number == 1 else f"-clip-{number}"
        path = file.with_name(f"{file.stem}{ending}{file.suffix}")
        if not (os.path.lexists(path) or os.path.lexists(poster_of(path))):
            return path
        number += 1


def place_files(
    copies: Sequence[tuple[Path, Path]], *, force: bool, inputs: Iterable[str] = ()
) -> None:
    """Copy files to where a person wants them, all or none, with the rights of their umask.

    Args:
        copies: pairs of an existing file and its place.
        force: replace what a person has there.
        inputs: what :func:`identity` said of files that must stay.

    Raises:
        PlaceTaken: something of theirs lies at a place by now; nothing was changed.
        OSError: a copy cannot be written.
    """
    kept = frozenset(inputs)
    parts: list[tuple[Path, Path]] = []
    try:
        for source, place in copies:
            make_folder_for_people(place.parent)
            parts.append((part_beside(place), place))
            shutil.copyfile(source, parts[-1][0])
            hand_over(parts[-1][0])
            sync_to_disk(parts[-1][0])  # the row that says it is delivered is on the disk, too
        for source, place in copies:
            there = identity(place) in kept or not may_replace(place, force=force)
            if there and not _equal(source, place):  # a repeated delivery finds its own
                raise PlaceTaken(None, None, str(place))
        for part, place in parts:
            _move(part, place)
        for folder in {place.parent for _, place in parts}:
            sync_to_disk(folder)
    finally:
        for part, _ in parts:
            with suppress(FileNotFoundError, IsADirectoryError):
                part.unlink()


def identity(path: Path) -> str:
    """Identify the file at ``path`` independently of its name; empty where there is none."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_dev}:{status.st_ino}"


def _move(part: Path, place: Path) -> None:
    """Move ``part`` to ``place``; what came there since the last look is not replaced.

    Raises:
        PlaceTaken: something did.
    """
    if os.path.lexists(place):
        part.replace(place)
        return
    try:
        place.hardlink_to(part)
    except FileExistsError:
        raise PlaceTaken(None, None, str(place)) from None
    except OSError:  # a file system without hard links
        part.replace(place)


def _equal(one: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()


def _require_text(file: Path) -> None:
    """Do nothing where the whole path is text.

    Raises:
        OutputUnnamed: it is not.
    """
    try:
        str(file.absolute()).encode()
    except UnicodeEncodeError:
        raise OutputUnnamed(readable(file)) from None
