import os
from pathlib import Path

import pytest

from core.models.page_cache import FileReader, cached_share

SIZE = 8 * 1024**2


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two files on a disk, neither of them in memory."""
    found = [tmp_path / "a", tmp_path / "b"]
    for path in found:
        path.write_bytes(os.urandom(SIZE))
        forget(path)
    if cached_share(found) > 0.2:
        pytest.skip("this system keeps what it was told to forget")
    return found


def forget(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def test_files_that_were_read_lie_in_memory_and_their_disk_was_timed(files: list[Path]) -> None:
    seconds = iter(range(1000))
    reader = FileReader(lambda: float(next(seconds)))

    reader.begin(files)
    reader.wait()

    assert reader.share == 1.0
    assert reader.rate == pytest.approx(SIZE)  # a second passes with every look at the clock


def test_the_share_counts_bytes_of_all_files(files: list[Path]) -> None:
    files[0].read_bytes()

    assert cached_share(files) == pytest.approx(0.5, abs=0.2)
    assert cached_share([]) == 0.0


def test_a_file_that_cannot_be_read_keeps_nobody_from_starting(files: list[Path]) -> None:
    reader = FileReader()

    reader.begin([files[0].with_name("gone"), *files])
    reader.wait()

    assert reader.share == 1.0
    assert cached_share([files[0].with_name("gone")]) == 0.0
