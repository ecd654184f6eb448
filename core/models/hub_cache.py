"""The hub cache on the disk, in huggingface_hub's own layout, so that every tool shares it.

``models--org--name/blobs/<etag>`` holds bytes, ``snapshots/<commit>/<path>`` points to them and
``refs/<branch>`` holds a commit. The etag of a large file is its SHA-256, so a file that we know by
hash is found in a cache of any revision.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from filelock import lock_descriptor
from huggingface_hub import try_to_load_from_cache

from core.models.catalog import ModelFile
from core.models.hub_client import RemoteFile
from core.models.links import COPY, HARDLINK, link, relative_symlink
from core.runtime.atomic_files import write_atomically
from core.runtime.permissions import hand_over, make_folder_for_people

_POLL_S = 0.2

_log = structlog.get_logger(__name__)


def folder_name(repo: str) -> str:
    """Return the folder of a model repository inside a hub cache."""
    return "--".join(("models", *repo.split("/")))


def has_size(path: Path, size_bytes: int) -> bool:
    """Tell whether ``path`` is a file of exactly ``size_bytes``."""
    try:
        return path.is_file() and path.stat().st_size == size_bytes
    except OSError:
        return False


def is_whole(path: Path, file: ModelFile) -> bool:
    """Tell whether ``path`` is a file that has the size of ``file``."""
    try:
        return path.is_file() and file.may_be(path.stat().st_size)
    except OSError:
        return False


class HubCache:
    """One hub cache. All methods but :meth:`locked` touch the disk: call them in a thread."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def repo(self, name: str) -> Path:
        """Return the folder of the repository called ``name``."""
        return self.root / folder_name(name)

    def find(self, file: ModelFile) -> Path | None:
        """Find ``file``, whole, by its revision or by its hash; None if it is nowhere."""
        found = try_to_load_from_cache(
            file.repo, file.path, cache_dir=self.root, revision=file.revision
        )
        if isinstance(found, str) and is_whole(Path(found), file):
            return Path(found)
        if file.sha256 is not None:
            blob = self.repo(file.repo) / "blobs" / file.sha256
            if has_size(blob, file.size_bytes):
                return blob
        return None

    def blob(self, remote: RemoteFile) -> Path:
        """Return the place of the bytes of ``remote``."""
        return self.repo(remote.file.repo) / "blobs" / remote.etag

    def partial(self, remote: RemoteFile) -> Path:
        """Return the place of the bytes while they are fetched."""
        blob = self.blob(remote)
        return blob.with_name(f"{blob.name}.incomplete")

    def kept_bytes(self, remote: RemoteFile) -> int:
        """Count the bytes of ``remote`` that need not be fetched again."""
        if has_size(self.blob(remote), remote.size_bytes):
            return remote.size_bytes
        try:
            return min(self.partial(remote).stat().st_size, remote.size_bytes)
        except OSError:
            return 0

    def unfinished_bytes(self, file: ModelFile) -> int:
        """Count the bytes of an unfinished download of ``file``; 0 where its hash is unknown."""
        partial = self.repo(file.repo) / "blobs" / f"{file.sha256}.incomplete"
        try:
            return partial.stat().st_size
        except OSError:  # also where nobody may look
            return 0

    def publish(self, remote: RemoteFile) -> Path:
        """Turn the whole partial file, or the blob already there, into a file of the cache."""
        blob = self.blob(remote)
        if self.partial(remote).exists():
            self.partial(remote).replace(blob)
        repo = self.repo(remote.file.repo)
        pointer = repo / "snapshots" / remote.commit / remote.file.path
        make_folder_for_people(pointer.parent)
        link(blob, pointer, (("relative symlink", relative_symlink), HARDLINK, COPY))
        if remote.file.revision != remote.commit:
            ref = repo / "refs" / remote.file.revision
            make_folder_for_people(ref.parent)
            write_atomically(ref, remote.commit, 0o666)  # other tools read it too
            hand_over(ref)
        return pointer

    def busy(self, blob: Path) -> bool:
        """Tell whether some process fetches ``blob``, or a partial file of it, right now."""
        lock = self.root / ".locks" / blob.parent.parent.name / f"{blob.name.split('.')[0]}.lock"
        if not lock.exists():
            return False
        handle = os.open(lock, os.O_RDWR)
        try:
            return not _try_lock(handle)
        finally:
            os.close(handle)

    @asynccontextmanager
    async def locked(self, remote: RemoteFile) -> AsyncGenerator[None, None]:
        """Hold the lock that huggingface_hub takes for the same blob, across processes."""
        folder = self.root / ".locks" / folder_name(remote.file.repo)
        handle = await asyncio.to_thread(_open_lock, folder / f"{remote.etag}.lock")
        try:
            while not _try_lock(handle):  # noqa: ASYNC110  # no event crosses processes
                await asyncio.sleep(_POLL_S)
            yield
        finally:
            os.close(handle)


def _open_lock(path: Path) -> int:
    make_folder_for_people(path.parent)
    fresh = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o664)
    if fresh:
        hand_over(path)
    return handle


def _try_lock(handle: int) -> bool:
    try:
        return lock_descriptor(handle, blocking=False)
    except OSError as error:  # some network file systems have no locks; a second fetch is harmless
        _log.warning("hub_cache_without_locks", reason=error.strerror)
    return True
