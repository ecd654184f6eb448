"""Verify the model files on this machine against what was published, file by file."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.models.catalog import ModelFile
from core.models.errors import FileNotRemoved, ModelFileRefused
from core.models.links import is_link_to
from core.models.safetensors_header import read_header
from core.models.store import FileLocation, ModelStore
from core.runtime.atomic_files import sha256_of

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Verdict(StrEnum):
    """The result of verifying a file."""

    SOUND = "sound"  # header and hash are right
    UNHASHED = "unhashed"  # header and size are right; nobody published a hash
    ABSENT = "absent"
    MALFORMED = "malformed"  # not a safetensors file, or a truncated one
    ALTERED = "altered"  # other bytes than were published


@dataclass(frozen=True, slots=True)
class FileState:
    """One row of a status table."""

    file: ModelFile
    where: FileLocation | None
    linked: bool  # ComfyUI sees it
    kept_bytes: int  # of an unfinished download


def state_of(store: ModelStore, file: ModelFile) -> FileState:
    """Find where ``file`` is. Reads folders, not files."""
    found = store.locate(file)
    if found is None:
        return FileState(file, None, linked=False, kept_bytes=store.cache.unfinished_bytes(file))
    place = store.place_of(file)
    linked = found.where is FileLocation.OWN or is_link_to(place, found.path)
    return FileState(file, found.where, linked=linked, kept_bytes=0)


def verify_file(store: ModelStore, file: ModelFile) -> Verdict:
    """Compare ``file`` with what was published. Reads all of it: minutes for large ones."""
    found = store.locate(file)
    if found is None:
        return Verdict.ABSENT
    try:
        read_header(found.path, file.name)
    except ModelFileRefused:
        return Verdict.MALFORMED
    published = file.sha256 or _hash_in_name(found.path.resolve())
    if published is None:
        return Verdict.UNHASHED
    try:
        return Verdict.SOUND if sha256_of(found.path) == published else Verdict.ALTERED
    except OSError:  # a disk that fails in the middle of it
        return Verdict.MALFORMED


def remove_model_file(store: ModelStore, file: ModelFile) -> bool:
    """Remove a damaged ``file`` from the hub cache, so that it can be fetched again.

    Returns:
        False where the file is not ours to remove: preloaded, or put there by somebody else.

    Raises:
        FileNotRemoved: the cache cannot be written.
    """
    found = store.locate(file)
    if found is None or found.where is not FileLocation.CACHE:
        return False
    blob = found.path.resolve()
    try:
        found.path.unlink()
        blob.unlink(missing_ok=True)
    except OSError as error:
        raise FileNotRemoved(str(found.path), error.strerror or "") from None
    return True


def _hash_in_name(blob: Path) -> str | None:
    return blob.name if _SHA256.fullmatch(blob.name) else None
