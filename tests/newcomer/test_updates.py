"""A service of before, with people's clips and quotas, becomes this one, and goes back."""

import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core import __version__
from tests.newcomer.place import ROOT, Place
from tests.newcomer.readme import commands
from tests.newcomer.releases import (
    NEXT,
    Start,
    before_this_one,
    git,
    of_the_version_before,
    origin_of,
)
from tests.newcomer.walking import new_place, started, well

CHANGELOG = ROOT / "CHANGELOG.md"
SOMEBODY = "discord:7"


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


pytestmark = [pytest.mark.newcomer, pytest.mark.timeout(3600)]


@pytest.fixture
def at(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[Start], Place]:
    """Return what lays out a checkout at a start, installed, with a filled database."""

    def laid_out(start: Start) -> Place:
        place = new_place(tmp_path, request)
        origin = origin_of(tmp_path, start)
        subprocess.run(["git", "clone", "--quiet", f"file://{origin}", place.checkout], check=True)
        well(place.run("make .venv/.app"))
        clip = place.home / "kite.mp4"
        well(place.run(f"clapper generate t2v --prompt 'a kite' --seconds 1 --out {clip}"))
        well(place.run(f"clapper quota grant {SOMEBODY} 30"))
        return place

    return laid_out


def told(place: Place) -> tuple[str, str]:
    """What people would miss: their clips, and what they may use."""
    clips = well(place.run("find data/clips -name '*.mp4' | xargs cksum"))
    quota = re.findall(r"\d+", well(place.run(f"clapper quota show {SOMEBODY}")))
    return clips, " ".join(quota[:2])


def test_an_update_keeps_everything_and_its_way_back_works(at: Callable[[Start], Place]) -> None:
    (command,) = [one for one in commands() if one.startswith("clapper update")]
    start = before_this_one()
    place = at(start)
    before = told(place)

    said = well(place.run(command))

    (origin,) = place.folder.glob("origin.git")
    assert git("rev-parse", "HEAD", cwd=place.checkout) == git("rev-parse", NEXT, cwd=origin)
    assert __version__ in well(place.run("clapper --version"))
    assert told(place) == before
    well(place.run("clapper invariants"))
    assert NEXT in said

    back = re.findall(r"^  (\S.*)$", said[said.index("git checkout") - 2 :], re.MULTILINE)
    assert len(back) in {3, 4}, said  # programs of before have no lock to install from
    for step in back:
        well(place.run(step))
    assert git("rev-parse", "HEAD", cwd=place.checkout) == start.commit
    assert told(place) == before
    well(place.run("clapper invariants"))


def test_what_the_changelog_says_brings_the_version_before_here(
    at: Callable[[Start], Place],
) -> None:
    start = of_the_version_before()
    (block,) = re.findall(r"^```sh\n(.*?)^```", CHANGELOG.read_text("utf-8"), re.M | re.S)
    place = at(start)
    before = told(place)
    (origin,) = place.folder.glob("origin.git")
    subprocess.run(["git", "update-ref", "refs/heads/main", NEXT], cwd=origin, check=True)

    for line in block.splitlines():
        command = line.partition("  #")[0].strip()
        if command == "make run":
            port = free_port()  # it installs first, so it is on the network of this machine
            with started(place, command, network=True, CLAPPER_STUDIO_PORT=port) as (_, url):
                assert url.endswith(port)
        else:
            well(place.run(command))

    assert __version__ in well(place.run("clapper --version"))
    assert told(place) == before
    well(place.run("clapper invariants"))
