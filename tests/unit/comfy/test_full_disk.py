"""A disk that fills up while ComfyUI is installed or a newer one is tried.

The disk is a real small one, so these tests run where one may be mounted.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import comfy, comfy_trial
from core.comfy.install import checkout, room
from core.comfy.install.checkout import Head, check_out, head_of
from core.comfy.install.choice import read_choice
from core.comfy.install.errors import CheckoutDiskFull, PackagesDiskFull
from core.comfy.install.installer import install_packages
from core.comfy.install.pins import Pin, Pins
from core.comfy.paths import comfy_paths
from core.settings import load_settings

Git = Callable[..., str]
MakePin = Callable[..., Pin]
RUNNER = CliRunner()
DISK = 2**21  # bytes
LARGE = 1_500_000  # of one file that the newer version has; git cannot make it smaller


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)]
    made = shutil.which("mount") and subprocess.run(command, check=False, capture_output=True)
    if not made or made.returncode:
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def here(disk: Path, monkeypatch: pytest.MonkeyPatch, pins: Pins) -> Path:
    """The disk with ComfyUI 0.27.0 on it, and the command's settings."""
    monkeypatch.setenv("CLAPPER_COMFYUI_DIR", str(disk / "checkout"))
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(disk.parent / "data"))
    monkeypatch.setattr(comfy, "load_pins", lambda: pins)
    for module in (checkout, room):
        monkeypatch.setattr(module, "CHECKOUT_BYTES", 100_000)
    check_out(pins.comfyui, disk / "checkout")
    return disk


@pytest.fixture
def newer(upstream: Path, git: Git) -> str:
    """The commit of a version that does not fit twice: packed by git, and laid out."""
    (upstream / "comfyui_version.py").write_text('__version__ = "0.28.0"\n')
    (upstream / "large.bin").write_bytes(os.urandom(LARGE))
    git(upstream, "add", ".")
    git(upstream, "commit", "-q", "-m", "0.28.0")
    return git(upstream, "rev-parse", "HEAD")


