"""The folder of a Space has all that it imports, and nothing that only commands and tests need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli.space import APP

LEFT_OUT = ("core.cli", "core.demo", "core.testing", "core.comfy.testing", "webui.testing")
# imports every module that lies in the folder, and tells where each came from
IMPORT_ALL = """
import sys
sys.path[0:0] = [sys.argv[1]]
import webui.space.start
import webui.space.program
import importlib, json, pkgutil, core, webui
names = [found.name for package in (core, webui)
         for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
         if found.name != "core.comfy.acceleration.pointwise_kernels"]  # Triton's, asked for first
places = {name: importlib.import_module(name).__file__ for name in names}
print(json.dumps(places))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("built") / "space"
    built = CliRunner().invoke(APP, ["build", "--out", str(target), "--space", "ada/clapper"])
    assert built.exit_code == 0, built.output
    return target


def test_every_module_of_the_folder_can_be_imported_from_it_alone(
    folder: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_ALL, str(folder)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    places = json.loads(done.stdout.splitlines()[-1])

    assert len(places) > 250
    assert {name for name, place in places.items() if not Path(place).is_relative_to(folder)} == (
        set()
    )
    assert not [name for name in places if name.startswith(LEFT_OUT)]


def test_what_a_space_does_not_run_is_not_there(folder: Path) -> None:
    assert not [name for name in LEFT_OUT if (folder / name.replace(".", "/")).exists()]
    names = {path.name for path in folder.rglob("*")}
    assert names.isdisjoint({"__pycache__", "tests", "bench", "bots", "custom", ".env", ".git"})


def test_pictures_are_small_and_kept_as_the_platform_wants_large_files(folder: Path) -> None:
    attributes = (folder / ".gitattributes").read_text()
    binary = [path for path in folder.rglob("*") if path.is_file() and b"\0" in path.read_bytes()]

    assert {path.parent.name for path in binary} == {"space", "examples", "fonts"}
    assert all(f"*{path.suffix} filter=lfs" in attributes for path in binary)
    assert (folder / "thumbnail.png").stat().st_size <= 1_000_000


def test_every_file_that_the_page_names_is_there(folder: Path) -> None:
    page = (folder / "README.md").read_text()

    assert "thumbnail: https://huggingface.co/spaces/ada/clapper/resolve/main/thumbnail.png" in page
    assert "](thumbnail.png)" in page
    for name in ("examples", "clapper.env"):
        assert f"/main/{name})" in page
        assert (folder / name).exists()
    assert "$" not in page
