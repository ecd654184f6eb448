"""Programs that borrow a GPU through the real lender's package, as those of a Space do."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from webui.testing.zerogpu import Lender

Program = subprocess.Popen[str]


def variables(home: Path, lender: Lender) -> dict[str, str]:
    """Return what the platform tells a program: where its home is, and who lends."""
    cgroup = home / "cgroup"
    cgroup.write_text("0::/x\n")
    return {
        **os.environ,
        "HOME": str(home),
        "SPACES_ZERO_GPU": "true",
        "SPACES_ZERO_DEVICE_API_URL": lender.url,
        "ZEROGPU_PROC_SELF_CGROUP_PATH": str(cgroup),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }


@contextmanager
def running(program: Path, home: Path, lender: Lender) -> Generator[Program]:
    """Run ``program``, which answers a line of JSON with another, until the end of the block."""
    pipe, command = subprocess.PIPE, [sys.executable, str(program)]
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, env=variables(home, lender), text=True
    ) as process:
        yield process


def ask(program: Program, question: dict[str, Any]) -> dict[str, Any]:
    """Send ``question`` and return the answer; what is logged between is left out."""
    assert program.stdin
    assert program.stdout
    program.stdin.write(json.dumps(question) + "\n")
    program.stdin.flush()
    while line := program.stdout.readline():
        if line.startswith("{"):
            return json.loads(line)
    raise EOFError("the program ended; its last words are on standard error")
