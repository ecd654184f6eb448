"""Artefacts of a rented machine: inputs come from the gate, clips go through it, nothing else is.

Implements :class:`core.interfaces.artefacts.Artefacts`. No key of a bucket is needed.
"""

import asyncio
from pathlib import Path

import httpx2

from core.artefacts.cache import NodeCache
from core.artefacts.keyless import KeylessArtefacts
from core.artefacts.names import require_name
from core.errors import ClapperError
from core.errors.artefacts import ArtefactDamaged, ArtefactGone, ArtefactsUnavailable
from core.errors.gate import GateUnreachable
from core.gate.client import GateClient
from core.interfaces.artefacts import CLIPS
from core.runtime.atomic_files import sha256_of

GONE = frozenset({404, 410})


class GateArtefacts(KeylessArtefacts):
    """Keeps on this machine what its jobs use, as long as there is room."""

    def __init__(self, client: GateClient, cache: NodeCache) -> None:
        super().__init__(cache)
        self._client = client

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

    async def _fetch(self, name: str, place: Path, sha256: str) -> None:
        """Write an input of the gate to ``place``.

        Raises:
            ArtefactGone: the gate has none.
            ArtefactsUnavailable: it cannot be fetched just now, or is another content.
        """
        try:
            async with self._client.download(name) as answer:
                if answer.status_code in GONE:
                    raise ArtefactGone(name)
                answer.raise_for_status()
                await self._receive(name, place, sha256, answer.aiter_bytes())
        except ArtefactDamaged as error:
            raise ArtefactsUnavailable(error.code) from error
        except (httpx2.HTTPError, OSError, GateUnreachable) as error:
            raise ArtefactsUnavailable(GateUnreachable.code) from error
