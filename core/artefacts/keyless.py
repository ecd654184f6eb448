"""Artefacts at a node without a key of the bucket, which keeps what its jobs read for a while.

Belongs here: what both ways to such a node do alike. How an input comes and a clip goes is theirs:
:mod:`core.artefacts.linked` with signatures of others, :mod:`core.gate.artefacts` through the gate.
"""

import asyncio
import hashlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from pathlib import Path

from core.artefacts.cache import NodeCache
from core.artefacts.names import digest_in, require_name
from core.errors.artefacts import ArtefactDamaged
from core.runtime.atomic_files import whole_file
from core.runtime.permissions import make_private_folder

MOST_INPUT_BYTES = 1_000_000_000


class KeylessArtefacts(ABC):
    """Fetches an input once, whoever asks for it meanwhile; lists, signs and sweeps nothing."""

    shared = True

    def __init__(self, cache: NodeCache) -> None:
        """Take the files of this node."""
        self._cache = cache
        self._fetching: dict[str, asyncio.Lock] = {}

    async def local(self, name: str, sha256: str = "") -> Path:
        """Return where an input lies here, fetched if need be; once, whoever asks meanwhile.

        Raises:
            ArtefactGone: there is none, or no job needs it.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        place = self._cache.place(require_name(name))
        lock = self._fetching.setdefault(name, asyncio.Lock())
        try:
            async with lock:
                if not await asyncio.to_thread(self._cache.use, name):
                    await asyncio.to_thread(make_private_folder, place.parent)
                    await self._fetch(name, place, sha256)
        finally:
            if not lock.locked():
                self._fetching.pop(name, None)
        return place

    @abstractmethod
    async def _fetch(self, name: str, place: Path, sha256: str) -> None:
        """Write an input to ``place``, whole and with its content, or not at all."""

    async def _receive(
        self, name: str, place: Path, sha256: str, pieces: AsyncIterator[bytes], size: int = 0
    ) -> None:
        """Write what comes of an input to ``place``, whole and with its content, or not at all.

        Room is made for ``size`` bytes; 0: how many come is not known.

        Raises:
            ArtefactDamaged: it is another content, or more than any input has.
        """
        await asyncio.to_thread(self._cache.make_room, size, _is_kept_elsewhere)
        digest, count = hashlib.sha256(), 0
        with whole_file(place) as part, part.open("wb") as file:
            async for piece in pieces:
                count += len(piece)
                if count > MOST_INPUT_BYTES:
                    raise ArtefactDamaged(name)
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
            if digest.hexdigest() != (digest_in(name) or sha256):
                raise ArtefactDamaged(name)

    def in_use(self, *names: str) -> AbstractContextManager[None]:
        """Keep what :meth:`local` gives for ``names`` on this node until the block ends."""
        return self._cache.in_use(*names)

    async def url(self, name: str, seconds: int, save_as: str = "") -> str | None:
        """Return None: nobody reads from this node."""
        await asyncio.sleep(0)
        del name, seconds, save_as

    async def delete(self, name: str) -> None:
        """Delete the file of this node; what lies elsewhere is swept by who has a key."""
        place = self._cache.place(require_name(name))
        await asyncio.to_thread(place.unlink, missing_ok=True)

    async def older(self, than: float) -> list[str]:
        """Return nothing: this node sweeps nothing."""
        await asyncio.sleep(0)
        del than
        return []


def _is_kept_elsewhere(name: str) -> bool:
    """Tell that another node has what was brought here, or from here, some time ago."""
    del name
    return True
