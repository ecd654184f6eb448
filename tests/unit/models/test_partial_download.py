"""A body on its way to the disk, and a cancel at the worst moment."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.models import hub_client
from core.models.catalog import LTX_2_3, Profile
from core.models.hub_client import RemoteFile
from core.models.partial_download import PartialDownload


class HeldPartial(PartialDownload):
    """A disk that takes its time with the first block."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.writing = threading.Event()
        self.go_on = threading.Event()

    def write(self, block: bytes) -> None:
        self.writing.set()
        self.go_on.wait(10)
        super().write(block)


class Body:
    """An answer whose body comes in two blocks."""

    def __init__(self, *blocks: bytes) -> None:
        self.blocks = blocks

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        for block in self.blocks:
            yield block


async def test_a_cancel_during_a_write_does_not_write_the_block_twice(tmp_path: Path) -> None:
    block = bytes(range(256)) * (hub_client._BLOCK_BYTES // 256)
    file = LTX_2_3.files_for(None, Profile.FP8)[0]
    remote = RemoteFile(file, "http://127.0.0.1/", "c" * 40, "e", 10 * len(block))
    partial = HeldPartial(tmp_path / "partial")
    pouring = asyncio.create_task(
        hub_client._write_body(Body(block, block), remote, partial, lambda _: None)  # type: ignore[arg-type]
    )
    await asyncio.to_thread(partial.writing.wait, 10)

    pouring.cancel()
    await asyncio.sleep(0)
    partial.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await pouring

    partial.close()
    assert (tmp_path / "partial").read_bytes() == block
