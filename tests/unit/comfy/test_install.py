"""The installer against a real git repository on this disk."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.comfy.install import Outcome, Step, check_out, head_of, install
from core.comfy.pins import Pin, Pins, load_pins
from core.comfy.place import Place, place_of
from core.problems import CheckoutForeign, DownloadFailed
from core.settings import PROJECT_ROOT, load_settings

MakePin = Callable[..., Pin]
MakeCommit = Callable[[Path, str], str]


def test_the_pinned_commit_is_checked_out_even_when_the_branch_has_moved_on(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pinned = pin()
    commit(upstream, "9.9.9")

    outcome = check_out(pinned, tmp_path / "checkout")

    assert outcome is Outcome.DONE
    assert head_of(tmp_path / "checkout") == pinned.commit
    assert "0.27.0" in (tmp_path / "checkout" / "comfyui_version.py").read_text()


def test_a_second_run_changes_nothing_and_needs_no_network(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pinned = pin()
    check_out(pinned, tmp_path / "checkout")
    upstream.rename(tmp_path / "gone")

    assert check_out(pinned, tmp_path / "checkout") is Outcome.ALREADY


def test_a_changed_file_is_put_right(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pinned = pin()
    check_out(pinned, tmp_path / "checkout")
    (tmp_path / "checkout" / "comfyui_version.py").write_text("changed")

    assert check_out(pinned, tmp_path / "checkout") is Outcome.DONE
    assert "0.27.0" in (tmp_path / "checkout" / "comfyui_version.py").read_text()


def test_a_new_pin_moves_the_checkout(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    check_out(pin(), tmp_path / "checkout")
    newer = commit(upstream, "0.28.0")

    check_out(pin(newer), tmp_path / "checkout")

    assert head_of(tmp_path / "checkout") == newer


def test_an_interrupted_fetch_is_resumed_in_the_same_folder(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pinned, folder = pin(), tmp_path / "checkout"
    moved = upstream.rename(tmp_path / "unplugged")
    with pytest.raises(DownloadFailed):
        check_out(pinned, folder)
    # what a killed git leaves behind
    (folder / ".git" / "shallow.lock").touch()
    (folder / ".git" / "index.lock").touch()
    (folder / ".git" / "objects" / "pack" / "tmp_pack_x").write_bytes(b"half")
    moved.rename(upstream)

    assert check_out(pinned, folder) is Outcome.DONE
    assert head_of(folder) == pinned.commit


def test_no_network_is_said_plainly(tmp_path: Path) -> None:
    nowhere = Pin("ComfyUI", (tmp_path / "nowhere").as_uri(), "0" * 40, "x", "y")

    with pytest.raises(DownloadFailed) as caught:
        check_out(nowhere, tmp_path / "checkout")

    assert caught.value.what == "ComfyUI"
    assert caught.value.reason == "offline"


def test_a_commit_that_does_not_exist_is_refused(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    with pytest.raises(DownloadFailed) as caught:
        check_out(pin("1" * 40), tmp_path / "checkout")

    assert caught.value.reason == "unknown_commit"


def test_a_folder_of_somebody_else_is_never_touched(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    folder = tmp_path / "my-own-comfyui"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")

    with pytest.raises(CheckoutForeign):
        check_out(pin(), folder)

    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_packs_are_installed_only_when_asked_for(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pins = Pins("0.27.0", pin(), "torch", (), (pin(),))
    place = Place(tmp_path / "checkout", tmp_path / "packs", tmp_path / "base", tmp_path / "models")
    steps: list[Step] = []

    install(pins, place, steps.append, packs=False, packages=False, torch_index="")
    assert not place.packs.exists()
    install(pins, place, steps.append, packs=True, packages=False, torch_index="")

    assert (place.packs / "ComfyUI" / "comfyui_version.py").is_file()
    assert [step.outcome for step in steps] == [
        Outcome.STARTED, Outcome.DONE, Outcome.STARTED, Outcome.ALREADY, Outcome.STARTED,
        Outcome.DONE,
    ]  # fmt: skip


def test_pins_name_every_repository_by_a_full_commit() -> None:
    pins = load_pins()

    for entry in (pins.comfyui, *pins.packs):
        assert len(entry.commit) == 40, entry.name
        assert int(entry.commit, 16), entry.name
        assert entry.licence, entry.name
        assert entry.why, entry.name
    assert len(pins.packs) == 10
    assert pins.torch.startswith("torch==")


def test_the_setting_decides_the_place(tmp_path: Path) -> None:
    settings = load_settings(comfyui_dir=tmp_path / "mine", data_dir=tmp_path / "data")

    assert place_of(settings).checkout == tmp_path / "mine"
    assert place_of(settings).base == tmp_path / "data" / "comfyui"


def test_beside_the_project_unless_on_a_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLAPPER_COMFYUI_DIR", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)

    assert place_of(load_settings()).checkout == PROJECT_ROOT / "comfyui" / "checkout"
    monkeypatch.setenv("SPACE_ID", "someone/clapper")
    assert place_of(load_settings()).checkout == tmp_path / ".cache/clapper/comfyui/checkout"


def test_the_version_is_read_from_the_checkout(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    place = Place(upstream, tmp_path, tmp_path, tmp_path)

    assert place.version == "0.27.0"
    assert Place(tmp_path / "none", tmp_path, tmp_path, tmp_path).version is None
