"""The parent of the service: what it starts again, what it does not, and how both end."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from core.app import supervisor
from core.cli.supervised import run_supervised
from core.settings import PROJECT_ROOT

CHILD = """
import ctypes, os, signal, sys
from pathlib import Path
folder = Path(sys.argv[1])
lives = folder / "lives"
number = len(lives.read_text().split()) if lives.exists() else 0
with lives.open("a") as file:
    file.write(f"{os.getpid()}\\n")
plan = (folder / "plan").read_text().split()
ending = plan[min(number, len(plan) - 1)]
if ending == "segfault":
    ctypes.string_at(0)
if ending.startswith("SIG"):
    os.kill(os.getpid(), getattr(signal, ending))
if ending in ("wait", "deaf"):
    def told(number, frame):
        (folder / "told").open("a").write(signal.Signals(number).name + "\\n")
        if ending == "wait":
            os._exit(0)
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, told)
    print("waiting", flush=True)
    while True:
        signal.pause()
sys.exit(int(ending))
"""
PARENT = """
import json, sys
from core.app.supervisor import RestartRules, Supervisor, tell_terminal
rules = RestartRules(**json.loads(sys.argv[1]))
sys.exit(Supervisor([sys.executable, *sys.argv[2:]], rules, tell_terminal).run())
"""


class Parent:
    """A supervisor in a process of its own, over a child that ends as planned."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "child.py").write_text(CHILD)
        self.process: subprocess.Popen[str] | None = None

    def start(self, *plan: str, **rules: float) -> "subprocess.Popen[str]":
        (self.folder / "plan").write_text(" ".join(plan))
        chosen = {"first_wait_s": 0.01, "longest_wait_s": 0.02, "stop_s": 20.0, **rules}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, json.dumps(chosen),
             str(self.folder / "child.py"), str(self.folder)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT_ROOT,
        )  # fmt: skip
        return self.process

    def until_waiting(self) -> int:
        """Wait until a child waits for a signal; return its process id."""
        assert self.process
        assert self.process.stdout
        assert self.process.stdout.readline() == "waiting\n"
        return self.lives()[-1]

    def lives(self) -> list[int]:
        return [int(pid) for pid in (self.folder / "lives").read_text().split()]

    def ended(self) -> tuple[int, str]:
        assert self.process
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@pytest.fixture
def parent(tmp_path: Path) -> Generator[Parent]:
    parent = Parent(tmp_path)
    yield parent
    if parent.process is not None:
        if parent.process.poll() is None:
            parent.process.kill()
        parent.process.communicate(timeout=60)


