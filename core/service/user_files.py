"""The files of a caller: uploads in the making, before they belong to a job."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.accounts.file_ownership import UPLOAD, UPLOAD_MS, FileOwnership
from core.domain.media import MediaFile, MediaKind
from core.domain.media_cut import MediaCut
from core.domain.people import Caller, Requester
from core.domain.time_units import DAY_MS
from core.service.admission import FileAdmission


class UserFiles:
    """Admits, keeps and releases files on behalf of a caller."""

    def __init__(
        self, admission: FileAdmission, files: FileOwnership, retention_days: float
    ) -> None:
        self._admission = admission
        self._files = files
        self._upload_ms = min(UPLOAD_MS, round(retention_days * DAY_MS))

    async def admit(
        self,
        caller: Caller,
        source: Path,
        role: str,
        kind: MediaKind,
        cut: MediaCut | None = None,
    ) -> MediaFile:
        """Admit an uploaded file (:meth:`core.service.admission.FileAdmission.admit`).

        Raises:
            MediaRefused: with the limit that it breaks.
            MediaGone: it was deleted for somebody else again and again.
            IntakeClosed: the disk is nearly full.
        """
        return await self._admission.admit(source, role, kind, caller.requester, cut)

    async def admit_bytes(
        self, caller: Caller, content: bytes | bytearray, role: str, kind: MediaKind
    ) -> MediaFile:
        """Admit bytes; nothing is written before room, size and format were looked at.

        Raises:
            MediaRefused: with the limit that it breaks.
            IntakeClosed: the disk is nearly full.
        """
        return await self._admission.admit_bytes(content, role, kind, caller.requester)

    async def admit_any(
        self, caller: Caller, source: Path | bytes | bytearray, roles: Mapping[MediaKind, str]
    ) -> MediaFile:
        """Admit a file as the first of several kinds that its bytes can be used as.

        ``roles`` names the slot that it would fill as each kind, the likeliest first.

        Raises:
            MediaRefused: it can be used as none of them.
            IntakeClosed: the disk is nearly full.
        """
        return await self._admission.admit_any(source, roles, caller.requester)

    async def release(self, caller: Caller, files: Iterable[MediaFile]) -> None:
        """Note that the caller's request with ``files`` was accepted or refused."""
        await self._files.release(files, caller.requester)

    async def keep_only(
        self, caller: Caller, files: Iterable[MediaFile], form: str, life_ms: int
    ) -> bool:
        """Keep these admitted files, and no others, for a begun request of the caller.

        Args:
            caller: who began it.
            files: what it needs now; what it needed before and does not any more is removed.
            form: the name of what was begun.
            life_ms: how long they are kept, from now.

        Returns:
            False where one of ``files`` is not there any more.
        """
        return await self._files.hold_only(files, form, caller.requester, life_ms)

    async def keep_upload(self, caller: Caller, path: Path) -> bool:
        """Keep a file as it was sent, for at most a day, over a restart; False if it is gone."""
        return await self._files.hold([path], UPLOAD, caller.requester, self._upload_ms)

    async def uploads_by_owner(self) -> list[tuple[Path, Requester]]:
        """Return what pages from before this start may refer to, and whose it is."""
        return await self._files.held_by(UPLOAD)

    def present(self, file: MediaFile) -> bool:
        """Return whether the admitted ``file`` is there; who holds the record sent it."""
        return self._files.present(file)

    @contextmanager
    def workspace(self) -> Generator[Path]:
        """Give a folder for unfinished files, gone at the end or, at the latest, the next start."""
        with self._admission.workspace() as folder:
            yield folder

    def has_room(self, size_bytes: int = 0) -> bool:
        """Return whether the disk takes ``size_bytes`` more."""
        return self._admission.has_room(size_bytes)

    def refuse_without_room(self, size_bytes: int = 0) -> None:
        """Close the intake while the disk is nearly full.

        Raises:
            IntakeClosed: less would be free than the settings ask for.
        """
        self._admission.refuse_without_room(size_bytes)
