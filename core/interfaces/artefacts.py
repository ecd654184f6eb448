"""The seam to where clips and inputs are kept: folders here, or a bucket that all nodes share.

An artefact is a finished clip, its poster or an admitted input. Its name is its path below the
data directory, ``clips/…`` or ``media/…``, made by us alone. Rows hold names only; who reads a file
asks for it by :meth:`Artefacts.local` first, on whichever node the reader runs.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from core.domain.jobs import Job
from core.domain.media import Clip, MediaFile

CLIPS, MEDIA = "clips/", "media/"


class Artefacts(Protocol):
    """Keeps artefacts; nothing that has a name is ever written to again."""

    @property
    def shared(self) -> bool:
        """Return whether other nodes reach them too, so that this node may lack some."""
        ...

    async def put(self, name: str, path: Path) -> None:
        """Keep the file at ``path`` under ``name``; what is kept so already stays.

        Raises:
            ArtefactsUnavailable: it cannot be kept just now; nothing has the name.
        """
        ...

    async def local(self, name: str, sha256: str = "") -> Path:
        """Return where the artefact lies on this node, fetched if need be.

        Args:
            name: of the artefact.
            sha256: of its content, where a row says that; what is fetched is checked against it.

        Raises:
            ArtefactGone: there is none.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        ...

    def in_use(self, *names: str) -> AbstractContextManager[None]:
        """Keep what :meth:`local` gives for ``names`` on this node until the block ends."""
        ...

    async def url(self, name: str, seconds: int, save_as: str = "") -> str | None:
        """Return an address at which anybody may read the artefact for ``seconds``.

        Args:
            name: of the artefact.
            seconds: how long the address works.
            save_as: the name under which a browser saves it; empty: it is shown.

        Returns:
            None where there is no such address: read it by :meth:`local`.
        """
        ...

    async def delete(self, name: str) -> None:
        """Delete the artefact everywhere; what is not there is deleted already.

        Raises:
            ArtefactsUnavailable: it may be there still.
        """
        ...

    async def older(self, than: float) -> list[str]:
        """List what was kept before ``than``, epoch seconds.

        Raises:
            ArtefactsUnavailable: nobody can say.
        """
        ...


def names_of_clip(clip: Clip) -> tuple[str, str]:
    """Return the names of a clip and its poster."""
    return f"{CLIPS}{clip.path.name}", f"{CLIPS}{clip.poster.name}"


def name_of_input(file: MediaFile) -> str:
    """Return the name of an admitted input."""
    return f"{MEDIA}{file.name}"


def names_of_inputs(job: Job) -> list[str]:
    """Return the names of the inputs of ``job``; none where this version cannot read it."""
    return [] if job.asked is None else [name_of_input(one) for one in job.asked.media().values()]
