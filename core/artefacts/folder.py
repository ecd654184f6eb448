"""The folders of the data directory: what is written there is kept there, and nothing is copied."""

import asyncio
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from core.artefacts.names import ORIGINAL, require_name
from core.errors.artefacts import ArtefactGone
from core.interfaces.artefacts import CLIPS, MEDIA
from core.runtime import file_names
from core.runtime.atomic_files import whole_file
from core.runtime.permissions import make_private_folder

FOLDERS = {CLIPS: file_names.CLIP, MEDIA: file_names.MEDIA}


class FolderArtefacts:
    """Implements :class:`core.interfaces.artefacts.Artefacts` for one machine."""

    shared = False

    def __init__(self, data_dir: Path) -> None:
        """Keep everything below ``data_dir``."""
        self._data_dir = data_dir

    async def put(self, name: str, path: Path) -> None:
        """Keep the file at ``path``; one that lies in its place is kept as it is."""
        place = self._place(name)
        if path != place:
            await asyncio.to_thread(_copy, path, place)

    async def local(self, name: str, sha256: str = "") -> Path:
        """Return where the artefact lies.

        Raises:
            ArtefactGone: it does not.
        """
        del sha256  # nothing is fetched
        place = self._place(name)
        if not await asyncio.to_thread(place.is_file):
            raise ArtefactGone(name)
        return place

    @contextmanager
    def in_use(self, *names: str) -> Generator[None]:
        """Do nothing: nothing leaves a folder for want of room."""
        del names
        yield

    async def url(self, name: str, seconds: int, save_as: str = "") -> str | None:
        """Return None: files are read from their folder."""
        await asyncio.sleep(0)
        del name, seconds, save_as

    async def delete(self, name: str) -> None:
        """Delete the file."""
        await asyncio.to_thread(self._place(name).unlink, missing_ok=True)

    async def older(self, than: float) -> list[str]:
        """List the files that were last written before ``than``, without copies of clips."""
        return await asyncio.to_thread(older_here, self._data_dir, than)

    def _place(self, name: str) -> Path:
        return self._data_dir / require_name(name)


def older_here(data_dir: Path, than: float) -> list[str]:
    """List the artefacts below ``data_dir`` that were last written before ``than``."""
    return [
        name
        for folder, shape in FOLDERS.items()
        for path in file_names.older_files(data_dir / folder, than, shape)
        if ORIGINAL.fullmatch(name := f"{folder}{path.name}")
    ]


def _copy(path: Path, place: Path) -> None:
    if place.exists():
        return
    make_private_folder(place.parent)
    with whole_file(place) as part:
        shutil.copyfile(path, part)
