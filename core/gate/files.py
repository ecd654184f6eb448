"""Files through the gate: inputs of an attempt go out, its clip and poster come in.

A name is never taken from a call: it is that of the attempt, or one that the request of the job
names. What comes in is counted, hashed and whole before it has its name.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from core.gate.calls import GateCalls
from core.gate.keys import stem_of
from core.gate.wire import FileKind
from core.interfaces.artefacts import Artefacts, name_of_input
from core.runtime.atomic_files import part_beside, publish
from core.runtime.permissions import make_private_folder
from core.storage.gate_nodes import GateNode

MOST_BYTES: dict[FileKind, int] = {"mp4": 1_000_000_000, "png": 64_000_000}


class RefusedError(Exception):
    """What came is not what may come; ``status`` is HTTP's."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class GateFiles:
    """Hands out inputs, and takes what attempts made."""

    def __init__(self, calls: GateCalls, artefacts: Artefacts, clips_folder: Path) -> None:
        self._calls = calls
        self._artefacts = artefacts
        self._clips_folder = clips_folder

    async def input_of(self, node: GateNode, job_id: str, key: str, name: str) -> Path | None:
        """Return where an input of an attempt lies; None where the attempt has no such one.

        Raises:
            ArtefactGone: it was deleted.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        job = await self._calls.attempt_of(node, job_id, key)
        if job is None or job.asked is None:
            return None
        wanted = next((one for one in job.request.media().values() if one.name == name), None)
        return None if wanted is None else await self._artefacts.local(name_of_input(wanted))

    async def take(
        self,
        node: GateNode,
        job_id: str,
        key: str,
        kind: FileKind,
        size: int,
        sha256: str,
        body: AsyncIterator[bytes],
    ) -> None:
        """Keep a file of an attempt for its settlement.

        Args:
            node: who sends it.
            job_id: which job.
            key: of the attempt.
            kind: the clip or its poster.
            size: bytes, as announced.
            sha256: of them, as announced.
            body: the bytes.

        Raises:
            RefusedError: no such attempt (404), too large (413) or other bytes (422).
        """
        if size > MOST_BYTES[kind]:
            raise RefusedError(413)
        if await self._calls.attempt_of(node, job_id, key) is None:
            raise RefusedError(404)
        target = self._clips_folder / f"{stem_of(job_id, key)}.{kind}"
        await asyncio.to_thread(make_private_folder, target.parent)
        part = part_beside(target)
        try:
            await _write(part, size, sha256, body)
            async with self._calls.end_of(job_id):  # else it could be swapped once it was checked
                if await self._calls.attempt_of(node, job_id, key) is None:
                    raise RefusedError(404)
                await asyncio.to_thread(publish, part, target)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)


async def _write(part: Path, size: int, sha256: str, body: AsyncIterator[bytes]) -> None:
    """Write what comes to ``part``.

    Raises:
        RefusedError: it is more or less than announced, or something else.
    """
    digest, count = hashlib.sha256(), 0
    with await asyncio.to_thread(part.open, "xb") as file:
        async for piece in body:
            count += len(piece)
            if count > size:
                raise RefusedError(413)
            digest.update(piece)
            await asyncio.to_thread(file.write, piece)
    if count != size or digest.hexdigest() != sha256:
        raise RefusedError(422)
