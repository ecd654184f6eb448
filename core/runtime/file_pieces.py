"""Read files piece by piece, beside the event loop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

PIECE_BYTES = 1 << 18


async def pieces_of(path: Path, size: int = PIECE_BYTES) -> AsyncIterator[bytes]:
    """Yield the bytes of ``path``, at most ``size`` at a time."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, size):
            yield piece
