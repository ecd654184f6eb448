"""Files of the Studio's visitors: uploads that a page refers to, and bytes inside a request."""

from collections.abc import Mapping
from pathlib import Path

from core.accounts.file_ownership import HOUR_MS, UPLOAD, UPLOAD_MS
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.people import Requester
from core.errors import ClapperError
from core.service.generation import GenerationService
from webui.auth.uploads import Uploads
from webui.auth.visitors import Visitor

SentFile = str | bytes | None  # the path of an upload, or what came with a request itself


class SentFiles:
    """Takes in what visitors send, each upload once."""

    def __init__(self, service: GenerationService, uploads: Uploads, retention_days: float) -> None:
        """Take who admits files, whose uploads are whose, and how long anything is kept."""
        self._service = service
        self.uploads = uploads
        self._keep_ms = min(UPLOAD_MS, round(retention_days * 24 * HOUR_MS))

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
        for slot in MODES[mode].slots:
            if given := sent.get(slot.role):
                try:
                    found[slot.role] = await self._admit(given, slot.role, slot.kind, visitor)
                except ClapperError:
                    await self.release_bytes(sent, found, visitor)
                    raise
        return found

    async def keep_upload(self, path: str, owner: Requester) -> None:
        """Note that ``owner`` sent the file at ``path``; it is kept for a day, over a restart."""
        if await self._service.files.hold([Path(path)], UPLOAD, owner, self._keep_ms):
            self.uploads.record(path, owner)

    async def restore_uploads(self) -> None:
        """Know again whose the uploads are that pages from before this start may refer to."""
        for path, owner in await self._service.files.held_by(UPLOAD):
            self.uploads.record(str(path), owner)

    async def release_bytes(
        self, sent: Mapping[str, SentFile], found: Mapping[str, MediaFile], visitor: Visitor
    ) -> None:
        """Let go of files that came in a request itself: no form holds their like."""
        files = [file for role, file in found.items() if isinstance(sent.get(role), bytes)]
        await self._service.release(files, visitor.requester)

    async def _admit(
        self, given: SentFile, role: str, kind: MediaKind, visitor: Visitor
    ) -> MediaFile:
        if not isinstance(given, str):
            return await self._service.admit_bytes(given or b"", role, kind, visitor.requester)
        source = self.uploads.require(given, role, visitor.requester)
        known = self.uploads.admitted(source, kind)
        if known is None or not self._service.files.present(known):
            known = await self._service.admit(source, role, kind, visitor.requester)
            self.uploads.remember_admitted(source, kind, known)
        return known
