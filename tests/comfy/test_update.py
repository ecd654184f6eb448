"""A newer ComfyUI is tried beside the one in use: the real one, and copies of it with a change."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import comfy
from core.comfy.install.pins import load_pins
from core.comfy.paths import comfy_paths
from core.settings import load_settings

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
    pytest.mark.timeout(1200),  # every control of a mode is tried in a process of its own
]
RUNNER = CliRunner()
UPSCALER = Path("comfy_extras", "nodes_lt_upsampler.py")
VERSION = Path("comfyui_version.py")


@dataclass
class Upstream:
    """A repository of ComfyUI on this disk."""

    folder: Path

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
        command = ["git", "-C", str(self.folder), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, tag: str, change: Callable[[Path], None]) -> None:
        """Make a version ``tag`` of its own with one change, apart from the others."""
        self.git("checkout", "-q", "--force", "master")
        (self.folder / VERSION).write_text(f'__version__ = "{tag}"\n')
        change(self.folder)
        self.git("add", "--all")
        self.git("commit", "-q", "-m", tag)
        self.git("tag", tag)
        self.git("reset", "-q", "--hard", "HEAD~1")


@pytest.fixture
def upstream(
    checkout: Path, bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Upstream:
    folder = tmp_path / "upstream"
    skipped = shutil.ignore_patterns(".git", "__pycache__")
    shutil.copytree(checkout, folder, ignore=skipped)
    made = Upstream(folder)
    made.git("init", "-q", "--initial-branch", "master")
    made.git("add", "--all", "--force")
    made.git("commit", "-q", "-m", "as it is")
    (tmp_path / "checkout").symlink_to(checkout)
    pins = load_pins()
    pin = replace(pins.comfyui, repository=folder.as_uri(), commit=made.git("rev-parse", "HEAD"))
    monkeypatch.setattr(comfy, "load_pins", lambda: replace(pins, comfyui=pin))
    monkeypatch.setenv("CLAPPER_COMFYUI_DIR", str(tmp_path / "checkout"))
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return made


def typed(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(comfy.APP, ["update", "--no-packages", *arguments], env=dict(os.environ))
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def test_one_that_renamed_an_input_is_told_by_it_and_not_used(upstream: Upstream) -> None:
    def rename(folder: Path) -> None:
        text = (folder / UPSCALER).read_text()
        assert "upscale_model" in text
        (folder / UPSCALER).write_text(text.replace("upscale_model", "enlarger"))

    upstream.commit("v0.27.9", rename)

    code, text = typed("--to", "v0.27.9", "--mode", "t2v")

    assert code != 0
    assert "t2v: input missing upscaled.enlarger" in text
    assert "the one in use stays" in text
    assert comfy_paths(load_settings()).checkout.name == "checkout"


def test_one_in_which_every_workflow_and_control_holds_is_used(upstream: Upstream) -> None:
    def reword(folder: Path) -> None:
        (folder / "README.md").write_text("other words")

    upstream.commit("v0.27.8", reword)

    code, text = typed("--to", "v0.27.8", "--mode", "t2v")

    assert code == 0, text
    assert re.search(r"t2v: \d+ runs compared, ", text)
    place = comfy_paths(load_settings())
    assert place.version == place.wanted == "v0.27.8"
    assert place.checkout.parent == upstream.folder.parent
