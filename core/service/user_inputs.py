"""The inputs of a caller's jobs: shown to their owner alone, an operator's right does not help."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from core.domain.jobs import Job
from core.domain.media import MediaFile
from core.domain.people import Caller
from core.errors import MediaGone
from core.service.inputs import InputReader


class UserInputs:
    """Gives inputs to those whose jobs they are."""

    def __init__(self, own: Callable[[Caller, str], Awaitable[Job]], inputs: InputReader) -> None:
        """Take what returns a job of a caller's own, or refuses."""
        self._own = own
        self._inputs = inputs

    async def get(self, caller: Caller, job_id: str, role: str) -> MediaFile:
        """Return what a job of the caller was given in ``role``.

        Raises:
            JobUnknown: there is no such job.
            NotYours: it belongs to somebody else.
            MediaGone: it was given nothing there.
        """
        job = await self._own(caller, job_id)
        file = job.asked.media().get(role) if job.asked else None
        if file is None:
            raise MediaGone(role)
        return file

    async def copy(self, caller: Caller, job_id: str, role: str, target: Path) -> MediaFile:
        """Put what a job of the caller was given in ``role`` at ``target`` as well.

        Raises:
            JobUnknown, NotYours: there is no such job, or it belongs to somebody else.
            MediaGone: it was given nothing there, or it was deleted.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        file = await self.get(caller, job_id, role)
        await self._inputs.copy(file, target)
        return file

    async def thumbnail(self, file: MediaFile) -> bytes:
        """Return a small JPEG of ``file``, which :meth:`get` gave.

        Raises:
            MediaGone: it was deleted, or has no picture.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        return await self._inputs.thumbnail(file)
