"""A ZIP file that is written while it is sent."""

import io
import tracemalloc
import zipfile
from collections.abc import AsyncGenerator
from pathlib import Path

from webui.studio.clip_archive import ArchivedFile, archived


async def each(*files: ArchivedFile) -> AsyncGenerator[ArchivedFile]:
    for one in files:
        yield one


async def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(bytes(range(256)) * 5000)
    gone = ArchivedFile("gone.mp4", tmp_path / "gone.mp4", 0)
    files = each(ArchivedFile("a.mp4", clip, 1_700_000_000_000), gone, ArchivedFile("b", b"x", 0))

    content = b"".join([part async for part in archived(files)])

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.mp4", "b"]
        assert archive.read("a.mp4") == clip.read_bytes()
        first = archive.getinfo("a.mp4")
        assert first.compress_type == zipfile.ZIP_STORED
        assert first.date_time[:3] == (2023, 11, 14)


async def test_nothing_at_all_is_an_empty_archive() -> None:
    content = b"".join([part async for part in archived(each())])
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == []


async def test_memory_stays_flat_however_large_the_files_are(tmp_path: Path) -> None:
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.truncate(64_000_000)
    tracemalloc.start()
    try:
        sent = 0
        async for part in archived(each(*[ArchivedFile(f"{n}", large, 0) for n in range(2)])):
            sent += len(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent > 128_000_000
    assert peak < 5_000_000
