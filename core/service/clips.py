"""Bring finished clips to this node, and prepare them for where a delivery brings them to."""

from contextlib import AbstractContextManager
from pathlib import Path

from core.artefacts.clips import bring_clip
from core.domain.jobs import Job
from core.domain.media import Clip
from core.errors import NothingToFetch
from core.errors.artefacts import ArtefactGone, ArtefactsUnavailable
from core.interfaces.artefacts import Artefacts, names_of_clip
from core.media.output.transcode import fit_clip, last_frame

LINK_S = 600  # how long an address works that a browser was sent to


class ClipReader:
    """Reads the clips of jobs that a caller may see; who that is, others ask."""

    def __init__(self, artefacts: Artefacts) -> None:
        self._artefacts = artefacts

    @property
    def linkable(self) -> bool:
        """Tell whether there may be addresses of clips outside this node."""
        return self._artefacts.shared

    async def clip_of(self, job: Job) -> Clip:
        """Return the finished video of ``job``, whose files are on this node now.

        Raises:
            NothingToFetch: not finished, or deleted since.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        if job.clip is None:
            raise NothingToFetch(job.id)
        try:
            await bring_clip(self._artefacts, job.clip)
        except ArtefactGone:
            raise NothingToFetch(job.id) from None
        return job.clip

    async def still_of(self, job: Job) -> Path | None:
        """Return the poster of a finished clip, which is on this node now; None where none is."""
        if job.clip is None:
            return None
        try:
            return await self._artefacts.local(names_of_clip(job.clip)[1])
        except (ArtefactGone, ArtefactsUnavailable):  # a list is read without it as well
            return None

    def in_use(self, clip: Clip) -> AbstractContextManager[None]:
        """Keep the files of ``clip`` on this node until the block ends."""
        return self._artefacts.in_use(*names_of_clip(clip))

    async def last_frame_of(self, job: Job, folder: Path) -> Path:
        """Write the last frame of the clip of ``job`` into ``folder``.

        Raises:
            NothingToFetch: there is no clip, or not any more.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        clip = await self.clip_of(job)
        with self.in_use(clip):
            return await last_frame(clip.path, folder)

    async def link_to(self, job: Job, save_as: str, *, poster: bool) -> str | None:
        """Return an address of the clip, or of its poster, that works for ten minutes.

        Args:
            job: one that the caller may see.
            save_as: the name under which a browser saves it; empty: it is shown.
            poster: its poster instead of the clip.

        Returns:
            None where there is none: read :meth:`clip_of`.

        Raises:
            NothingToFetch: not finished.
        """
        if job.clip is None:
            raise NothingToFetch(job.id)
        return await self._artefacts.url(names_of_clip(job.clip)[poster], LINK_S, save_as)


async def fitted_clip(clip: Clip, limit_bytes: int) -> Path:
    """Make a copy of ``clip`` that a destination with an upload limit accepts.

    Takes the record: only a delivery that was handed the clip, or a caller who may see it, has one.

    Args:
        clip: a finished clip.
        limit_bytes: what the destination accepts.

    Returns:
        The clip's own path where it fits; otherwise a smaller file beside it, made only once and
        deleted with it.

    Raises:
        ClipTooLarge: no acceptable quality fits.
        OSError: errno ENOSPC, the disk is full.
    """
    return await fit_clip(clip.path, limit_bytes)
