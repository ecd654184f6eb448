"""Bring the admitted inputs of jobs to this node, and make small pictures of them."""

import asyncio
import os
import shutil
from pathlib import Path

from core.domain.media import MediaFile
from core.errors import MediaGone
from core.errors.artefacts import ArtefactGone
from core.interfaces.artefacts import Artefacts, name_of_input
from core.media.thumbnails import thumbnail


class InputReader:
    """Reads the inputs of jobs that a caller may see; who that is, others ask."""

    def __init__(self, artefacts: Artefacts) -> None:
        self._artefacts = artefacts

    async def path_of(self, file: MediaFile) -> Path:
        """Return where ``file`` lies on this node, fetched if need be.

        Raises:
            MediaGone: it was deleted.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        try:
            return await self._artefacts.local(name_of_input(file), file.sha256)
        except ArtefactGone:
            raise MediaGone(file.kind) from None

    async def copy(self, file: MediaFile, target: Path) -> None:
        """Put ``file`` at ``target`` as well, without a second copy on the disk where that goes.

        Raises:
            MediaGone: it was deleted.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        with self._artefacts.in_use(name_of_input(file)):
            await asyncio.to_thread(_copy, await self.path_of(file), target)

    async def thumbnail(self, file: MediaFile) -> bytes:
        """Return a small JPEG of a picture, or of the beginning of a film.

        Raises:
            MediaGone: it was deleted, or has no picture.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        with self._artefacts.in_use(name_of_input(file)):
            small = await asyncio.to_thread(thumbnail, await self.path_of(file), file)
        if small is None:
            raise MediaGone(file.kind)
        return small


def _copy(path: Path, target: Path) -> None:
    try:
        os.link(path, target)  # nothing that has a name is ever written to again
    except OSError:
        shutil.copyfile(path, target)
