"""kill -9 at random moments: nothing is lost, nothing arrives twice, the ledger adds up."""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.domain.jobs import JobState
from core.domain.people import Requester
from core.settings import Settings, load_settings
from core.storage.invariants import check
from core.testing.doubles import QuickExecutor

KILLS, JOBS, USERS = 40, 200, 40
LIVES = Path(__file__).with_name("lives.py")


class Service:
    """The process of lives.py; answers the exit code of each life."""

    def __init__(self, folder: Path) -> None:
        (folder / "acks").touch()
        self.process = subprocess.Popen(
            [sys.executable, str(LIVES), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def do(self, command: str) -> int:
        assert self.process.stdin
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return int(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip() if self.process.poll() is None else "-1"

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def service(tmp_path: Path) -> Generator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


async def test_forty_kills_lose_nothing_repeat_nothing_and_keep_the_ledger(
    service: Service, tmp_path: Path
) -> None:
    moments = random.Random(2026)
    done = [service.do(f"live {moments.uniform(0.05, 0.7):.3f}") for _ in range(KILLS)]
    assert done.count(0) == 0, "a life completed everything before its kill: shorten them"
    assert service.do("finish") == 0

    jobs_of_event: dict[int, set[str]] = {}
    for line in (tmp_path / "acks").read_text().splitlines():
        ack = json.loads(line)
        jobs_of_event.setdefault(ack["number"], set()).update(ack["ids"])
    assert sorted(jobs_of_event) == list(range(JOBS))
    assert {len(ids) for ids in jobs_of_event.values()} == {1}
    book = [json.loads(line) for line in (tmp_path / "book").read_text().splitlines()]
    shown = Counter(entry["job_id"] for entry in book)
    assert shown == Counter(job_id for ids in jobs_of_event.values() for job_id in ids)
    assert {entry["kind"] for entry in book} == {"completed"}

    async with open_core(settings_of(tmp_path), QuickExecutor()) as core:
        async with core.database.transaction() as connection:
            assert await check(connection) == []
        for user in range(USERS):
            jobs = await core.jobs.jobs_of(Requester("test", f"user-{user}"))
            assert [job.state for job in jobs] == [JobState.SUCCEEDED] * (JOBS // USERS)
            assert all(job.clip and job.clip.path.exists() for job in jobs)
        outbox = await core.outbox.counts()
        assert (outbox.sent, outbox.pending, outbox.sending, outbox.dead) == (JOBS, 0, 0, 0)
        clips = len(list(core.settings.clips_folder.glob("*.mp4")))
        assert clips >= JOBS


def settings_of(folder: Path) -> Settings:
    return load_settings(data_dir=folder / "data", executor="draft", max_attempts=100)
