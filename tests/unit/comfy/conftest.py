"""A git repository on this disk that stands for ComfyUI's, and one pack."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.comfy.install.pins import Pin, Pins

Git = Callable[..., str]


@pytest.fixture
def git() -> Git:
    """Runs git in a folder."""

    def run(folder: Path, *arguments: str) -> str:
        identity = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
        command = ["git", "-C", str(folder), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return run


@pytest.fixture
def commit(git: Git) -> Callable[[Path, str], str]:
    """Writes another version of ComfyUI into a repository and returns its commit."""

    def run(folder: Path, version: str) -> str:
        (folder / "comfyui_version.py").write_text(f'__version__ = "{version}"\n')
        git(folder, "add", "comfyui_version.py")
        git(folder, "commit", "-q", "-m", version)
        return git(folder, "rev-parse", "HEAD")

    return run


@pytest.fixture
def upstream(tmp_path: Path, git: Git, commit: Callable[[Path, str], str]) -> Path:
    folder = tmp_path / "upstream"
    folder.mkdir()
    git(folder, "init", "-q", "--initial-branch", "master")
    commit(folder, "0.27.0")
    return folder


@pytest.fixture
def pin(upstream: Path, git: Git) -> Callable[..., Pin]:
    """Pins the newest commit, or the one given."""

    def make(sha: str | None = None, name: str = "ComfyUI") -> Pin:
        return Pin(name, upstream.as_uri(), sha or git(upstream, "rev-parse", "HEAD"), "x", "y")

    return make


@pytest.fixture
def pins(pin: Callable[..., Pin]) -> Pins:
    return Pins("0.27.0", pin(), "torch", (), (pin(name="a-pack"),))
