"""Artefacts of a rented machine: inputs come from the gate, clips go through it, nothing else is.

Implements :class:`core.interfaces.artefacts.Artefacts`. No key of a bucket is needed.
"""

import asyncio
import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from core.artefacts.cache import NodeCache
from core.artefacts.names import digest_in, require_name
from core.errors import ClapperError
from core.errors.artefacts import ArtefactDamaged, ArtefactGone, ArtefactsUnavailable
from core.errors.gate import GateUnreachable
from core.gate.client import GateClient
from core.interfaces.artefacts import CLIPS
from core.runtime.atomic_files import sha256_of, whole_file
from core.runtime.permissions import make_private_folder

MOST_INPUT_BYTES = 1_000_000_000
GONE = frozenset({404, 410})


class GateArtefacts:
    """Keeps on this machine what its jobs use, as long as there is room."""

    shared = True

    def __init__(self, client: GateClient, cache: NodeCache) -> None:
        self._client = client
        self._cache = cache
        self._fetching: dict[str, asyncio.Lock] = {}

    async def put(self, name: str, path: Path) -> None:
        """Bring a clip or its poster to the gate.

        Raises:
            ArtefactsUnavailable: it did not take it.
        """
        stem, _, kind = require_name(name).removeprefix(CLIPS).rpartition(".")
        digest = await asyncio.to_thread(sha256_of, path)
        try:
            await self._client.upload(stem.partition(".")[0], kind, path, digest)
        except ClapperError as error:
            raise ArtefactsUnavailable(error.code) from error

    async def local(self, name: str, sha256: str = "") -> Path:
        """Return where an input lies here, fetched from the gate if need be.

        Raises:
            ArtefactGone: the gate has none.
            ArtefactsUnavailable: it cannot be fetched just now, or is another content.
        """
        place = self._cache.place(require_name(name))
        lock = self._fetching.setdefault(name, asyncio.Lock())
        async with lock:
            if not await asyncio.to_thread(self._cache.use, name):
                await asyncio.to_thread(make_private_folder, place.parent)
                try:
                    await self._fetch(name, place, sha256 or digest_in(name))
                except (httpx2.HTTPError, OSError, GateUnreachable) as error:
                    raise ArtefactsUnavailable(GateUnreachable.code) from error
        self._fetching.pop(name, None)
        return place

    @contextmanager
    def in_use(self, *names: str) -> Generator[None]:
        """Keep ``names`` here until the block ends."""
        with self._cache.in_use(*names):
            yield

    async def url(self, name: str, seconds: int, save_as: str = "") -> str | None:
        """Return None: nobody reads from this machine."""
        await asyncio.sleep(0)
        del name, seconds, save_as

    async def delete(self, name: str) -> None:
        """Delete the file of this machine; what the gate has is the gate's to delete."""
        place = self._cache.place(require_name(name))
        await asyncio.to_thread(place.unlink, missing_ok=True)

    async def older(self, than: float) -> list[str]:
        """Return nothing: what lies here goes for want of room, and is swept by nobody."""
        await asyncio.sleep(0)
        del than
        return []

    async def _fetch(self, name: str, place: Path, sha256: str) -> None:
        """Write an input to ``place``, whole and with its content, or not at all.

        Raises:
            ArtefactGone: the gate has none.
            ArtefactsUnavailable: it broke on the way, or is something else.
        """
        async with self._client.download(name) as answer:
            if answer.status_code in GONE:
                raise ArtefactGone(name)
            answer.raise_for_status()
            digest, count = hashlib.sha256(), 0
            await asyncio.to_thread(self._cache.make_room, 0, lambda _: True)
            with whole_file(place) as part, part.open("wb") as file:
                async for piece in answer.aiter_bytes():
                    count += len(piece)
                    digest.update(piece)
                    if count > MOST_INPUT_BYTES:
                        raise ArtefactsUnavailable(GateUnreachable.code)
                    await asyncio.to_thread(file.write, piece)
                if digest.hexdigest() != sha256:
                    raise ArtefactsUnavailable(ArtefactDamaged.code)