def typed(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(comfy.APP, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def listed(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}


def fill(place: Path, left: int) -> None:
    """Leave ``left`` bytes free."""
    (place / "filler").write_bytes(b"\0" * max(0, shutil.disk_usage(place).free - left))


@pytest.mark.parametrize("left", [None, 8192, 0])
def test_a_newer_one_that_does_not_fit_is_gone_and_the_old_one_stays(
    here: Path, newer: str, pins: Pins, left: int | None
) -> None:
    if left is not None:
        fill(here, left)
    before = listed(here)

    code, text = typed("update", "--to", "master", "--no-packages", "--mode", "t2v")

    assert code != 0
    assert f"does not fit on the disk of {here / 'checkout'}-{newer[:10]}" in text
    assert "are needed" in text
    assert listed(here) == before
    assert head_of(here / "checkout") == Head(pins.comfyui.commit, changed=0)
    assert comfy_paths(load_settings()).version == "0.27.0"


@pytest.mark.parametrize("left", [None, 8192, 0])
def test_a_pin_that_does_not_fit_leaves_the_checkout_as_it_was(
    here: Path, newer: str, pins: Pins, monkeypatch: pytest.MonkeyPatch, left: int | None
) -> None:
    if left is not None:
        fill(here, left)
    before = listed(here)
    moved = replace(pins, comfyui=replace(pins.comfyui, commit=newer))
    monkeypatch.setattr(comfy, "load_pins", lambda: moved)

    code, text = typed("install", "--no-packages")

    assert code != 0
    assert "What was there before is unchanged" in text
    assert listed(here) - before <= {"checkout/.git/FETCH_HEAD"}
    assert head_of(here / "checkout") == Head(pins.comfyui.commit, changed=0)

    (here / "filler").unlink(missing_ok=True)
    (here.parent / "upstream" / "large.bin").unlink()
    again = check_out(pins.comfyui, here / "checkout")
    assert again.value == "already"


def _nothing(*_: object) -> int:
    return 0


def test_files_that_fill_the_disk_while_they_are_laid_out_are_taken_back(
    here: Path, newer: str, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size is not asked for: another program takes the room in between."""
    monkeypatch.setattr(checkout, "_laid_bytes", _nothing)

    with pytest.raises(CheckoutDiskFull):
        check_out(replace(pins.comfyui, commit=newer), here / "checkout")

    assert head_of(here / "checkout") == Head(pins.comfyui.commit, changed=0)
    assert not (here / "checkout" / "large.bin").exists()


def test_too_little_room_is_told_before_anything_is_fetched(
    disk: Path, pin: MakePin, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CheckoutDiskFull) as full:
        check_out(replace(pin(), repository="http://127.0.0.1:1/nobody"), disk / "checkout")

    assert full.value.need_bytes == room.CHECKOUT_BYTES
    assert 0 < full.value.free_bytes <= DISK
    assert listed(disk) == set()


PIP = """#!/bin/sh
for last; do :; done
while [ $# -gt 0 ]; do [ "$1" = --target ] && target=$2; shift; done
[ -z "$target" ] || mkdir -p "$target"
head -c {size} /dev/zero > "${{target:-$TMPDIR}}/part" && exit
echo "ERROR: $last: {words}" >&2
exit 1
"""


@pytest.mark.parametrize("words", ["[Errno 28] No space left on device", "could not unpack"])
@pytest.mark.parametrize("place", ["target", "temporary"])
def test_packages_that_do_not_fit_leave_nothing_and_name_the_disk_that_is_full(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, words: str
) -> None:
    python = tmp_path / "python"
    python.write_text(PIP.format(size=DISK * 2, words=words))
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(tempfile, "tempdir", str(disk if place == "temporary" else tmp_path))
    target = disk / "packages" if place == "target" else None

    with pytest.raises(PackagesDiskFull) as full:
        install_packages("packages", ["einops"], target)

    assert full.value.path == str(target or disk)
    assert full.value.need_bytes == 2_000_000_000
    assert listed(disk) <= {"packages/part"}  # of a folder that the caller throws away
    assert not list(tmp_path.glob("clapper-pip-*"))


def requirements(upstream: Path, git: Git) -> None:
    (upstream / "comfyui_version.py").write_text('__version__ = "0.28.0"\n')
    (upstream / "requirements.txt").write_text("new-one==2\n")
    git(upstream, "add", ".")
    git(upstream, "commit", "-q", "-m", "0.28.0")


def test_a_newer_one_whose_packages_do_not_fit_is_gone(
    here: Path, tmp_path: Path, upstream: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements(upstream, git)
    python = tmp_path / "python"
    python.write_text(PIP.format(size=DISK * 2, words="No space left on device"))
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    before = listed(here)

    code, text = typed("update", "--to", "master", "--mode", "t2v")

    assert code != 0
    assert "Python packages (packages) do not fit on the disk of" in text
    assert listed(here) == before


TRIES = """
import json, pathlib, sys
work = pathlib.Path(sys.argv[2])
print(json.dumps({"defects": []}), flush=True)
try:
    (work / "model").write_bytes(b"0" * 4_000_000)
except OSError as error:
    if sys.argv[0].endswith("says.py"):
        print(json.dumps({"mode": "t2v", "broken": "x", "full": True}), flush=True)
        sys.exit()
    raise
"""


@pytest.mark.parametrize("name", ["says.py", "dies.py"])
def test_a_trial_that_fills_the_disk_is_not_blamed_on_the_newer_one(
    here: Path, upstream: Path, git: Git, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    requirements(upstream, git)
    program = here.parent / name
    program.write_text(TRIES)
    monkeypatch.setattr(comfy_trial, "PROGRAM", (str(program),))
    monkeypatch.setattr(tempfile, "tempdir", str(here))
    monkeypatch.setattr(comfy_trial, "TRIAL_BYTES", 100_000)
    before = listed(here)

    code, text = typed("update", "--to", "master", "--no-packages", "--mode", "t2v")

    assert code != 0
    assert f"the disk of {here} is full" in text
    assert "The ComfyUI in use is unchanged" in text
    assert listed(here) == before


def test_a_trial_for_which_there_is_no_room_does_not_begin(
    here: Path, newer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(here))
    before = listed(here)

    code, text = typed("update", "--to", "master", "--no-packages")

    assert code != 0
    assert "About 1.0 GB are needed there" in text
    assert "Fetching" not in text
    assert listed(here) == before


FILLS = """
import os
with open({place!r}, "wb", 0) as file:
    try:
        while True:
            file.write(bytes(4096))
    except OSError:
        pass
"""


def test_a_switch_that_cannot_be_written_changes_nothing(
    here: Path, upstream: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements(upstream, git)
    monkeypatch.setattr(comfy_trial, "PROGRAM", ("-c", FILLS.format(place=str(here / "filler"))))

    code, text = typed("update", "--to", "master", "--no-packages", "--mode", "t2v")

    assert code != 0
    assert f"the disk of {here} is full" in text
    assert read_choice(here / "checkout") is None
    assert comfy_paths(load_settings()).version == "0.27.0"
    assert not list(here.glob("checkout-*"))
    assert not list(here.glob("*.chosen.json"))
