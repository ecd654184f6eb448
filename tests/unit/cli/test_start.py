"""What a command loads before it does anything."""

import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """The modules of a command that looked which fronts there are."""
    program = (
        "import sys, core.cli.app; from core.app.serve import found_fronts;"
        "assert len(found_fronts(print)) == 3; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("library", ["scipy", "gradio", "pandas", "mcp", "obstore", "torch"])
def test_no_command_waits_for_what_only_a_running_part_needs(
    library: str, loaded: list[str]
) -> None:
    assert library not in loaded
