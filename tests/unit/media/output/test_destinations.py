"""A file that is delivered is on the disk before the row says so."""

import os
from pathlib import Path

import pytest

from core.media.output.destinations import place_files


def test_a_copy_is_on_the_disk_before_it_has_its_name_and_then_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, out = tmp_path / "clip.mp4", tmp_path / "out" / "mine.mp4"
    clip.write_bytes(b"frames")
    synced: list[tuple[str, bool]] = []
    sync = os.fsync

    def look(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink().name, out.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", look)
    place_files([(clip, out)], force=False)

    assert out.read_bytes() == b"frames"
    (part, there_before), (folder, there_after) = synced
    assert part.startswith(".part-")
    assert (there_before, folder, there_after) == (False, "out", True)
