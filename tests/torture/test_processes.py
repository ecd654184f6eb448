"""Signals to a whole service and to its parent, a frozen one, a second one, a foreign lock."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from core.app.bootstrap import open_core
from core.cli.exit_codes import ExitStatus
from core.settings import PROJECT_ROOT, load_settings
from core.storage.invariants import check
from core.testing.doubles import QuickExecutor
from tests.torture.conftest import COUNTS, Some

pytestmark = [pytest.mark.xdist_group("torture"), pytest.mark.timeout(1800)]
LEASE_S = 2
Blow = Callable[["Machine"], None]


class Machine:
    """A machine on which one service shall run, and which starts its parent when that is gone."""

    def __init__(self, folder: Path, jobs: int) -> None:
        prompts = [f"slow always {number}" for number in range(jobs)]
        plan = {"prompts": prompts, "users": 10}
        (folder / "plan.json").write_text(json.dumps(plan))
        self.folder, self.jobs = folder, jobs
        self.parent = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        return self.run(sys.executable, "-m", "core.testing.faulty_service", str(self.folder))

    def run(self, *command: str) -> "subprocess.Popen[bytes]":
        settings = {
            "DATA_DIR": str(self.folder / "data"),
            "EXECUTOR": "draft",
            "QUOTA_MINUTES": "100000",
            "MAX_QUEUED": str(self.jobs),
            "MIN_FREE_MEGABYTES": "0",
            "LEASE_S": str(LEASE_S),
            "HEARTBEAT_S": "0.3",
            "MAX_ATTEMPTS": "100",
            "STUDIO_PORT": "0",
        }
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder)}
                | {f"CLAPPER_{name}": value for name, value in settings.items()},
                cwd=PROJECT_ROOT, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def told(self) -> int:
        book = self.folder / "book"
        return book.read_bytes().count(b"\n") if book.exists() else 0

    def until_told(self, more: int) -> None:
        """Wait until so many more people were told, or the service ended."""
        wanted = self.told + more
        while self.told < wanted and self.parent.poll() is None:
            time.sleep(0.02)

    def service(self) -> psutil.Process | None:
        """Return the process below the parent."""
        try:
            children = psutil.Process(self.parent.pid).children()
        except psutil.NoSuchProcess:
            return None
        return children[0] if children else None

    def end(self) -> int:
        """Let it finish; return the status of the parent."""
        return self.parent.wait(900)


def kill_service(machine: Machine) -> None:
    if service := machine.service():
        service.kill()


def kill_parent(machine: Machine) -> None:
    service = machine.service()
    machine.parent.kill()
    machine.parent.wait()
    if service:
        service.wait(20)  # it ends with its parent
    machine.parent = machine.start()


def kill_both(machine: Machine) -> None:
    service = machine.service()
    machine.parent.kill()
    if service:
        service.kill()
    machine.parent.wait()
    machine.parent = machine.start()


def freeze(machine: Machine) -> None:
    """Stop it for longer than its lease, as a laptop that sleeps."""
    if service := machine.service():
        service.suspend()
        time.sleep(2.5 * LEASE_S)
        service.resume()


def hold_the_database(machine: Machine) -> None:
    database = machine.folder / "data" / "clapper.sqlite"
    if database.exists():
        with closing(sqlite3.connect(database, timeout=60)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(2 * LEASE_S)
            connection.rollback()


def start_a_second(machine: Machine) -> None:
    second = machine.run(str(Path(sys.executable).with_name("clapper")), "serve", "--studio-only")
    assert second.wait(120) == ExitStatus.SETUP


@pytest.fixture
def machine(tmp_path: Path, some: Some) -> Generator[Machine]:
    machine = Machine(tmp_path, len(some(range(1200), 50)))
    yield machine
    if machine.parent.poll() is None:
        machine.parent.send_signal(signal.SIGTERM)
        machine.parent.wait(30)


async def test_no_signal_to_any_process_loses_or_doubles_a_job(
    machine: Machine, some: Some, pytestconfig: pytest.Config
) -> None:
    dice = random.Random(2026)
    blows: list[Blow] = [kill_service, kill_parent, kill_both, freeze, hold_the_database]
    blows += [start_a_second]
    rounds = len(some(range(12), 12))
    done: Counter[str] = Counter()
    for blow in dice.sample(blows * rounds, len(blows) * rounds):
        machine.until_told(dice.randrange(1, 4))
        if machine.told >= machine.jobs:
            break
        blow(machine)
        done[blow.__name__] += 1

    assert machine.end() == 0, (machine.folder / "log").read_text()[-4000:]
    book = [json.loads(line) for line in (machine.folder / "book").read_text().splitlines()]
    shown = Counter(entry["job_id"] for entry in book)
    assert len(shown) == machine.jobs
    assert set(shown.values()) == {1}
    kinds = Counter(entry["kind"] for entry in book)
    assert set(kinds) <= {"completed", "worker_lost"}
    assert kinds["worker_lost"] <= sum(done.values()) / 3, "three deaths a job, and no others"
    settings = load_settings(data_dir=machine.folder / "data", executor="draft")
    async with open_core(settings, QuickExecutor()) as core:
        async with core.database.transaction() as connection:
            assert await check(connection) == []
        clips = set(settings.clips_folder.glob("*.mp4"))
        assert len(clips) == kinds["completed"], "a clip that no row names"
    pytestconfig.stash[COUNTS].update(done)
    pytestconfig.stash[COUNTS]["jobs"] += machine.jobs
