"""The packages of a Space, and no others, where its user can read them.

The folder names every package with its version; Gradio and the lender's package come from the
platform. What is installed here at the same version is linked; only the rest is fetched.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from filelock import FileLock

# the platform installs these in one command with requirements.txt; the version is the README's
PLATFORM = ("gradio[oauth,mcp]=={sdk}", "uvicorn>=0.14.0", "websockets>=10.4", "spaces")
# imported by ComfyUI only, gigabytes in all: left out where no ComfyUI runs
HEAVY = re.compile(
    r"(torch|kornia|spandrel|comfy-|nvidia-|cuda-|triton|transformers|tokenizers|sentencepiece"
    r"|einops|blake3|simpleeval|sympy|mpmath|networkx|regex|trampoline)",
    re.IGNORECASE,
)


class Contradiction(AssertionError):
    """The platform could not install what the folder asks for."""


@dataclass(frozen=True)
class Environment:
    """An interpreter, and what it was given."""

    python: Path
    packages: dict[str, str]  # name: version
    fetched: tuple[str, ...]  # of those: not found here


def wanted(folder: Path) -> list[str]:
    """The lines of the folder's requirements, and those that the platform adds."""
    text = (folder / "requirements.txt").read_text("utf-8")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    sdk = re.search(r"^sdk_version: *\"?([^\"\n]+)", (folder / "README.md").read_text(), re.M)
    assert sdk is not None
    return [line for line in lines if line] + [line.format(sdk=sdk[1]) for line in PLATFORM]


def light(folder: Path) -> list[str]:
    """The same without what ComfyUI alone imports."""
    return [line for line in wanted(folder) if not HEAVY.match(line)]


def environment(folder: Path, place: Path, *, comfy: bool = False) -> Environment:
    """Make, or find, the environment of ``folder`` below ``place``.

    Args:
        folder: as ``clapper space build`` wrote it.
        place: kept between runs.
        comfy: also what ComfyUI imports, in the versions that are installed here.
    """
    lines = light(folder)
    key = hashlib.sha256("\n".join([sys.version, str(comfy), *lines]).encode()).hexdigest()[:16]
    home = place / key
    record = home / "packages.json"
    with FileLock(place / f"{key}.lock"):  # of the other processes of this test run
        if not record.is_file():
            make(home, lines, comfy=comfy)
    kept = json.loads(record.read_text())
    return Environment(home / "bin" / "python", kept["packages"], tuple(kept["fetched"]))


def make(home: Path, lines: list[str], *, comfy: bool) -> None:
    shutil.rmtree(home, ignore_errors=True)
    chosen = taken_at_its_word(lines)
    command = [str(interpreter()), "-m", "venv", "--without-pip", str(home)]
    subprocess.run(command, check=True)
    fetched = provide(chosen, site_packages(home))
    if comfy:
        provide(installed_heavy(), site_packages(home))
    record = home / "packages.json"
    record.write_text(json.dumps({"packages": chosen, "fetched": fetched}))


def interpreter() -> Path:
    """Find one of our version that another user can run: ours, else the system's."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for base in (Path(sys.base_prefix), Path("/usr/local"), Path("/usr")):
        found = base / "bin" / name
        if found.is_file() and readable_by_all(found) is None:
            return found
    closed = readable_by_all(Path(sys.base_prefix))
    pytest.skip(f"another user cannot read {closed}: apt-get install -y {name}, or chmod o+x")


def link_or_copy(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def site_packages(home: Path) -> Path:
    return next((home / "lib").glob("python*")) / "site-packages"


def taken_at_its_word(lines: list[str]) -> dict[str, str]:
    """Every package at the version that its line names; the lender's package as it is here."""
    named = [line.split("==") for line in lines if "==" in line]
    chosen = {normal(name.partition("[")[0]): version for name, version in named}
    return {**chosen, "spaces": metadata.version("spaces")}


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


def resolved(lines: list[str]) -> dict[str, str]:
    """Let pip choose every package, as on the platform; nothing is installed.

    Raises:
        Contradiction: there is no set of packages that they all allow.
    """
    done = pip("install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-", *lines)
    if done.returncode:
        said = "\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR"))
        if "conflicting" in said:
            raise Contradiction(said)
        pytest.skip(f"pip install {' '.join(lines)}: {said or done.stderr[-300:]}")
    report = json.loads(done.stdout)
    found = [item["metadata"] for item in report["install"]]
    return {normal(item["name"]): item["version"] for item in found}


def provide(chosen: dict[str, str], target: Path) -> list[str]:
    """Link what is installed here, fetch the rest; returns what was fetched."""
    missing: list[str] = []
    for name, version in chosen.items():
        here = distribution(name)
        if here is not None and here.version == version:
            lay(here, target)
        else:
            missing.append(f"{name}=={version}")
    if missing:
        done = pip("install", "--quiet", "--no-deps", "--target", str(target), *missing)
        if done.returncode:
            pytest.skip(f"pip install --no-deps {' '.join(missing)}: {done.stderr[-300:]}")
    return missing


def distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def lay(found: metadata.Distribution, target: Path) -> None:
    """Let the files of ``found`` appear below ``target``: hard links where the disk allows it."""
    for file in found.files or ():
        source, place = Path(str(found.locate_file(file))), target / str(file)
        if ".." in file.parts or not source.is_file() or place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(source, place)


def installed_heavy() -> dict[str, str]:
    """What of :data:`HEAVY` is installed here, and everything that it needs."""
    names = [normal(str(item.name)) for item in metadata.distributions()]
    return closure(name for name in names if HEAVY.match(name))


def closure(names: Iterable[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    open_names = list(names)
    while open_names:
        name = open_names.pop()
        here = distribution(name)
        if here is None or name in chosen:
            continue
        chosen[name] = here.version
        needs = [line for line in here.requires or () if "extra ==" not in line]
        open_names += [normal(re.split(r"[^\w.-]", line)[0]) for line in needs]
    return chosen


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def readable_by_all(path: Path) -> Path | None:
    """The first folder on the way to ``path`` that another user cannot pass; None: all can."""
    for one in (path, *path.parents):
        if one.exists() and not one.stat().st_mode & 0o001:
            return one
    return None
