"""The model store: ensures that files are here, whole, accepted, and where ComfyUI looks.

A file is looked for in ComfyUI's own folder, in a read-only preloaded cache, then in the hub
cache. What is missing is fetched into the hub cache; links do the rest, so nothing lies twice.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from core.domain.progress import Downloading, ProgressSink
from core.errors import ModelUnavailable
from core.errors.setup import DownloadFailed
from core.models.catalog import FAMILY, ModelFamily, ModelFile
from core.models.errors import (
    DiskTooSmall,
    FolderUnwritable,
    HubFileMissing,
    HubFileMoved,
    ModelFileRefused,
    ModelPlaceTaken,
)
from core.models.hub_cache import HubCache, has_size, is_whole
from core.models.hub_client import Hub, RemoteFile
from core.models.licences import Acceptance
from core.models.links import WAYS, Way, is_link_to, link
from core.models.safetensors_header import read_header, refuse_other_formats
from core.runtime.cancellation import CancelToken
from core.runtime.full_disk import NO_ROOM
from core.runtime.threads import finish_in_thread, until_cancelled

_EVENT_S = 0.1  # a progress event at most so often

_log = structlog.get_logger(__name__)


class FileLocation(StrEnum):
    """Where a file was found."""

    OWN = "own"  # a real file in ComfyUI's folder, put there by somebody else
    PRELOADED = "preloaded"
    CACHE = "cache"


@dataclass(frozen=True, slots=True)
class LocatedFile:
    """A whole file on this machine."""

    path: Path
    where: FileLocation


@dataclass(frozen=True, slots=True)
class StoreFolders:
    """The folders of a store."""

    models: Path  # ComfyUI's models folder; gets links only
    cache: Path  # the hub cache that is written
    preloaded: Path | None = None  # a hub cache that is only read


class ModelStore:
    """Files of a family on this machine."""

    def __init__(
        self,
        places: StoreFolders,
        hub: Hub,
        acceptance: Acceptance,
        *,
        family: ModelFamily = FAMILY,
        reserve_bytes: int = 0,
        ways: Sequence[Way] = WAYS,
    ) -> None:
        self.places = places
        self.cache = HubCache(places.cache)
        self.family = family
        self.acceptance = acceptance
        self._preloaded = HubCache(places.preloaded) if places.preloaded else None
        self._hub = hub
        self._reserve_bytes = reserve_bytes  # stays free on the disk
        self._ways = ways
        self._checked: set[tuple[Path, int, int]] = set()

    def place_of(self, file: ModelFile) -> Path:
        """Return where ComfyUI looks for ``file``."""
        return self.places.models / file.folder / file.name

    def locate(self, file: ModelFile) -> LocatedFile | None:
        """Find ``file``, whole, on this machine; None if it is not. Touches the disk."""
        place = self.place_of(file)
        if not place.is_symlink() and is_whole(place, file):
            return LocatedFile(place, FileLocation.OWN)
        if self._preloaded and (path := self._preloaded.find(file)):
            return LocatedFile(path, FileLocation.PRELOADED)
        path = self.cache.find(file)
        return LocatedFile(path, FileLocation.CACHE) if path else None

    def missing(self, files: Iterable[ModelFile]) -> tuple[ModelFile, ...]:
        """List those of ``files`` that are not on this machine. Touches the disk."""
        return tuple(file for file in files if self.locate(file) is None)

    async def require(self, files: Sequence[ModelFile]) -> tuple[Path, ...]:
        """Link ``files`` into ComfyUI's folders, without any download.

        Raises:
            ModelUnavailable: one is not here.
            ModelFileRefused: one is here and not sound.
        """
        missing = await finish_in_thread(self.missing, files)
        if missing:
            raise ModelUnavailable(missing[0].name)
        return await finish_in_thread(self._link_all, files)

    async def ensure(
        self, files: Sequence[ModelFile], on_progress: ProgressSink, cancel: CancelToken
    ) -> tuple[Path, ...]:
        """Fetch what is missing of ``files`` and link all of them into ComfyUI's folders.

        Args:
            files: from :meth:`ModelFamily.files_for`.
            on_progress: gets :class:`Downloading` events, on the event loop.
            cancel: stops within a second; the bytes so far are kept.

        Returns:
            Where ComfyUI finds them, in the order of ``files``.

        Raises:
            LicenceNotAccepted: a download is needed and nobody accepted its terms.
            DownloadFailed: with the reason; see :mod:`core.models.errors`.
            ModelFileRefused: a file is not a sound safetensors file.
            ModelPlaceTaken: another file of that name is in the way.
            Cancelled: by ``cancel``.
        """
        cancel.raise_if_cancelled()
        return await until_cancelled(self._ensure(files, on_progress), cancel)

    async def _ensure(
        self, files: Sequence[ModelFile], on_progress: ProgressSink
    ) -> tuple[Path, ...]:
        for file in files:
            refuse_other_formats(file.name)
        missing = await finish_in_thread(self.missing, files)
        if missing:
            self.acceptance.require(missing)
            remotes = [await self._describe(file) for file in missing]
            left = await finish_in_thread(self._require_room, remotes)
            for index, remote in enumerate(remotes):
                after = sum(left[index + 1 :])
                await self._fetch(remote, _meter(remote, after, on_progress))
        return await finish_in_thread(self._link_all, files)

    async def _describe(self, file: ModelFile) -> RemoteFile:
        try:
            return await self._hub.describe(file)
        except HubFileMissing:
            becomes = self.family.renamed.get(file.name)
            if becomes is None:
                raise
            raise HubFileMoved(file.name, becomes=becomes) from None

    def _require_room(self, remotes: Sequence[RemoteFile]) -> list[int]:
        """Check that the disk has room for ``remotes``; return the bytes that each still needs.

        Raises:
            DiskTooSmall: there is not.
        """
        left = [item.size_bytes - self.cache.kept_bytes(item) for item in remotes]
        need = sum(left)
        free = shutil.disk_usage(_existing(self.cache.root)).free - self._reserve_bytes
        if need > free:
            raise DiskTooSmall(remotes[0].file.name, need_bytes=need, free_bytes=max(0, free))
        return left

    async def _fetch(self, remote: RemoteFile, on_bytes: Callable[[int], None]) -> None:
        _log.info("model_download", file=remote.file.name, bytes=remote.size_bytes)
        try:
            async with self.cache.locked(remote):
                if not await finish_in_thread(has_size, self.cache.blob(remote), remote.size_bytes):
                    partial = self.cache.partial(remote)
                    await self._hub.fetch(remote, partial, on_bytes)
                    await finish_in_thread(_check_fetched, remote, partial)
                await finish_in_thread(self.cache.publish, remote)
        except OSError as error:
            raise self._unstored(remote.file, self.cache.root, error) from None

    def _unstored(self, file: ModelFile, folder: Path, error: OSError) -> DownloadFailed:
        """Return why ``file`` could not be written below ``folder``."""
        if error.errno in NO_ROOM:
            free = shutil.disk_usage(_existing(folder)).free
            return DiskTooSmall(file.name, need_bytes=file.size_bytes, free_bytes=free)
        return FolderUnwritable(file.name, detail=error.strerror or "")

    def _link_all(self, files: Sequence[ModelFile]) -> tuple[Path, ...]:
        return tuple(self._link(file) for file in files)

    def _link(self, file: ModelFile) -> Path:
        found = self.locate(file)
        if found is None:
            raise ModelUnavailable(file.name)
        self._check_header(file, found.path)
        place = self.place_of(file)
        if found.where is FileLocation.OWN or is_link_to(place, found.path):
            return place
        if place.exists() and not place.is_symlink():
            raise ModelPlaceTaken(file.name)
        try:
            link(found.path, place, self._ways)
        except OSError as error:
            raise self._unstored(file, self.places.models, error) from None
        return place

    def _check_header(self, file: ModelFile, path: Path) -> None:
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size)
        if key not in self._checked:
            read_header(path, file.name)
            self._checked.add(key)


def _check_fetched(remote: RemoteFile, partial: Path) -> None:
    try:
        read_header(partial, remote.file.name)
    except ModelFileRefused:
        partial.unlink()
        raise


def _meter(remote: RemoteFile, after: int, on_progress: ProgressSink) -> Callable[[int], None]:
    loop = asyncio.get_running_loop()
    next_at = 0.0

    def tell(done: int) -> None:
        nonlocal next_at
        if loop.time() >= next_at or done == remote.size_bytes:
            next_at = loop.time() + _EVENT_S
            on_progress(Downloading(remote.file.name, done, remote.size_bytes, after))

    return tell


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if os.access(folder, os.F_OK))
