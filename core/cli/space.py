"""``clapper space build``: the folder of a Hugging Face Space, made from this installation."""

import json
import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.exit_codes import InvalidInput, out
from core.errors import SetupProblem
from core.i18n.messages import say
from core.models.catalog import ModelFile, Profile, files_for
from core.runtime.paths import readable
from core.settings import PROJECT_ROOT, load_settings

APP = typer.Typer(help=say("help_space"), no_args_is_help=True)

PRELOAD_LIMIT = 150_000_000_000  # bytes; above it the platform evicts the image
MOST_ENTRIES = 10  # of preload_from_hub
_CODE = ("core", "webui", "workflows", "migrations", "comfyui/pins.toml", "LICENSE")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "custom")
# the platform pins `spaces` and Gradio by itself; chat libraries have no place there
_NOT_THERE = ("spaces", "gradio", "discord.py", "python-telegram-bot")
# the newest that the platform lists, as of November 2026, and what was released with it
_TORCH = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")


class SpaceFolderTaken(InvalidInput):
    """The folder for the Space holds something already."""

    path: str


class SpaceTooLarge(SetupProblem):
    """The model files are more than a Space can preload."""

    profile: str
    size_bytes: int
    limit_bytes: int


@APP.callback()
def space() -> None:
    """Group the commands."""


@APP.command("build", help=say("help_space_build"))
def build(
    folder: Annotated[Path, typer.Option("--out", help=say("help_space_out"))],
    title: Annotated[str, typer.Option("--title", help=say("help_space_title"))] = "Clapper",
) -> None:
    """Write the folder.

    Raises:
        SpaceFolderTaken: it is not empty.
        SpaceTooLarge: the model files do not fit.
    """
    profile = Profile(load_settings().models.profile)
    files = files_for(None, profile)
    size = sum(file.size_bytes for file in files)
    if size > PRELOAD_LIMIT:
        raise SpaceTooLarge(profile, size, PRELOAD_LIMIT)
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise SpaceFolderTaken(readable(folder))
    write_space(folder, title, files)
    _print_next_steps(folder, files)


def write_space(folder: Path, title: str, files: tuple[ModelFile, ...]) -> None:
    """Write page, requirements, entry and code into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _CODE:
        source, target = PROJECT_ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=_LEFT_OUT)
        else:
            shutil.copy(source, target)
    (folder / "README.md").write_text(readme(title, files), "utf-8")
    (folder / "requirements.txt").write_text("\n".join([*requirements(), ""]), "utf-8")
    (folder / "app.py").write_text("from webui.space import main\n\nmain()\n", "utf-8")


def preload(files: tuple[ModelFile, ...]) -> list[str]:
    """Return the entries of ``preload_from_hub``: one a repository and commit."""
    groups: dict[tuple[str, str], list[str]] = {}
    for file in files:
        groups.setdefault((file.repo, file.revision), []).append(file.path)
    return [f"{repo} {','.join(paths)} {commit}" for (repo, commit), paths in groups.items()]


def readme(title: str, files: tuple[ModelFile, ...]) -> str:
    """Return the Space's page with its configuration."""
    head = {
        "title": json.dumps(title, ensure_ascii=False),  # a colon would end it otherwise
        "emoji": "🎬",
        "colorFrom": "gray",
        "colorTo": "yellow",
        "sdk": "gradio",
        "sdk_version": _pinned("gradio"),
        "python_version": '"3.12"',
        "app_file": "app.py",
        "startup_duration_timeout": "1h",
        "hf_oauth": "true",
        "license": "mit",
        "short_description": say("studio_tagline"),
    }
    lines = [f"{key}: {value}" for key, value in head.items()]
    entries = [f"  - {entry}" for entry in preload(files)]
    licences = sorted({f"[{file.licence.name}]({file.licence.url})" for file in files})
    front = "\n".join(["---", *lines, "preload_from_hub:", *entries, "---"])
    note = f"{say('studio_tagline')}. {say('studio_ai_note')}"
    return f"{front}\n\n# {title}\n\n{note}\n\n{', '.join(licences)}\n"


def requirements() -> list[str]:
    """Return what the Space installs, each once: ours and ComfyUI's, at our pins where we have."""
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ours: list[str] = [line for line in project["dependencies"] if not line.startswith(_NOT_THERE)]
    pins = tomllib.loads((PROJECT_ROOT / "comfyui" / "pins.toml").read_text("utf-8"))
    theirs: list[str] = pins["python"]["requirements"]
    wanted = {_name(line): line for line in (*ours, *theirs)}
    wanted |= {_name(line): _pinned_line(line) for line in ours}
    wanted |= {_name(line): line for line in _TORCH}
    return sorted(wanted.values(), key=str.lower)


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    return found.group().lower().replace("_", "-") if found else requirement


def _pinned_line(requirement: str) -> str:
    """Return the same with its extras at the version that our tests run with."""
    named = re.split(r"[<>=!~]", requirement)[0]
    return f"{named}=={_pinned(_name(requirement))}"


def _pinned(name: str) -> str:
    lines = (PROJECT_ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return next(line.partition("==")[2] for line in lines if _name(line) == name)


def _print_next_steps(folder: Path, files: tuple[ModelFile, ...]) -> None:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(say("space_row_file"), overflow="fold")
    table.add_column(say("space_row_size"), justify="right")
    for file in files:
        table.add_row(file.name, say("models_size", {"size": file.size_bytes}))
    console = out()
    console.print(table)
    data = {
        "count": len(files),
        "repos": len(preload(files)),
        "size": sum(file.size_bytes for file in files),
        "limit": PRELOAD_LIMIT,
    }
    console.print(say("space_total", data))
    written = sum(path.is_file() for path in folder.rglob("*"))
    built = say("space_built", {"folder": readable(folder), "files": written})
    console.print(built, soft_wrap=True)
