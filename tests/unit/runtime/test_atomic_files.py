"""Files appear whole or not at all."""

from pathlib import Path

import pytest

from core.runtime.atomic_files import part_beside, remove_parts, whole_file


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_text("old")

    with whole_file(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
        assert part.suffix == ".mp4"

    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]


def test_nothing_is_left_of_a_file_that_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with whole_file(tmp_path / "a.mp4") as part:
            part.write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()

    assert list(tmp_path.iterdir()) == []


def test_what_a_crash_left_can_be_removed(tmp_path: Path) -> None:
    part_beside(tmp_path / "a.png").touch()
    kept = tmp_path / "b.png"
    kept.touch()

    assert remove_parts(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [kept]
