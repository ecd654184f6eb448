"""What a Space installs is one lock, and it agrees with everything that it was resolved from."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from core.cli.space.requirements import (
    LOCK,
    PYTHON,
    TORCH,
    held,
    locked,
    name_of,
    requirements,
    wanted,
)
from core.settings import PROJECT_ROOT

SPACE = {
    "python_version": PYTHON.rpartition(".")[0],
    "python_full_version": PYTHON,
    "sys_platform": "linux",
    "platform_machine": "x86_64",
    "platform_system": "Linux",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "os_name": "posix",
    "extra": "",
}


def test_every_package_has_one_version() -> None:
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]

    assert all(re.fullmatch(r"[a-z0-9_.-]+==[\w.+]+", line) for line in lines)
    assert len(lines) == len(locked()) > 100


@pytest.mark.parametrize("line", wanted())
def test_the_lock_has_what_is_asked_for(line: str) -> None:
    asked = Requirement(line)

    assert asked.marker is None or asked.marker.evaluate(SPACE)
    assert asked.specifier.contains(locked()[name_of(asked.name)])


def test_what_our_tests_run_with_is_what_a_space_runs() -> None:
    """Older only where the platform's own additions want it so."""
    pins = dict(line.split("==") for line in held())
    theirs = {name: locked().get(name_of(name)) for name in pins}
    differ = {name for name, version in pins.items() if theirs[name] not in {None, version}}
    every = (PROJECT_ROOT / "constraints.txt").read_text().splitlines()

    assert differ == set()
    assert {line.split("==")[0] for line in every if line} - set(pins) == {
        "pydantic",
        "pydantic_core",
    }


def test_torch_is_what_the_platform_lists() -> None:
    assert all(locked()[name_of(line)] == line.split("==")[1] for line in TORCH)
    assert Version("2.8") <= Version(locked()["torch"]) < Version("2.12")


def test_what_installed_packages_ask_for_is_in_the_lock() -> None:
    """Every package that is here at the version of the lock finds all that it needs there."""
    from importlib.metadata import PackageNotFoundError, distribution

    known, lacking = locked(), set[str]()
    for name, version in known.items():
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        for text in (found.requires or []) if found.version == version else []:
            asked = Requirement(text)
            if asked.marker is not None and not asked.marker.evaluate(SPACE):
                continue
            there = known.get(name_of(asked.name))
            if there is None or not asked.specifier.contains(there, prereleases=True):
                lacking.add(f"{name} wants {text}, the lock has {there}")

    assert lacking == set()


def test_the_folder_leaves_to_the_platform_what_the_platform_brings() -> None:
    names = {line.split("==")[0] for line in requirements()}

    assert set(locked()) - names == {"gradio", "spaces"}
