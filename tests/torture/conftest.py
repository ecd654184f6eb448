"""The machine of the torture tests: a program whose lives end on command, and what must be whole.

Without ``--torture`` each trial takes a slice of its points; ``make torture`` takes them all.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from os import environ
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from core.app.bootstrap import open_core
from core.settings import load_settings
from core.storage.invariants import check
from core.testing.doubles import QuickExecutor

T = TypeVar("T")
HERE = Path(__file__).parent
HINT = "needs Linux and a C compiler: apt-get install -y gcc libc6-dev"
COUNTS = pytest.StashKey[Counter[str]]()


@pytest.fixture(scope="session")
def preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes the faults, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if (compiler is None or sys.platform != "linux") and not environ.get("CI"):
        pytest.skip(HINT)
    assert compiler, HINT
    library = tmp_path_factory.mktemp("preload") / "preload.so"
    source = str(HERE / "preload.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@dataclass
class Lives:
    """The program of lives.py."""

    process: subprocess.Popen[str]
    counts: Counter[str]

    def live(self, folder: Path, jobs: int, **plan: object) -> int:
        """Live one life in ``folder``; return its exit code."""
        line = json.dumps({"folder": str(folder), "jobs": jobs, **plan})
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        code = int(self.answer())
        self.counts["lives"] += 1
        self.counts["deaths"] += code == -9
        return code

    def answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="session")
def program(preload: Path, pytestconfig: pytest.Config) -> Generator[Lives]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "lives.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={name: value for name, value in environ.items() if not name.startswith("CLAPPER_")}
        | {"LD_PRELOAD": str(preload)},
        text=True,
    )
    lives = Lives(process, pytestconfig.stash[COUNTS])
    assert lives.answer() == "ready"
    yield lives
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


class Some(Protocol):
    """Takes all points of a trial with ``--torture``, else every ``step``-th of them."""

    def __call__(self, points: Sequence[T], step: int) -> Sequence[T]: ...


@pytest.fixture
def some(pytestconfig: pytest.Config) -> Some:
    def some(points: Sequence[T], step: int) -> Sequence[T]:
        return points if pytestconfig.getoption("--torture") else points[::step]

    return some


@dataclass
class Books:
    """What everybody was told, and what the database says, of one data directory."""

    counts: Counter[str]
    kinds: Counter[str] = field(default_factory=Counter[str])

    async def assert_whole(self, folder: Path, jobs: int) -> None:
        """Nothing lost, nothing doubled, nothing left over, and the ledger adds up."""
        ids: dict[int, set[str]] = {}
        for line in (folder / "acks").read_text().splitlines():
            ack = json.loads(line)
            ids.setdefault(ack["number"], set()).update(ack["ids"])
        assert sorted(ids) == list(range(jobs))
        assert {len(known) for known in ids.values()} == {1}, "a repeated event made two jobs"
        book = [json.loads(line) for line in (folder / "book").read_text().splitlines()]
        shown = Counter(entry["job_id"] for entry in book)
        assert shown == Counter(job_id for known in ids.values() for job_id in known)
        self.kinds = Counter(entry["kind"] for entry in book)
        self.counts["jobs"] += jobs

        settings = load_settings(data_dir=folder / "data", executor="draft")
        async with open_core(settings, QuickExecutor()) as core:
            async with core.database.transaction() as connection:
                assert await check(connection) == []
            named: set[Path] = set()
            for job_id in shown:
                job = await core.jobs.get(job_id)
                assert job.state.terminal
                named |= {job.clip.path} if job.clip else set()
            assert all(path.exists() for path in named)
            assert set(settings.clips_folder.glob("*.mp4")) == named, "a clip that no row names"
            outbox = await core.outbox.counts()
            assert (outbox.sent, outbox.pending, outbox.sending, outbox.dead) == (jobs, 0, 0, 0)


@pytest.fixture
def books(pytestconfig: pytest.Config) -> Books:
    return Books(pytestconfig.stash[COUNTS])


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COUNTS] = Counter()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if counts := config.stash[COUNTS]:
        told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        terminalreporter.write_line(f"torture: {told}; lost 0, doubled 0 where the tests passed")
