"""Processes that die, and processes that must not live together."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.accounts.quotas import Quotas
from core.domain.jobs import JobState, ReplyTo
from core.domain.people import Requester
from core.errors.storage import StorageFull, StorageUnavailable
from core.queue.job_queue import JobQueue, NewJob, QueueRules
from core.queue.recovery import Recovery
from core.storage.database import open_database
from core.storage.invariants import check
from core.storage.job_queries import JobQueries
from core.storage.outbox import Outbox
from core.testing.doubles import t2v

WRITER = Path(__file__).with_name("writer.py")
ROOT = Path(__file__).resolve().parents[3]
KILLS = 6


class Writer:
    """The other process, and what it told."""

    def __init__(self, folder, seed):
        self.process = subprocess.Popen(
            [sys.executable, str(WRITER), str(folder), str(seed)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            text=True,
        )
        self.facts = []

    def listen(self, until=None):
        """Read facts up to the word ``until``, or to the end of the process."""
        for line in self.process.stdout:
            words = line.split()
            if words[:1] == [">"] and line.endswith("\n"):
                self.facts.append(words[1:])
                if words[1] == until:
                    return
        self.process.wait()
        self.process.stdout.close()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.listen()


def live_and_die(folder, seed, seconds):
    writer = Writer(folder, seed)
    writer.listen(until="ready")
    time.sleep(seconds)  # a random moment is the point here
    writer.kill()
    return writer.facts


async def test_killed_at_random_moments_it_keeps_every_promise(tmp_path):
    dice = random.Random(20)
    facts = []
    for seed in range(KILLS):
        facts += live_and_die(tmp_path, seed, dice.uniform(0.05, 0.8))

    url = f"sqlite+aiosqlite:///{tmp_path / 'clapper.sqlite'}"
    async with open_database(url, tmp_path) as database:
        recovery = await Recovery(database, QueueRules(), tmp_path / "clips").recover()
        jobs = JobQueries(database, tmp_path / "clips")
        async with database.transaction() as connection:
            assert await check(connection) == []
        accepted = {fact[1] for fact in facts if fact[0] == "accepted"}
        settled = {fact[1] for fact in facts if fact[0] == "settled"}
        states = {job_id: (await jobs.get(job_id)).state for job_id in accepted}
        owed = {one.job.id for one in await Outbox(database, tmp_path / "clips").due(limit=10**6)}

    assert recovery.violations == ()
    assert len(accepted) > KILLS
    assert all(states[job_id] is JobState.SUCCEEDED for job_id in settled & accepted)
    delivered = [fact[1] for fact in facts if fact[0] == "delivered"]
    assert len(delivered) == len(set(delivered))
    terminal = {job_id for job_id, state in states.items() if state.terminal}
    sure = {fact[1] for fact in facts if fact[0] == "shown"}
    assert terminal - owed <= sure, "a terminal job is owed, or was shown"
    seen = set()
    for _, job_id, ambiguous in (fact for fact in facts if fact[0] == "shown"):
        assert (job_id in seen) <= (ambiguous == "True"), "a repeat knows that it is one"
        seen.add(job_id)


def test_second_process_on_the_same_data_directory_is_refused(tmp_path):
    first = Writer(tmp_path, 1)
    first.listen(until="ready")
    second = Writer(tmp_path, 2)
    second.listen()
    first.kill()
    third = Writer(tmp_path, 3)
    third.listen(until="ready")
    third.kill()

    assert second.facts == [["refused", "data_directory_busy"]]
    assert second.process.returncode == 3
    assert third.facts[0] == ["ready"]


async def test_full_disk_refuses_writes_and_breaks_nothing(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'clapper.sqlite'}"
    anna = Requester("discord", "anna")
    async with open_database(url, tmp_path) as database:
        rules = QueueRules(max_queued=10**6)
        queue = JobQueue(database, rules, tmp_path / "clips")
        recovery = Recovery(database, rules, tmp_path / "clips")
        await recovery.recover()

        async def pages(limit):
            async with database.transaction() as connection:
                await connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

        async def fill():
            for number in range(10_000):
                name = f"{number:032x}"
                await queue.submit(NewJob(name, anna, t2v("kite " * 300), ReplyTo("cli"), 1, name))

        await pages(1)  # SQLite makes it what the file has now
        with pytest.raises(StorageUnavailable) as refused:
            await fill()
        assert isinstance(refused.value.__cause__, StorageFull)
        waiting = (await JobQueries(database, tmp_path / "clips").counts()).waiting
        await pages(1_000_000)

        async with database.transaction() as connection:
            assert await check(connection) == []
        assert (await Quotas(database, rules.quota).quota(anna)).reserved_ms == waiting
        job = await queue.claim()
        assert job is not None or waiting == 0
        assert (await recovery.recover()).violations == ()
