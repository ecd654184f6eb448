"""Files of the Studio's visitors: uploads that a page refers to, and bytes inside a request."""

from collections.abc import Mapping
from pathlib import Path

from core.accounts.file_ownership import HOUR_MS, UPLOAD, UPLOAD_MS
from core.app.core import Core
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.people import Requester
from core.errors import ClapperError
from core.service.generation import GenerationService
from webui.auth.uploads import Uploads
from webui.auth.visitors import Visitor

Sent = str | bytes | None  # the path of an upload, or what came with a request itself


class SentFiles:
    """Knows and admits what visitors send, for :class:`webui.studio.service.StudioCounter`."""

    def __init__(self, core: Core, uploads: Uploads) -> None:
        self.core = core
        self.uploads = uploads

    @property
    def service(self) -> GenerationService:
        """Return the front door of the core."""
        return self.core.service

    async def media(
        self, mode: Mode, sent: Mapping[str, Sent], visitor: Visitor
    ) -> dict[str, MediaFile]:
        """Admit the uploads and bytes that ``mode`` uses, each upload once.

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
        keep_ms = min(UPLOAD_MS, round(self.core.settings.retention.days * 24 * HOUR_MS))
        if await self.service.files.hold([Path(path)], UPLOAD, owner, keep_ms):
            self.uploads.record(path, owner)

    async def restore_uploads(self) -> None:
        """Know again whose the uploads are that pages from before this start may refer to."""
        for path, owner in await self.service.files.held_by(UPLOAD):
            self.uploads.record(str(path), owner)

    async def release_bytes(
        self, sent: Mapping[str, Sent], found: Mapping[str, MediaFile], visitor: Visitor
    ) -> None:
        """Let go of files that came in a request itself: no form holds their like."""
        files = [file for role, file in found.items() if isinstance(sent.get(role), bytes)]
        await self.service.release(files, visitor.requester)

    async def _admit(self, path: Sent, role: str, kind: MediaKind, visitor: Visitor) -> MediaFile:
        if not isinstance(path, str):
            return await self.service.admit_bytes(path or b"", role, kind, visitor.requester)
        source = self.uploads.require(path, role, visitor.requester)
        known = self.uploads.taken(source, kind)
        if not isinstance(known, MediaFile) or not self.service.files.present(known):
            known = await self.service.admit(source, role, kind, visitor.requester)
            self.uploads.take(source, kind, known)
        return known
