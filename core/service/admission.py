"""Admit the files of people, through every door: refused first, written second."""

import asyncio
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from core.accounts.file_ownership import REQUEST, REQUEST_MS, FileOwnership
from core.domain.media import Clip, MediaFile, MediaKind
from core.domain.media_cut import MediaCut
from core.domain.people import Requester
from core.errors import IntakeClosed, MediaGone, MediaKindRefused, MediaUnreadable
from core.media.intake.formats import Read
from core.media.intake.store import MediaStore
from core.service.views import ServiceRules

_TRIES = 3  # the same content may be deleted for somebody else right after it was admitted


class FileAdmission:
    """Checks, decodes and stores what people send, and keeps it for its owner."""

    def __init__(
        self, media: MediaStore, files: FileOwnership, rules: ServiceRules, work_folder: Path
    ) -> None:
        """Take where unfinished files may lie: ``work_folder`` is emptied at every start."""
        self._media = media
        self._files = files
        self._rules = rules
        self._work_folder = work_folder

    async def admit(
        self,
        source: Path,
        role: str,
        kind: MediaKind,
        owner: Requester,
        cut: MediaCut | None = None,
    ) -> MediaFile:
        """Admit an uploaded file: checked, decoded under limits, re-encoded.

        Args:
            source: where the front stored the bytes; stays the front's.
            role: the slot that it fills, for the refusal's words.
            kind: what the slot takes.
            owner: who sent it; it is kept for their request for an hour, then for its job.
            cut: the part that is used; None: all of it.

        Returns:
            What the request holds.

        Raises:
            MediaRefused: with the limit that it breaks.
            MediaGone: it was deleted for somebody else again and again.
            IntakeClosed: the disk is nearly full.
        """
        self.refuse_without_room()
        for _ in range(_TRIES):
            file = await self._media.admit(source, role, kind, owner.key, cut)
            path = self._media.path_of(file)
            if await self._files.hold([path], REQUEST, owner, REQUEST_MS):
                return file
        raise MediaGone(role)

    async def admit_clip(self, clip: Clip, owner: Requester) -> MediaFile:
        """Admit a finished clip of ours, which lies on this node, as it is.

        Raises:
            MediaGone: it was deleted at this moment.
            IntakeClosed: the disk is nearly full.
        """
        self.refuse_without_room(clip.size_bytes)
        for _ in range(_TRIES):
            try:
                file = await self._media.keep_clip(clip)
            except FileNotFoundError:
                break
            if await self._files.hold([self._media.path_of(file)], REQUEST, owner, REQUEST_MS):
                return file
        raise MediaGone(MediaKind.VIDEO)

    async def admit_any(
        self, source: Path | bytes | bytearray, roles: Mapping[MediaKind, str], owner: Requester
    ) -> MediaFile:
        """Admit a file as the first of several kinds that its bytes can be used as.

        Args:
            source: where it lies, or its bytes.
            roles: the slot that it would fill as each kind, the likeliest first.
            owner: who sent it.

        Raises:
            MediaRefused: it can be used as none of them.
            IntakeClosed: the disk is nearly full.
        """
        read = _reader(source)
        kinds = self._media.usable_kinds(read, tuple(roles)) or tuple(roles)[:1]
        for kind in kinds[:-1]:
            try:
                return await self._admit_as(source, roles[kind], kind, owner)
            except (MediaKindRefused, MediaUnreadable):
                continue  # a film without pictures is a sound
        return await self._admit_as(source, roles[kinds[-1]], kinds[-1], owner)

    async def _admit_as(
        self, source: Path | bytes | bytearray, role: str, kind: MediaKind, owner: Requester
    ) -> MediaFile:
        if isinstance(source, Path):
            return await self.admit(source, role, kind, owner)
        return await self.admit_bytes(source, role, kind, owner)

    async def admit_bytes(
        self, content: bytes | bytearray, role: str, kind: MediaKind, owner: Requester
    ) -> MediaFile:
        """Admit bytes; nothing is written before room, size and format were looked at.

        Raises:
            MediaRefused: with the limit that it breaks.
            IntakeClosed: the disk is nearly full.
        """
        self.refuse_without_room(len(content))
        self._media.check(len(content), _reader(content), role, kind)
        with self.workspace() as folder:
            path = folder / "sent"
            await asyncio.to_thread(_write, path, content)
            return await self.admit(path, role, kind, owner)

    @contextmanager
    def workspace(self) -> Generator[Path]:
        """Give a folder for unfinished files, gone at the end or, at the latest, the next start."""
        self._work_folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._work_folder) as folder:
            yield Path(folder)

    def has_room(self, size_bytes: int = 0) -> bool:
        """Return whether the disk takes ``size_bytes`` more; the intake is closed without room."""
        return self._rules.has_room(size_bytes)

    def refuse_without_room(self, size_bytes: int = 0) -> None:
        """Close the intake while the disk is nearly full, so that accepted jobs can finish.

        Raises:
            IntakeClosed: less would be free than the settings ask for.
        """
        if not self.has_room(size_bytes):
            raise IntakeClosed("disk")


def _reader(source: Path | bytes | bytearray) -> Read:
    """Return what reads parts of a file, or of its bytes."""
    if isinstance(source, Path):
        return partial(_read_file, source)
    return lambda at, count: bytes(source[at : at + count])


def _read_file(path: Path, at: int, count: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(count)


def _write(path: Path, content: bytes | bytearray) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