def gone(pid: int) -> bool:
    """Tell whether a process ended; one that nobody reaped yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return True


def until_gone(pid: int) -> bool:
    """Wait until a process ended, for at most 20 s: its files are closed a moment before."""
    until = time.monotonic() + 20
    while not gone(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return gone(pid)


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("segfault", "SIGSEGV"),
        ("SIGKILL", "SIGKILL"),
        ("SIGABRT", "SIGABRT"),
        ("1", "status 1"),
        ("139", "status 139"),
        ("75", "lost its device"),
    ],
)
def test_a_service_that_crashes_is_started_again_and_that_is_said(
    parent: Parent, ending: str, words: str
) -> None:
    parent.start(ending, ending, "0")

    code, said = parent.ended()

    assert code == 0
    assert len(parent.lives()) == 3
    assert said.count(words) == 2


@pytest.mark.parametrize("status", [0, 2, 3, 4, 5, 130])
def test_an_end_that_would_come_again_is_passed_on(parent: Parent, status: int) -> None:
    parent.start(str(status))

    assert parent.ended() == (status, "")
    assert len(parent.lives()) == 1


@pytest.mark.parametrize(("ending", "status"), [("75", 75), ("1", 1), ("SIGKILL", 137)])
def test_after_too_many_crashes_in_an_hour_it_gives_up_and_says_so(
    parent: Parent, ending: str, status: int
) -> None:
    parent.start(ending, an_hour=3)

    code, said = parent.ended()

    assert code == status
    assert len(parent.lives()) == 4
    assert "4 times within an hour" in said


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_reaches_the_service_once_and_ends_both(parent: Parent, name: str) -> None:
    process = parent.start("wait")
    child = parent.until_waiting()

    process.send_signal(getattr(signal, name))

    assert parent.ended() == (0, "")
    assert (parent.folder / "told").read_text() == f"{name}\n"
    assert len(parent.lives()) == 1
    assert until_gone(child)


def test_a_service_that_does_not_stop_is_killed(parent: Parent) -> None:
    process = parent.start("deaf", stop_s=0.3)
    child = parent.until_waiting()

    process.terminate()
    code, said = parent.ended()

    assert code == 128 + signal.SIGKILL
    assert "did not stop in time" in said
    assert until_gone(child)


def test_a_signal_between_two_lives_ends_the_wait(parent: Parent) -> None:
    process = parent.start("1", first_wait_s=600.0, longest_wait_s=600.0)
    assert process.stderr
    process.stderr.readline()

    process.terminate()

    assert parent.ended()[0] == 0
    assert len(parent.lives()) == 1


@pytest.mark.parametrize("ending", ["wait", "deaf"])
def test_a_parent_that_is_killed_takes_the_service_with_it(parent: Parent, ending: str) -> None:
    process = parent.start(ending)
    child = parent.until_waiting()

    process.kill()
    process.wait(20)
    assert process.stdout
    process.stdout.read()  # ends once the child, which holds its other end, is gone

    assert until_gone(child)


def test_a_service_that_is_killed_is_started_again(parent: Parent) -> None:
    process = parent.start("wait")
    first = parent.until_waiting()

    os.kill(first, signal.SIGKILL)
    second = parent.until_waiting()
    process.terminate()

    assert parent.ended()[0] == 0
    assert parent.lives() == [first, second]


def test_waits_grow_and_begin_again_after_a_life_that_went_well(parent: Parent) -> None:
    parent.start("1", "1", "1", "0", first_wait_s=0.1, longest_wait_s=0.3)
    assert [line.split()[-2] for line in parent.ended()[1].splitlines()] == ["0.1", "0.2", "0.3"]

    (parent.folder / "lives").unlink()
    parent.start("1", "1", "0", first_wait_s=0.1, longest_wait_s=0.3, well_s=0.0)
    assert [line.split()[-2] for line in parent.ended()[1].splitlines()] == ["0.1", "0.1"]


COMMAND = """
import sys
from core.cli import supervised
import core.app.supervisor
class Seen(core.app.supervisor.Supervisor):
    def run(self): return 0
core.app.supervisor.Supervisor = Seen
assert supervised.run_supervised(["serve", "--studio-only"]) == 0
heavy = ("torch", "sqlalchemy", "aiosqlite", "numpy", "av", "discord", "telegram", "gradio",
         "webui", "bots", "core.storage", "core.queue", "core.worker", "core.comfy", "typer")
print([name for name in heavy if name in sys.modules])
"""


def test_the_parent_holds_nothing_that_could_break() -> None:
    seen = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(COMMAND)],
        capture_output=True, text=True, cwd=PROJECT_ROOT, check=True,
    )  # fmt: skip

    assert seen.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "supervised"),
    [
        (["serve"], True),
        (["-v", "serve", "--studio-only"], True),
        (["serve", "--no-supervise"], False),
        (["serve", "--help"], False),
        (["serve", "--supervised", "5"], False),
        (["generate", "t2v", "-p", "serve"], False),
        (["doctor"], False),
        ([], False),
    ],
)
def test_only_the_service_gets_a_parent(
    arguments: list[str],
    supervised: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Noted:
        def __init__(self, command: list[str], *_: object) -> None:
            commands.append(command)

        def run(self) -> int:
            return 7

    commands: list[list[str]] = []
    monkeypatch.setattr(supervisor, "Supervisor", Noted)

    assert run_supervised(arguments) == (7 if supervised else None)
    assert [command[-len(arguments) :] for command in commands] == [arguments] * supervised


def test_a_setting_leaves_the_parent_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAPPER_SUPERVISE", "false")

    assert run_supervised(["serve"]) is None


@pytest.mark.parametrize("joined", [False, True])
def test_the_file_of_settings_on_the_command_line_counts_for_the_parent_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, joined: bool
) -> None:
    file = tmp_path / "mine.env"
    file.write_text("CLAPPER_SUPERVISE=false\n")
    monkeypatch.setenv("CLAPPER_ENV_FILE", "")
    option = [f"--env-file={file}"] if joined else ["--env-file", str(file)]

    assert run_supervised([*option, "serve"]) is None
    assert os.environ["CLAPPER_ENV_FILE"] == str(file)
