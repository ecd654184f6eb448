"""The finished clips of a caller: who may not see the job is refused before anything is read."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from core.domain.jobs import Job
from core.domain.media import Clip
from core.domain.people import Caller
from core.service.clips import ClipReader


class UserClips:
    """Gives clips to those who may see their jobs."""

    def __init__(self, visible: Callable[[Caller, str], Awaitable[Job]], clips: ClipReader) -> None:
        """Take what returns a job that a caller may see, or refuses."""
        self._visible = visible
        self._clips = clips

    async def get(self, caller: Caller, job_id: str) -> Clip:
        """Return the finished video of a job, whose files are on this node.

        Raises:
            JobUnknown: there is none.
            NotYours: it belongs to somebody else.
            NothingToFetch: not finished, or deleted since.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        return await self._clips.clip_of(await self._visible(caller, job_id))

    async def still(self, caller: Caller, job_id: str) -> Path | None:
        """Return the poster of a finished clip; None where there is none, or not just now.

        Raises:
            JobUnknown: there is no such job.
            NotYours: it belongs to somebody else.
        """
        return await self._clips.still_of(await self._visible(caller, job_id))

    async def last_frame(self, caller: Caller, job_id: str, folder: Path) -> Path:
        """Write the last frame of a finished clip into ``folder``.

        Raises:
            JobUnknown: there is none.
            NotYours: it belongs to somebody else.
            NothingToFetch: not finished, or deleted since.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        return await self._clips.last_frame_of(await self._visible(caller, job_id), folder)

    @property
    def linkable(self) -> bool:
        """Tell whether :meth:`link` may find an address: clips do not lie on this node alone."""
        return self._clips.linkable

    async def link(
        self, caller: Caller, job_id: str, save_as: str = "", *, poster: bool = False
    ) -> str | None:
        """Return an address of the clip that works for ten minutes, whoever has it.

        Args:
            caller: who asks.
            job_id: of the clip.
            save_as: the name under which a browser saves it; empty: it is shown.
            poster: its poster instead.

        Returns:
            None where clips are read through this node: ask :meth:`get`.

        Raises:
            JobUnknown: there is none.
            NotYours: it belongs to somebody else.
            NothingToFetch: not finished.
        """
        job = await self._visible(caller, job_id)
        return await self._clips.link_to(job, save_as, poster=poster)
