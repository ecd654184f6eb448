"""A stop ends the process in time whatever hangs in it, and the running job is not to blame."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.domain.people import Requester
from core.settings import Settings, load_settings
from core.testing.doubles import QuickExecutor

PROGRAM = Path(__file__).with_name("ending.py")
GRACE_S = 1.0
DOCKER_S = 10.0 - 5.0 + GRACE_S  # what Docker waits by default, less what the default grace is more
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Generator[Start]:
    """Start the service and wait until it hangs in a phase."""
    started: list[subprocess.Popen[str]] = []

    def start(phase: str) -> "subprocess.Popen[str]":
        variables = {
            "DATA_DIR": str(tmp_path / "data"),
            "EXECUTOR": "draft",
            "MIN_FREE_MEGABYTES": "0",
            "SHUTDOWN_GRACE_S": str(GRACE_S),
        }
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(tmp_path / "data"), phase],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
            | {f"CLAPPER_{name}": value for name, value in variables.items()},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout
        said = process.stdout.readline()
        assert said == "now\n", process.communicate()[1][-3000:]
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


async def left(folder: Path) -> list[tuple[bool, int]]:
    """Return of every job whether it waits, and how many losses count against it."""
    settings: Settings = load_settings(
        data_dir=folder / "data", executor="draft", min_free_megabytes=0
    )
    async with open_core(settings, QuickExecutor()) as core:
        jobs = await core.jobs.jobs_of(Requester("test", "ann"))
        return [(job.state.waiting, job.losses) for job in jobs]


@pytest.mark.parametrize("phase", ["warm_up", "run", "obedient", "encode", "delivery", "close"])
async def test_a_stop_ends_in_time_in_every_phase(phase: str, start: Start, tmp_path: Path) -> None:
    process = start(phase)

    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    printed, said = process.communicate(timeout=60)

    assert time.monotonic() - asked < DOCKER_S
    assert process.returncode == 0, said[-3000:]
    assert "Traceback" not in said
    assert printed == "", "what was imported is not taken down first: that takes seconds"
    jobs = await left(tmp_path)
    assert len(jobs) == (phase != "warm_up")
    if phase in ("run", "obedient", "encode"):
        assert jobs == [(True, 0)]


def test_a_front_that_still_starts_holds_up_no_stop(start: Start) -> None:
    process = start("front_starts")

    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 0, said[-3000:]
    assert "Stopped." in said
    assert "cut off" not in said, "it went by the time of what hangs"


async def test_the_second_ctrl_c_says_what_becomes_of_the_job(start: Start, tmp_path: Path) -> None:
    process = start("run")

    process.send_signal(signal.SIGINT)
    assert process.stderr
    for line in process.stderr:
        if "Stopping" in line:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "goes back in line" in said
    assert "cancelled" not in said
    assert await left(tmp_path) == [(True, 0)]


@pytest.mark.parametrize(
    ("phase", "signals", "status", "words"),
    [
        ("obedient", [signal.SIGSTOP, signal.SIGCONT, signal.SIGTERM], 0, "Stopped."),
        ("obedient", [signal.SIGHUP], 0, "Stopped."),
        ("obedient", [signal.SIGTERM], 0, ""),  # and nobody reads what it says
        ("run", [signal.SIGTERM, signal.SIGINT], 130, "goes back in line"),
    ],
    ids=["stopped and continued", "hung up", "unread", "twice"],
)
async def test_a_running_job_is_back_in_line_uncounted_whichever_signals_come(
    phase: str, signals: list[signal.Signals], status: int, words: str,
    start: Start, tmp_path: Path,
) -> None:  # fmt: skip
    said = _ended(start(phase), signals, status, read=bool(words))

    assert "Traceback" not in said
    assert words in said
    assert await left(tmp_path) == [(True, 0)]


def _ended(
    process: "subprocess.Popen[str]", signals: list[signal.Signals], status: int, *, read: bool
) -> str:
    """Send the signals, each once the one before it arrived, and return what was said."""
    said, errors = "", process.stderr
    assert errors
    if not read:
        errors.close()
        process.stderr = None
    for number in signals:
        process.send_signal(number)
        if number == signal.SIGSTOP:
            os.waitpid(process.pid, os.WUNTRACED)
        elif number == signal.SIGTERM and number is not signals[-1]:
            while "Stopping" not in said:
                said += errors.readline()
    _, rest = process.communicate(timeout=60)
    assert process.returncode == status, (said + (rest or ""))[-3000:]
    return said + (rest or "")


async def test_a_killed_service_counts_a_loss(start: Start, tmp_path: Path) -> None:
    process = start("run")

    process.kill()
    process.communicate()

    assert await left(tmp_path) == [(True, 1)]
