"""Remove what the store no longer needs: unfinished downloads, files of older pins, broken links.

Only names of the family are ever touched; the hub cache belongs to other programs as well.
"""

import glob
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.models.catalog import ModelFile
from core.models.errors import FileNotRemoved
from core.models.store import FileLocation, ModelStore

_LEFT = re.compile(r"\.([0-9a-f]{32}|\d+)\.new$")  # of core.models.links; \d: before


class GarbageReason(StrEnum):
    """Why something may be removed."""

    UNFINISHED = "unfinished"
    UNUSED = "unused"
    DANGLING = "dangling"


@dataclass(frozen=True, slots=True)
class Garbage:
    """One thing to remove and the bytes that it frees."""

    path: Path
    kind: GarbageReason
    size_bytes: int


def garbage(store: ModelStore, keep: Iterable[ModelFile]) -> tuple[Garbage, ...]:
    """Find the files of the family that ``keep`` does not need. Touches the disk."""
    kept = {
        found.path.resolve()
        for file in keep
        if (found := store.locate(file)) and found.where is FileLocation.CACHE
    }
    names = {file.repo for file in store.family.all_files()}
    repos = [repo for repo in map(store.cache.repo, names) if os.access(repo, os.R_OK | os.X_OK)]
    known = {file.name for file in store.family.all_files()} | store.family.renamed.keys()
    branches = {file.revision for file in store.family.all_files()}
    unused = [item for repo in repos for item in _unused(repo, known, kept, branches)]
    etags = {file.sha256 for file in store.family.all_files() if file.sha256}
    unfinished = [item for repo in repos for item in _unfinished(store, repo, etags)]
    gone = {item.path.resolve() for item in unused}
    return (*unused, *unfinished, *_left_links(store), *_dangling(store, gone))


def discard(items: Iterable[Garbage]) -> int:
    """Remove ``items`` and return the bytes that became free.

    Raises:
        FileNotRemoved: the system refuses; what came before is gone.
    """
    freed = 0
    for item in items:
        blob = item.path.resolve()
        try:
            item.path.unlink(missing_ok=True)
            if item.kind is GarbageReason.UNUSED and not _pointed_at(blob):
                blob.unlink(missing_ok=True)
        except OSError as error:
            raise FileNotRemoved(str(item.path), error.strerror or "") from None
        freed += item.size_bytes
    return freed


def _unused(repo: Path, known: set[str], kept: set[Path], branches: set[str]) -> Iterator[Garbage]:
    counted: set[Path] = set()
    in_use = _referenced(repo, branches)
    for pointer in sorted(repo.glob("snapshots/*/**/*")):
        blob = pointer.resolve()
        if pointer.name not in known or blob in kept or not pointer.is_file():
            continue
        if pointer.relative_to(repo / "snapshots").parts[0] in in_use:
            continue
        yield Garbage(pointer, GarbageReason.UNUSED, 0 if blob in counted else blob.stat().st_size)
        counted.add(blob)


def _referenced(repo: Path, branches: set[str]) -> set[str]:
    """Find the commits that other programs' refs lead to; those named ``branches`` are ours."""
    refs = repo / "refs"
    paths = (path for path in refs.glob("**/*") if path.is_file())
    return {
        path.read_text("utf-8", errors="replace").strip()
        for path in paths
        if path.relative_to(refs).as_posix() not in branches
    }


def _unfinished(store: ModelStore, repo: Path, etags: set[str]) -> Iterator[Garbage]:
    for partial in sorted(repo.glob("blobs/*.incomplete")):
        ours = partial.name.removesuffix(".incomplete") in etags  # others name theirs further
        if ours and not store.cache.busy(partial):
            yield Garbage(partial, GarbageReason.UNFINISHED, partial.stat().st_size)


def _left_links(store: ModelStore) -> Iterator[Garbage]:
    """Find what a process that was killed while it linked or copied left in ComfyUI's folders."""
    day_ago = time.time() - 86_400
    for file in store.family.all_files():
        place = store.place_of(file)
        for left in sorted(place.parent.glob(f".{glob.escape(place.name)}.*.new")):
            if _LEFT.search(left.name) and left.lstat().st_mtime < day_ago:
                size = 0 if left.is_symlink() else left.lstat().st_size
                yield Garbage(left, GarbageReason.UNFINISHED, size)


def _dangling(store: ModelStore, gone: set[Path]) -> Iterator[Garbage]:
    for file in store.family.all_files():
        place = store.place_of(file)
        if place.is_symlink() and (not place.exists() or place.resolve() in gone):
            yield Garbage(place, GarbageReason.DANGLING, 0)


def _pointed_at(blob: Path) -> bool:
    repo = blob.parent.parent
    return any(pointer.resolve() == blob for pointer in repo.glob("snapshots/*/**/*"))
