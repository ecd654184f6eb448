"""What a Space installs: one set of packages, which the platform's own wishes allow."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.space.environment import HEAVY, Environment, light, resolved, wanted


def test_pip_chooses_the_packages_of_the_folder_beside_those_of_the_platform(
    built: Callable[..., Path],
) -> None:
    """All but ComfyUI's own, whose gigabytes nobody fetches for a test."""
    folder = built()
    named = dict(line.split("==") for line in light(folder) if "[" not in line and "==" in line)

    chosen = resolved(light(folder))

    left = {"gradio", "spaces"}  # of the platform
    assert {name: version for name, version in chosen.items() if name not in left} == named


def test_every_package_has_its_version(built: Callable[..., Path]) -> None:
    lines = (built() / "requirements.txt").read_text().splitlines()

    assert [line for line in lines if line and "==" not in line] == []
    assert any(HEAVY.match(line) for line in lines)
    assert len(wanted(built())) > len(lines)


def test_the_folder_brings_everything_that_its_program_imports(
    built: Callable[..., Path], interpreter: Environment
) -> None:
    """The interpreter has the packages of the folder and no others."""
    program = (
        "import sys, pkgutil, importlib, webui.space.start as start; start.place_libraries();"
        "import webui.space.program, webui.front, webui.application, webui.api.mcp_server;"
        "print(len(sys.modules))"
    )
    done = subprocess.run(
        [interpreter.python, "-c", program],
        cwd=built(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
