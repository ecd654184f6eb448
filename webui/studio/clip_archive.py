"""Many clips as one ZIP file, written while it is sent: no copy on disk, some kilobytes in memory.

Clips are stored as they are, since they cannot be compressed further. Each may be of any size
(ZIP64). Their names are made of letters and digits of ours, never of what people wrote.
"""

import asyncio
import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

_CHUNK = 256 * 1024  # bytes that are read at once
_FIRST_YEAR = 1980  # of the times in a ZIP file


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file of the archive: its name, where it lies or what is in it, its time (epoch ms)."""

    name: str
    content: Path | bytes
    at_ms: int


class _Outlet(io.RawIOBase):
    """Takes what is written, until it is handed on; one cannot go back in it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:  # noqa: ANN401  # any buffer, as of every file
        self._parts.append(bytes(memoryview(part)))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        found = b"".join(self._parts)
        self._parts.clear()
        return found


async def archived(files: AsyncIterator[ArchivedFile]) -> AsyncGenerator[bytes]:
    """Write ``files`` into an archive, and give it piece by piece.

    A file that is gone by its turn is left out.
    """
    outlet: Any = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        async for one in files:
            try:
                source = await asyncio.to_thread(_opened, one.content)
            except OSError:
                continue
            with source, _entry(archive, one) as entry:
                while part := await asyncio.to_thread(source.read, _CHUNK):
                    entry.write(part)
                    yield outlet.taken()
            yield outlet.taken()
    yield outlet.taken()


def _opened(content: Path | bytes) -> io.BufferedIOBase:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


@contextmanager
def _entry(archive: zipfile.ZipFile, one: ArchivedFile) -> Generator[IO[bytes]]:
    at = datetime.fromtimestamp(one.at_ms / 1000, UTC)
    info = zipfile.ZipInfo(one.name, (max(at.year, _FIRST_YEAR), *at.timetuple()[1:6]))
    info.external_attr = 0o644 << 16
    with archive.open(info, "w", force_zip64=True) as entry:
        yield entry
