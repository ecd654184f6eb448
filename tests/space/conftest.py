"""A Space as its platform runs it: another user's image, forked workers, and a strict lender."""

import compileall
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from core.comfy.install.pins import load_pins
from core.settings import PROJECT_ROOT
from tests.space.environment import Environment, environment, readable_by_all
from tests.space.machine import USER, Machine
from webui.testing.zerogpu import Lender, Rules, lending

ROOT_ONLY = "needs root: on a Space the app, the preloaded models and ~/.cache are another user's"
TIMES = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.space)
            item.add_marker(pytest.mark.timeout(1200))  # two starts, on a busy machine
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason=ROOT_ONLY))


def git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    command = ["git", *name, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="session")
def place() -> Generator[Path]:
    """A folder that another user can read; those of pytest are closed."""
    made = Path(tempfile.mkdtemp(prefix="clapper-space-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def built(place: Path) -> Callable[..., Path]:
    """Build the folder by the command, once for the same settings."""
    kept: dict[tuple[tuple[str, str], ...], Path] = {}

    def build(**variables: str) -> Path:
        key = tuple(sorted(variables.items()))
        if key not in kept:
            target = place / f"built-{len(kept)}"
            own = {name: value for name, value in os.environ.items() if "CLAPPER" not in name}
            clapper = Path(sys.executable).parent / "clapper"
            command = [str(clapper), "space", "build", "--out", str(target)]
            subprocess.run(
                command,
                check=True,
                cwd=PROJECT_ROOT,
                env={**own, "CLAPPER_DATA_DIR": str(place / "none"), **variables},
                capture_output=True,
            )
            # once here, instead of at every start: its user cannot store what it has compiled
            compileall.compile_dir(target, quiet=1)
            kept[key] = target
        return kept[key]

    return build


@pytest.fixture(scope="session")
def comfyui(place: Path) -> tuple[str, str]:
    """A repository with the least that is ComfyUI, and its commit."""
    source = place / "comfyui"
    source.mkdir()
    (source / "comfyui_version.py").write_text(f'__version__ = "{load_pins().version}"\n')
    git(source, "init", "--quiet")
    git(source, "add", ".")
    git(source, "commit", "--quiet", "--message", "the pinned one")
    git(place, "clone", "--quiet", "--bare", str(source), str(place / "comfyui.git"))
    hand_over(place / "comfyui.git")
    return (place / "comfyui.git").as_uri(), git(source, "rev-parse", "HEAD")


def hand_over(folder: Path) -> None:
    """git reads a repository only for its owner."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, USER, USER)


def pin(app: Path, repository: str, commit: str) -> None:
    """Let the folder's own pins name another repository."""
    pins, ours = app / "comfyui" / "pins.toml", load_pins().comfyui
    text = pins.read_text("utf-8")
    text = text.replace(ours.repository, repository).replace(ours.commit, commit)
    pins.write_text(text, "utf-8")


@pytest.fixture(scope="session")
def interpreter(built: Callable[..., Path], pytestconfig: pytest.Config) -> Environment:
    """The Space's own interpreter; made once and kept in pytest's cache."""
    assert pytestconfig.cache is not None
    kept = pytestconfig.cache.mkdir("space")
    began = time.monotonic()
    made = environment(built(), kept)
    closed = readable_by_all(made.python.parent)
    if closed is not None:
        pytest.skip(f"another user cannot read {closed}: chmod o+x {closed}")
    note = f"{len(made.packages)} packages, of which fetched: {', '.join(made.fetched) or 'none'}"
    seconds = time.monotonic() - began
    pytestconfig.stash.setdefault(TIMES, []).append(f"environment {seconds:.1f} s, {note}")
    return made


@pytest.fixture
def rules() -> Rules:
    """How strict the lender is; what a test declares instead of these is its case."""
    return Rules(kills=True, gpus=4, token_s=120)


@pytest.fixture
def lender(rules: Rules) -> Generator[Lender]:
    with lending(rules) as running:
        yield running


@pytest.fixture
def settings_of_builder() -> dict[str, str]:
    """What is set where the folder is built."""
    return {}


@pytest.fixture
def machine(
    built: Callable[..., Path],
    settings_of_builder: dict[str, str],
    comfyui: tuple[str, str],
    interpreter: Environment,
    lender: Lender,
) -> Generator[Machine]:
    """A container with the folder, the preloaded models and nothing else."""
    base = Path(tempfile.mkdtemp(prefix="clapper-space-"))
    made = Machine(base, interpreter.python, lender)
    made.prepare()
    shutil.copytree(built(**settings_of_builder), made.app)
    pin(made.app, *comfyui)
    made.preload()
    yield made
    for left in made.processes():
        left.kill()
    shutil.rmtree(base, ignore_errors=True)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(TIMES, []):
        terminalreporter.write_line(f"space: {line}")
