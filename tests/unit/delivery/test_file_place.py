"""On whose disk a file of the command line lies."""

from pathlib import Path

import pytest

from core.delivery.file_place import FilePlace, marked_place


def test_a_folder_keeps_its_mark_wherever_it_is_moved(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    before = marked_place(tmp_path / "data", alone=True)
    moved = (tmp_path / "data").rename(tmp_path / "elsewhere")

    assert marked_place(moved, alone=True) == before


def test_no_two_folders_are_one_place(tmp_path: Path) -> None:
    places = set[str]()
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        places.add(marked_place(tmp_path / name, alone=True).platform)

    assert len(places) == 3


def test_machines_that_share_a_folder_are_places_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "one")
    one = marked_place(tmp_path, alone=False)
    monkeypatch.setattr("socket.gethostname", lambda: "two")
    two = marked_place(tmp_path, alone=False)
    monkeypatch.setattr("socket.gethostname", lambda: "one")

    assert one != two
    assert marked_place(tmp_path, alone=False) == one


def test_a_machine_whose_name_changes_has_its_folder_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "container-1")
    before = marked_place(tmp_path, alone=True)
    monkeypatch.setattr("socket.gethostname", lambda: "container-2")

    assert marked_place(tmp_path, alone=True) == before


def test_alone_at_its_rows_there_is_one_place() -> None:
    assert FilePlace().platform == "cli"
