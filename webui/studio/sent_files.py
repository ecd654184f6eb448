"""Files of the Studio's visitors: uploads that a page refers to, and bytes inside a request."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.domain.media import MediaFile, MediaKind
from core.domain.media_cut import MediaCut
from core.domain.modes import MODES, Mode
from core.errors import ClapperError, MediaGone
from core.runtime.atomic_files import sha256_of
from core.service.user_files import UserFiles
from webui.auth.uploads import Uploads
from webui.auth.visitors import Visitor


@dataclass(frozen=True, slots=True)
class CutUpload:
    """The path of an upload of which a part is used."""

    path: str
    cut: MediaCut


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that came once more, under a key that is known: it was read, and nothing is kept."""

    sha256: str


# the path of an upload, whole or in part, or what came with a request itself
SentFile = str | CutUpload | ReadFile | bytes | None


def path_of(given: SentFile) -> str | None:
    """Return the path of an upload; None for what came with a request itself."""
    return given.path if isinstance(given, CutUpload) else given if isinstance(given, str) else None


class SentFiles:
    """Takes in what visitors send, each upload once."""

    def __init__(self, files: UserFiles, uploads: Uploads) -> None:
        """Take who admits and keeps files, and whose uploads are whose."""
        self._files = files
        self.uploads = uploads

    async def admit(
        self, mode: Mode, sent: Mapping[str, SentFile], visitor: Visitor
    ) -> dict[str, MediaFile]:
        """Admit the uploads and bytes that ``mode`` uses, by role.

        Raises:
            MediaRefused: one cannot be used.
            IntakeClosed: the disk is nearly full.
            ClapperError: either of them; bytes that came before it are let go of.
        """
        found: dict[str, MediaFile] = {}
        for slot in MODES[mode].every_slot:
            if given := sent.get(slot.role):
                try:
                    found[slot.role] = await self._admit(given, slot.role, slot.kind, visitor)
                except ClapperError:
                    await self.release_bytes(sent, found, visitor)
                    raise
        return found

    async def digests(
        self, mode: Mode, sent: Mapping[str, SentFile], visitor: Visitor
    ) -> dict[str, str] | None:
        """Return the digest of each file as it was sent, by role; None where one is gone."""
        found: dict[str, str] = {}
        for slot in MODES[mode].every_slot:
            if given := sent.get(slot.role):
                try:
                    found[slot.role] = await self._digest(given, slot.role, visitor)
                except (MediaGone, OSError):
                    return None
        return found

    async def _digest(self, given: SentFile, role: str, visitor: Visitor) -> str:
        """Return the digest of what was sent.

        Raises:
            MediaGone: it is not here any more.
            OSError: it cannot be read.
        """
        if isinstance(given, ReadFile):
            return given.sha256
        if isinstance(given, bytes):
            return await asyncio.to_thread(lambda: hashlib.sha256(given).hexdigest())
        source = self.uploads.require(path_of(given) or "", role, visitor.requester)
        used = f" {given.cut}" if isinstance(given, CutUpload) else ""
        return await asyncio.to_thread(sha256_of, source) + used

    async def keep_upload(self, path: str, visitor: Visitor) -> None:
        """Note that ``visitor`` sent the file at ``path``; it is kept for a day, over a restart."""
        if await self._files.keep_upload(visitor.caller, Path(path)):
            self.uploads.record(path, visitor.requester)

    async def restore_uploads(self) -> None:
        """Know again whose the uploads are that pages from before this start may refer to."""
        for path, owner in await self._files.uploads_by_owner():
            self.uploads.record(str(path), owner)

    async def release_bytes(
        self, sent: Mapping[str, SentFile], found: Mapping[str, MediaFile], visitor: Visitor
    ) -> None:
        """Let go of files that came in a request itself: no form holds their like."""
        files = [file for role, file in found.items() if isinstance(sent.get(role), bytes)]
        await self._files.release(visitor.caller, files)

    async def _admit(
        self, given: SentFile, role: str, kind: MediaKind, visitor: Visitor
    ) -> MediaFile:
        """Admit one file.

        Raises:
            MediaGone: it is not kept here.
            MediaRefused: it cannot be used.
            IntakeClosed: the disk is nearly full.
        """
        if isinstance(given, ReadFile):
            raise MediaGone(role)  # with the job that was known, which was deleted meanwhile
        if given is None or isinstance(given, bytes):
            return await self._files.admit_bytes(visitor.caller, given or b"", role, kind)
        cut = given.cut if isinstance(given, CutUpload) else None
        source = self.uploads.require(path_of(given) or "", role, visitor.requester)
        known = self.uploads.admitted(source, kind, cut)
        if known is None or not self._files.present(known):
            known = await self._files.admit(visitor.caller, source, role, kind, cut)
            self.uploads.remember_admitted(source, kind, known, cut)
        return known
