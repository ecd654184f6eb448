"""What a visitor's clip came from: its relatives, its inputs, and its settings for another one."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from core.domain.media import MediaFile
from core.domain.requests import Request
from core.errors import ClapperError, MediaGone
from core.service.front_services import FrontServices
from core.service.user_gallery import JobLineage
from webui.auth.visitors import Visitor
from webui.studio.sent_files import SentFiles

_KEPT = 500  # small pictures, about 4 kB each


@dataclass(frozen=True, slots=True)
class ReusedFiles:
    """Inputs of a job as uploads of its owner, by role, and the roles whose file is gone."""

    paths: dict[str, Path]
    gone: tuple[str, ...]


class ClipSources:
    """Answers the owner of a job alone: an operator has no part in it."""

    def __init__(self, services: FrontServices, files: SentFiles) -> None:
        """Take the service, and what keeps uploads."""
        self._users = services.users
        self._folder = services.settings.uploads_folder
        self._files = files
        self._small: OrderedDict[str, bytes] = OrderedDict()  # by the name of the input

    async def lineage(self, job_id: str, visitor: Visitor) -> JobLineage:
        """Return what a job was made from, and what was made from it.

        Raises:
            JobUnknown, NotYours: there is none, or it belongs to somebody else.
        """
        return await self._users.gallery.lineage(visitor.caller, job_id)

    async def input(self, job_id: str, role: str, visitor: Visitor) -> MediaFile:
        """Return what a job was given in ``role``.

        Raises:
            JobUnknown, NotYours: there is none, or it belongs to somebody else.
            MediaGone: it was given nothing there.
        """
        return await self._users.inputs.get(visitor.caller, job_id, role)

    async def thumbnail(self, file: MediaFile) -> bytes:
        """Return a small JPEG of what :meth:`input` gave.

        Raises:
            MediaGone: it was deleted, or has no picture.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        small = self._small.pop(file.name, None)
        if small is None:
            small = await self._users.inputs.thumbnail(file)
        self._small[file.name] = small
        while len(self._small) > _KEPT:
            self._small.popitem(last=False)
        return small

    async def request(self, job_id: str, visitor: Visitor) -> Request:
        """Return what was asked for.

        Raises:
            JobUnknown, NotYours: there is none, or it belongs to somebody else.
            RequestUnreadable: this version cannot read it.
        """
        return (await self._users.gallery.own(visitor.caller, job_id)).request

    async def files(self, job_id: str, request: Request, visitor: Visitor) -> ReusedFiles:
        """Put the inputs of a job among the uploads of its owner, as far as they are there."""
        paths: dict[str, Path] = {}
        gone: list[str] = []
        for role, file in request.media().items():
            try:
                paths[role] = await self._upload(job_id, role, file, visitor)
            except (ClapperError, OSError):
                gone.append(role)
        return ReusedFiles(paths, tuple(gone))

    async def _upload(self, job_id: str, role: str, file: MediaFile, visitor: Visitor) -> Path:
        if not self._users.files.has_room(file.size_bytes):
            raise MediaGone(role)
        folder = self._folder / uuid4().hex
        folder.mkdir(parents=True)
        path = folder / f"{role}{file.suffix}"
        try:
            await self._users.inputs.copy(visitor.caller, job_id, role, path)
        except (ClapperError, OSError):
            folder.rmdir()
            raise
        await self._files.keep_upload(str(path), visitor)
        self._files.uploads.remember_admitted(path, file.kind, file)
        return path
