"""One way of linking fails, the next is tried, and the last one's error is told."""

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.models.links import COPY, HARDLINK, SYMLINK, is_link_to, link


def refused(source: Path, place: Path) -> None:
    raise OSError(errno.EPERM, "no right to make links")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(b"weights")
    return path


def test_a_symbolic_link_costs_no_bytes(source: Path, tmp_path: Path) -> None:
    place = tmp_path / "loras" / "a.safetensors"

    assert link(source, place) == "symlink"
    assert is_link_to(place, source)
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_where_links_are_refused_the_next_way_is_taken(source: Path, tmp_path: Path) -> None:
    place = tmp_path / "a.safetensors"

    assert link(source, place, (("symlink", refused), HARDLINK, COPY)) == "hardlink"
    assert place.stat().st_nlink == 2
    assert link(source, place, (("symlink", refused), ("hardlink", refused), COPY)) == "copy"
    assert place.read_bytes() == b"weights"
    assert not is_link_to(place, source)


def test_a_hard_link_shows_the_bytes_behind_a_symbolic_one(source: Path, tmp_path: Path) -> None:
    pointer = tmp_path / "pointer"
    link(source, pointer, (SYMLINK,))
    place = tmp_path / "a.safetensors"

    link(pointer, place, (HARDLINK,))

    assert not place.is_symlink()
    assert is_link_to(place, source)


def test_when_no_way_works_the_place_stays_as_it_was(source: Path, tmp_path: Path) -> None:
    place = tmp_path / "a.safetensors"
    place.symlink_to(source)

    with pytest.raises(OSError, match="no right"):
        link(source, place, (("symlink", refused), ("copy", refused)))

    assert is_link_to(place, source)


def test_many_at_once_in_one_process_do_not_meet(source: Path, tmp_path: Path) -> None:
    place = tmp_path / "loras" / "a.safetensors"
    for _ in range(10):
        with ThreadPoolExecutor(12) as pool:
            ways = list(pool.map(lambda _: link(source, place), range(36)))
        assert set(ways) == {"symlink"}
        assert [path.name for path in place.parent.iterdir()] == [place.name]
