"""The installer against a real git repository on this disk."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.comfy.install.checkout import CheckoutOutcome
from core.comfy.install.errors import (
    InstallerMissing,
    PackagesDiskFull,
    PackagesFailed,
    PackagesOffline,
)
from core.comfy.install.installer import Step, install
from core.comfy.install.pins import Pin, Pins, load_pins
from core.comfy.paths import ComfyPaths, comfy_paths
from core.errors.setup import DownloadFailed
from core.i18n.messages import explain
from core.settings import PROJECT_ROOT, load_settings

MakePin = Callable[..., Pin]
MakeCommit = Callable[[Path, str], str]


def test_packs_are_installed_only_when_asked_for(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pins = Pins("0.27.0", pin(), "torch", (), (pin(),))
    place = ComfyPaths(
        tmp_path / "checkout", tmp_path / "packs", tmp_path / "base", tmp_path / "models"
    )
    steps: list[Step] = []

    install(pins, place, steps.append, packs=False, packages=False, torch_index="")
    assert not place.packs.exists()
    install(pins, place, steps.append, packs=True, packages=False, torch_index="")

    assert (place.packs / "ComfyUI" / "comfyui_version.py").is_file()
    order = ("STARTED", "DONE", "STARTED", "ALREADY", "STARTED", "DONE")
    assert [step.outcome for step in steps] == [CheckoutOutcome[name] for name in order]


@pytest.mark.parametrize(
    ("complaint", "problem", "word"),
    [
        ("""WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError("x: \
Failed to establish a new connection: [Errno 111] Connection refused")': /simple/torch/
ERROR: No matching distribution found for torch==2.13.0""", PackagesOffline, "Connection refused"),
        ("ERROR: No matching distribution found for torch==9", PackagesFailed, "torch==9"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
         PackagesDiskFull, "Make room"),
        ("/usr/bin/python3: No module named pip", InstallerMissing, "ensurepip"),
    ],
)  # fmt: skip
def test_what_the_package_installer_complains_about_becomes_its_own_sentence(
    pin: MakePin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaint: str,
    problem: type[DownloadFailed], word: str,
) -> None:  # fmt: skip
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{complaint}\nEND\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    pins = Pins("0.27.0", pin(), "torch==2.13.0", ())
    place = ComfyPaths(tmp_path / "checkout", tmp_path, tmp_path, tmp_path)

    with pytest.raises(problem) as caught:
        install(pins, place, lambda _: None, packs=False, packages=True, torch_index="")

    assert word in explain(caught.value)


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

    assert comfy_paths(settings).checkout == tmp_path / "mine"
    assert comfy_paths(settings).base == tmp_path / "data" / "comfyui"


def test_beside_the_project_unless_on_a_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLAPPER_COMFYUI_DIR", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)

    assert comfy_paths(load_settings()).checkout == PROJECT_ROOT / "comfyui" / "checkout"
    monkeypatch.setenv("SPACE_ID", "someone/clapper")
    assert comfy_paths(load_settings()).checkout == tmp_path / ".cache/clapper/comfyui/checkout"


def test_the_version_is_read_from_the_checkout(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    place = ComfyPaths(upstream, tmp_path, tmp_path, tmp_path)

    assert place.version == "0.27.0"
    assert ComfyPaths(tmp_path / "none", tmp_path, tmp_path, tmp_path).version is None
