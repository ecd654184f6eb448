"""Lay out one commit from an archive over HTTPS: where git is missing, or gets no answer.

The pin names the commit's tree, so whatever the archive holds is the pinned content or is thrown
away before anything of it is imported.
"""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

import httpx2
import structlog

from core.comfy.install.checkout import CheckoutOutcome, is_ours, mark_as_ours
from core.comfy.install.errors import (
    ArchiveAltered,
    ArchiveOffline,
    CheckoutDiskFull,
    CheckoutUnwritable,
)
from core.comfy.install.pins import Pin
from core.comfy.install.room import CHECKOUT_BYTES, free_bytes
from core.comfy.install.tree_hash import EMPTY_TREE, tree_hash
from core.errors.setup import CheckoutForeign
from core.runtime.full_disk import NO_ROOM

_log = structlog.get_logger(__name__)
_MOST_BYTES = 500_000_000  # of the archive; ComfyUI's has about 20 MB
_PATIENCE = httpx2.Timeout(60.0, connect=10.0)  # s


def unpack(pin: Pin, folder: Path) -> CheckoutOutcome:
    """Bring ``folder`` to the content of ``pin``; what lies there already is left alone.

    Raises:
        CheckoutForeign: the folder is not ours.
        ArchiveOffline: the archive is not to be had.
        ArchiveAltered: it is not the content of the commit.
        CheckoutDiskFull: it does not fit.
        CheckoutUnwritable: the folder cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()) and not is_ours(folder):
        raise CheckoutForeign(str(folder))
    try:
        if folder.is_dir() and tree_hash(folder) == pin.tree:
            return CheckoutOutcome.ALREADY
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside,
            TemporaryFile(dir=beside) as file,
        ):
            _download(pin, file)
            _lay_out(pin, file, Path(beside), folder)
    except OSError as error:
        what, detail, path = pin.name, error.strerror or "", str(folder)
        if error.errno not in NO_ROOM:
            raise CheckoutUnwritable(what, detail=detail, path=path) from None
        free = free_bytes(folder)
        raise CheckoutDiskFull(
            what, detail=detail, path=path, need_bytes=CHECKOUT_BYTES, free_bytes=free
        ) from None
    _log.info("unpacked", name=pin.name, tree=pin.tree)
    return CheckoutOutcome.DONE


def _download(pin: Pin, file: IO[bytes]) -> None:
    """Fetch the archive into ``file``.

    Raises:
        ArchiveOffline: nobody answers, or with something else.
    """
    try:
        with httpx2.stream("GET", pin.archive, timeout=_PATIENCE, follow_redirects=True) as answer:
            answer.raise_for_status()
            for block in answer.iter_bytes():
                file.write(block)
                if file.tell() > _MOST_BYTES:
                    raise ArchiveOffline(pin.name, detail="too large", source=pin.archive)
    except httpx2.HTTPError as error:
        detail = type(error).__name__
        raise ArchiveOffline(pin.name, detail=detail, source=pin.archive) from None
    file.seek(0)


def _lay_out(pin: Pin, file: IO[bytes], beside: Path, folder: Path) -> None:
    """Unpack ``file`` beside ``folder``, and put it there once it is what was pinned.

    Raises:
        ArchiveAltered: it is something else.
    """
    fresh = beside / "fresh"
    try:
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            archive.extractall(fresh, filter=_inside)  # noqa: S202  # the filter refuses what leads outside
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, UnicodeError) as error:
        detail = type(error).__name__
        raise ArchiveAltered(pin.name, detail=detail, source=pin.archive) from None
    found = tree_hash(fresh)
    if found != pin.tree:
        raise ArchiveAltered(pin.name, source=pin.archive, found=found)
    mark_as_ours(fresh)
    if folder.is_dir():
        _put_aside(folder)
    fresh.rename(folder)


def _put_aside(folder: Path) -> None:
    """Keep what lay in ``folder`` beside it; without git nobody can tell what was edited there."""
    if tree_hash(folder) != EMPTY_TREE:
        number = 1
        while (kept := folder.with_name(f"{folder.name}-before-{number}")).exists():
            number += 1
        folder.rename(kept)
    else:
        shutil.rmtree(folder)


def _inside(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """Return ``member`` without the folder that such archives have around everything.

    Rights are those of the archive, as git has them; the library refuses what leads outside.
    """
    name = member.name.partition("/")[2]
    if not name:
        return None
    mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return tarfile.data_filter(member.replace(name=name, mode=mode, deep=False), path)
