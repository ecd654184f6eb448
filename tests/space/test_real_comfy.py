"""A real ComfyUI in the lease, fetched by the Space itself, on weights as small as they can be."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from core.comfy.testing import network_shapes
from core.demo.samples import write_png, write_wav
from core.models.catalog import LTX_2_3, Profile
from core.settings import PROJECT_ROOT
from tests.comfy.conftest import CHECKOUT, PACK
from tests.space.conftest import git, hand_over, pin
from tests.space.environment import environment
from tests.space.machine import HERE, USER, Machine
from tests.space.test_clips import streams
from webui.testing.zerogpu import Lender, Rules

pytestmark = pytest.mark.comfy_real


@pytest.fixture
def rules() -> Rules:
    """Its seconds are long ones: tiny weights on a busy processor take longer than the card."""
    return Rules(kills=True, gpus=4, second_s=5.0)


@pytest.fixture(scope="module")
def repository(place: Path) -> tuple[str, str]:
    """The checkout of the tests with a real ComfyUI as a repository to fetch from."""
    if not (CHECKOUT / "comfyui_version.py").is_file():
        pytest.skip(f"no ComfyUI at {CHECKOUT}: clapper comfy install, or CLAPPER_COMFYUI_DIR")
    source = place / "real"
    shutil.copytree(CHECKOUT, source, ignore=_left_out)
    git(source, "init", "--quiet")
    git(source, "add", "--force", ".")
    git(source, "commit", "--quiet", "--message", "the pinned one")
    commit = git(source, "rev-parse", "HEAD")
    hand_over(source)
    return source.as_uri(), commit


@pytest.fixture(scope="module")
def weights(place: Path) -> Path:
    """A models folder of ComfyUI with a tiny file for each of the published ones."""
    folder = place / "weights"
    folder.mkdir()
    command = [sys.executable, str(HERE / "make_weights.py"), str(CHECKOUT), str(folder)]
    subprocess.run(command, check=True, cwd=PROJECT_ROOT, capture_output=True)
    return folder / "models"


@pytest.fixture
def machine(
    built: Callable[..., Path],
    repository: tuple[str, str],
    weights: Path,
    lender: Lender,
    pytestconfig: pytest.Config,
) -> Generator[Machine]:
    """A container whose preloaded files are the tiny ones."""
    assert pytestconfig.cache is not None
    kept = environment(built(), pytestconfig.cache.mkdir("space"), comfy=True)
    base = Path(tempfile.mkdtemp(prefix="clapper-space-"))
    made = Machine(base, kept.python, lender)
    made.prepare()
    shutil.copytree(built(), made.app)
    pin(made.app, *repository)
    for file in LTX_2_3.files_for(None, Profile.FP8):
        place = made.snapshot(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(weights / file.folder / file.name, place)
    made.own_by_root()
    lay_pack(made)
    yield made
    for left in made.processes():
        left.kill()
    shutil.rmtree(base, ignore_errors=True)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Leave out of the checkout what is not of the repository; packages have such names too."""
    left = {"__pycache__"} | ({".git", "models", "output"} if folder == str(CHECKOUT) else set())
    return left & set(names)


def lay_pack(machine: Machine) -> None:
    """A pack makes ComfyUI's text encoder tiny; the folder itself has no such code."""
    code = machine.base / "code" / "testing"
    shutil.copytree(Path(network_shapes.__file__).parent, code)
    pack = machine.home / "clapper" / "comfyui" / "packs" / "tiny_text_encoder"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text(PACK)
    for path in (machine.home / "clapper").rglob("*"):
        os.chown(path, USER, USER)
    os.chown(machine.home / "clapper", USER, USER)
    machine.variables |= {"SPACE_TEST_COMFY": str(code.parent), "CLAPPER_COMFYUI_PACKS": "true"}


async def test_a_real_comfyui_makes_a_clip_cold_and_a_lipsync_warm(
    machine: Machine, tmp_path: Path
) -> None:
    async with machine.running() as space, space.visitor("ada") as ada:
        first = await ada.made(await ada.ask())
        image = await ada.upload(write_png(tmp_path / "a.png"))
        sound = await ada.upload(write_wav(tmp_path / "a.wav"))
        second = await ada.made(await ada.ask("lipsync", image, sound))

    assert streams(first) == streams(second) == {"video": "h264", "audio": "aac"}
    assert [lease.warm for lease in machine.lender.leases] == [False, True]
    assert {lease.how for lease in machine.lender.leases} == {"released"}
    assert space.left == []
    assert space.broke() == []
