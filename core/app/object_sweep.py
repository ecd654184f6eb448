"""Keep a bucket and the rows in step: what no row names goes, what only this node has comes."""

import asyncio
import time
from pathlib import Path

import structlog

from core.accounts.file_ownership import FileOwnership
from core.artefacts.folder import older_here
from core.interfaces.artefacts import CLIPS, MEDIA, Artefacts
from core.runtime import file_names
from core.service.deletion import Eraser
from core.storage import jobs as rows
from core.storage.database import Database
from core.storage.files import clips_named

log = structlog.get_logger(__name__)

UNNAMED_S = 3600.0  # a clip is named within its lease; the rest is for clocks that differ
NAMES = 200  # asked of the database at a time


class ObjectSweep:
    """Looks through a bucket; does nothing where folders keep everything."""

    def __init__(
        self,
        database: Database,
        artefacts: Artefacts,
        files: FileOwnership,
        eraser: Eraser,
        clips_folder: Path,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._files = files
        self._eraser = eraser
        self._clips_folder = clips_folder

    async def sweep(self, now_s: float) -> int:
        """Delete objects older than an hour that no row names; return how many.

        None where the database is not the newest one: its rows know less.

        Raises:
            ArtefactsUnavailable: the bucket cannot be listed, or is not ours any more.
        """
        if not self._artefacts.shared or not self._database.newest:
            return 0
        everything = await self._artefacts.older(now_s + UNNAMED_S)
        await self._upload(set(everything))
        old = await self._artefacts.older(now_s - UNNAMED_S)
        old += await asyncio.to_thread(
            older_here, self._clips_folder.parent, time.time() - UNNAMED_S
        )
        inputs = [name.removeprefix(MEDIA) for name in old if name.startswith(MEDIA)]
        gone = await self._files.discard_named(dict.fromkeys(inputs))
        for stem in await self._unnamed(old):
            await self._eraser.remove_clip(self._clips_folder / f"{stem}.mp4")
            gone += 1
        return gone

    async def _upload(self, there: set[str]) -> None:
        """Put what rows name and only this node has where all nodes look.

        A node whose clips lay in folders before has such files.
        """
        here = await asyncio.to_thread(older_here, self._clips_folder.parent, time.time())
        missing = [name for name in here if name not in there]
        unnamed = await self._unnamed(missing)
        for name in missing:
            path = self._clips_folder.parent / name
            if name.startswith(MEDIA):
                await self._files.share(path)
            elif file_names.clip_stem(path.name) not in unnamed:
                await self._artefacts.put(name, path)

    async def _unnamed(self, names: list[str]) -> set[str]:
        """Return the stems of the clips among ``names`` that no row names, nor will."""
        clips = [name.removeprefix(CLIPS) for name in names if name.startswith(CLIPS)]
        stems = sorted({file_names.clip_stem(name) for name in clips})
        unnamed: set[str] = set()
        for first in range(0, len(stems), NAMES):
            some = stems[first : first + NAMES]
            async with self._database.transaction() as connection:
                named = await clips_named(connection, some)
                for job in await rows.running(connection):  # will be named if they succeed
                    named.add(f"{job.id}.{(job.token or '')[:8]}")
            unnamed.update(stem for stem in some if stem not in named)
        return unnamed
