"""What a command loads before it does anything."""

import subprocess
import sys


def test_no_command_waits_for_the_solver_of_the_fit() -> None:
    program = "import sys, core.cli.app; print('scipy' in sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert loaded.stdout.strip() == "False"
