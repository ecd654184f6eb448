"""What a command loads before it does anything."""

import subprocess
import sys

import pytest

from tests.support.programs import MAIN


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


@pytest.mark.parametrize(
    ("option", "kilobytes"),
    [("-v", 900_000), ("-v", 400_000), ("-v", 150_000), ("-d", 400_000), ("-d", 100_000)],
)
def test_a_limit_on_memory_is_named_before_a_library_meets_it(option: str, kilobytes: int) -> None:
    shell = ["sh", "-c", f'ulimit {option} {kilobytes}; exec "$0" "$@"', *MAIN, "jobs"]

    done = subprocess.run(shell, capture_output=True, text=True, check=False)

    assert done.returncode == 5
    assert f"{kilobytes * 1024 / 1e6:.1f} MB of memory" in done.stderr
    assert f"ulimit {option} unlimited" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("typed", ["--help", "jobs --help", "--version"])
def test_whatever_a_command_prints_names_an_output_that_is_full(typed: str) -> None:
    shell = ["bash", "-c", 'exec "$0" "$@" >/dev/full', *MAIN, *typed.split()]

    done = subprocess.run(shell, capture_output=True, text=True, check=False)

    assert done.returncode == 5
    assert "standard output" in done.stderr
    assert len(done.stderr.splitlines()) == 1
