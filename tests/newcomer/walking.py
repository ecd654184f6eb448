"""What every walk does: look at how a command ended, and at a service while it runs."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.newcomer.place import Done, Place


def new_place(folder: Path, request: pytest.FixtureRequest) -> Place:
    """Make a place with the Python asked for; skip where what README needs is absent."""
    python = request.config.getoption("newcomer")
    for program in ("git", "make"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: apt-get install {program}")
    if shutil.which(python) is None:
        pytest.skip(f"needs {python}: make newcomer PYTHON=python3.11")
    return Place(folder, python)


def well(done: Done) -> str:
    """Return what a command said that ended well."""
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


@contextmanager
def started(
    place: Place, command: str, *, network: bool = False, **more: str
) -> Generator[tuple[int, str]]:
    """Run a service until Ctrl-C: its process, and the address of the Studio that it tells."""
    with subprocess.Popen(
        place.words(command, network=network),
        cwd=place.checkout, env=place.environment | more, text=True, process_group=0,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as service:  # fmt: skip
        assert service.stdout is not None
        said = ""
        try:
            for line in service.stdout:
                said += line
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    yield service.pid, found[0]
                    break
            else:
                raise AssertionError(said)
        finally:
            os.killpg(service.pid, signal.SIGINT)
        said += service.stdout.read()
    assert "Traceback" not in said, said
