"""Everything that README tells people to type, typed in its order in a clean place.

Without ``--newcomer`` only what takes seconds is looked at: that each command has its part of the
walk, and that the program knows it. `make newcomer` walks.
"""

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import pytest
import typer.main
from typer.core import TyperGroup

from core import __version__
from core.cli.app import APP
from core.domain.modes import MODES
from tests.newcomer.place import ROOT, Place
from tests.newcomer.readme import commands
from tests.newcomer.walking import new_place, started, well
from tests.support.terminals import talk

SOME_TESTS = "tests/unit/domain tests/unit/duration"  # in the place of all, unless --whole is given

Walk = Callable[[Place, str], None]
WALKS: dict[str, Walk] = {}
# what no package registry has, so that it is not to be had here
ELSEWHERE = {
    "clapper comfy install": "fetches ComfyUI from GitHub: make test-comfy",
    "clapper models pull": "fetches 43 GB from the hub: make test-gpu",
    "clapper update": "begins at a release of before: test_updates.py",
    "make newcomer": "is this walk",
}


def walks(*beginnings: str) -> Callable[[Walk], Walk]:
    """Take a function as the walk of commands that begin so."""

    def remember(walk: Walk) -> Walk:
        WALKS.update(dict.fromkeys(beginnings, walk))
        return walk

    return remember


def walk_of(command: str) -> str | None:
    """Return the beginning of ``command`` that has a walk or a reason to have none."""
    known = [one for one in (*WALKS, *ELSEWHERE) if f"{command} ".startswith(f"{one} ")]
    return max(known, key=len, default=None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Place:
    return new_place(tmp_path_factory.mktemp("newcomer"), request)


@pytest.mark.newcomer
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", commands())
def test_what_readme_says_works(
    place: Place, command: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    found = walk_of(command)
    assert found is not None, f"no walk of tests/newcomer knows {command!r}"
    if found in ELSEWHERE:
        pytest.skip(ELSEWHERE[found])
    if found == "make test" and request.config.getoption("whole"):
        assert "passed" in well(place.run(command))
        return
    WALKS[found](place, command)


@pytest.mark.parametrize("command", commands())
def test_every_command_of_readme_has_a_walk(command: str) -> None:
    assert walk_of(command) is not None


def test_a_command_more_is_a_walk_more() -> None:
    page = "\n".join(
        ("Say `make this` or", "`clapper", "that --now`.", "```sh", "make it  # so", "```")
    )

    assert commands(page) == ["make this", "clapper that --now", "make it"]
    assert walk_of("make something") is None


@pytest.mark.parametrize("command", [one for one in commands() if one.startswith("clapper ")])
def test_the_program_knows_every_command_of_readme(command: str) -> None:
    _, *rest = shlex.split(command.replace("FILE", str(ROOT / "workflows/t2v.json")))
    known = typer.main.get_command(APP)
    context = known.context_class(known, info_name="clapper")
    while isinstance(known, TyperGroup):
        name, *rest = rest
        found = known.get_command(context, name)
        assert found is not None, name
        known = found
    known.make_context(known.name, rest, parent=context)


@walks("git clone")
def clone(place: Place, command: str) -> None:
    """What is committed here is what a newcomer gets."""
    line = command.replace("<this repository>", f"file://{ROOT}")
    assert line != command
    well(place.run(line, cwd=place.folder))
    assert place.checkout.is_dir()


@walks("make demo")
def demo(place: Place, command: str) -> None:
    well(place.run(command))
    films_with_sound(place.checkout / "out")


def films_with_sound(folder: Path) -> None:
    for mode in MODES:
        with av.open(str(folder / f"{mode}.mp4")) as film:
            assert film.streams.video, mode
            assert film.streams.audio, mode
            assert (film.duration or 0) > 1_000_000, mode  # microseconds


@walks("make test")
def some_tests(place: Place, command: str) -> None:
    said = well(place.run(command, PYTEST_ADDOPTS=SOME_TESTS))
    assert int(re.findall(r"(\d+) passed", said)[-1]) > 100
    assert "failed" not in said


@walks("make setup")
def setup(place: Place, command: str) -> None:
    """Somebody who has no bot presses Enter at every question; a script says --yes."""
    settings = place.checkout / ".env"
    status, said = talk(
        place.words(command, network=False), [""] * 4 + ["n"],
        cwd=place.checkout, environment=place.environment,
    )  # fmt: skip

    assert status == 0, said
    assert "clapper serve" in said
    assert settings.stat().st_mode & 0o777 == 0o600
    well(place.run("clapper setup --yes --force", network=False))
    assert "MODEL_PROFILE" in settings.with_name(".env.before-setup").read_text()
    well(place.run("clapper settings --set", network=False))


@walks("make run")
def run(place: Place, command: str) -> None:
    """The Studio answers at the address that is told, and Ctrl-C ends it."""
    with started(place, command) as (process, url):
        look = f"import urllib.request as u; print(u.urlopen({url!r}, timeout=60).read().decode())"
        page = subprocess.run(
            [*place.beside(process), place.checkout / ".venv/bin/python", "-c", look],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert "Clapper" in page


@walks("make wheel")
def wheel(place: Place, command: str) -> None:
    well(place.run(command))
    (built,) = (place.checkout / "dist").glob("*.whl")
    assert __version__ in built.name


@walks("pipx install", "uv tool install")
def install(place: Place, command: str) -> None:
    """Where the program that installs is absent, its registry has it."""
    installer = command.split(maxsplit=1)[0]
    if place.run(f"command -v {installer}").returncode:
        tools = place.folder / installer
        well(place.run(f"python3 -m venv {tools}"))
        well(place.run(f"{tools}/bin/python -m pip install -q {installer}"))
        (place.tools / installer).symlink_to(tools / "bin" / installer)
    installed = place.home / ".local/bin/clapper"
    installed.unlink(missing_ok=True)  # of another installer
    well(place.run(command))
    elsewhere = place.home / f"my clips by {installer}"
    elsewhere.mkdir()

    found = well(place.run(f"{installed} doctor --json", cwd=elsewhere, network=False))
    (libraries,) = [one for one in json.loads(found)["findings"] if one["what"] == "Libraries"]
    assert libraries["health"] == "good", libraries["detail"]

    well(place.run(f"{installed} demo", cwd=elsewhere, network=False))

    films_with_sound(elsewhere / "out")
    assert [path.name for path in elsewhere.iterdir()] == ["out"]
    assert str(place.home) in well(place.run(f"{installed} settings --json", cwd=elsewhere))


@walks("clapper doctor")
def doctor(place: Place, command: str) -> None:
    said = well(place.run(command, network=False))
    assert "clapper comfy install" in said


@walks("clapper settings")
def settings(place: Place, command: str) -> None:
    assert "CLAPPER_EXECUTOR" in well(place.run(command, network=False))


@walks("clapper generate")
def generate(place: Place, command: str) -> None:
    well(place.run(command, network=False))
    target = shlex.split(command)[-1]
    with av.open(str(place.checkout / target)) as film:
        assert film.streams.audio


@walks("clapper estimate")
def estimate(place: Place, command: str) -> None:
    assert "h200" in well(place.run(command, network=False))


@walks("clapper workflow adopt")
def adopt(place: Place, command: str) -> None:
    line = command.replace("FILE", "workflows/t2v.json")
    well(place.run(line, network=False))
    well(place.run("clapper workflow remove t2v", network=False))
