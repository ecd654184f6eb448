"""What a Space installs: every package at one version, from the lock beside this module."""

import re
import tomllib
from pathlib import Path

from core.settings import PROJECT_ROOT

LOCK = Path(__file__).with_name("requirements.lock")
PYTHON = "3.12.12"  # of those that the platform lists for ZeroGPU, as of November 2026
# the newest that the platform lists, as of November 2026, and what was released with it
TORCH = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")
# what the platform adds to the requirements of a Space by itself, and resolves with them
PLATFORM = ("gradio[oauth,mcp]", "spaces", "uvicorn>=0.14.0", "websockets>=10.4")
_BROUGHT = ("gradio", "spaces")  # at the platform's versions, so the folder does not name them
_NOT_THERE = ("discord.py", "python-telegram-bot")  # chat libraries have no place on a Space
# the extra of Gradio that the platform installs wants an older one than our tests run with
_OLDER_THERE = ("pydantic", "pydantic_core")


def wanted() -> list[str]:
    """Return what the lock is resolved from: ours, ComfyUI's, torch, and what the platform adds."""
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ours: list[str] = [line for line in project["dependencies"] if not line.startswith(_NOT_THERE)]
    pins = tomllib.loads((PROJECT_ROOT / "comfyui" / "pins.toml").read_text("utf-8"))
    theirs: list[str] = pins["python"]["requirements"]
    torch = {name_of(line) for line in TORCH}
    return [*ours, *(line for line in theirs if name_of(line) not in torch), *TORCH, *PLATFORM]


def held() -> list[str]:
    """Return the versions that our tests run with, which the lock keeps where it can."""
    lines = (PROJECT_ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and line not in {*_older(lines)}]


def locked() -> dict[str, str]:
    """Return the version of every package of the lock by its name."""
    lines = LOCK.read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name_of(name): version for name, version in pairs}


def requirements() -> list[str]:
    """Return what the folder's ``requirements.txt`` says: the lock without the platform's own."""
    return [f"{name}=={version}" for name, version in locked().items() if name not in _BROUGHT]


def name_of(requirement: str) -> str:
    """Return the name of the package in ``requirement`` as indexes compare it."""
    found = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", found.group()).lower() if found else requirement


def _older(lines: list[str]) -> list[str]:
    older = {name_of(name) for name in _OLDER_THERE}
    return [line for line in lines if name_of(line) in older]
