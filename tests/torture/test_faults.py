"""Faults of every kind in a real service with its parent: none lost, none doubled, none blamed."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.domain.jobs import JobState
from core.domain.people import Requester
from core.settings import PROJECT_ROOT, load_settings
from core.storage.invariants import check
from core.testing.doubles import QuickExecutor

ENDS = {  # of a job with this fault, by how often it comes
    "fine": "completed",
    "leak once": "completed",
    "cuda once": "completed",
    "segfault once": "completed",
    "kill once": "completed",
    "exit once": "completed",
    "raise once": "internal_error",
    "hang once": "timed_out",
    "cuda always": "worker_lost",
    "segfault always": "worker_lost",
}


def planned(jobs: int, faults: dict[str, int]) -> list[str]:
    """Spread ``faults`` over ``jobs`` prompts, the same way every time."""
    broken = [fault for fault, count in faults.items() for _ in range(count)]
    kinds = broken + ["fine"] * (jobs - len(broken))
    random.Random(2026).shuffle(kinds)
    return [f"{kind} {number}" for number, kind in enumerate(kinds)]


def serve(folder: Path, prompts: list[str], users: int, within_s: float) -> str:
    (folder / "plan.json").write_text(json.dumps({"prompts": prompts, "users": users}))
    settings = {
        "DATA_DIR": str(folder / "data"),
        "EXECUTOR": "draft",
        "QUOTA_MINUTES": "100000",
        "MAX_QUEUED": str(len(prompts)),
        "MIN_FREE_MEGABYTES": "0",
        "JOB_TIMEOUT_S": "3",
    }
    done = subprocess.run(
        [sys.executable, "-m", "core.testing.faulty_service", str(folder)],
        env={"PATH": os.environ["PATH"], "HOME": str(folder)}
        | {f"CLAPPER_{name}": value for name, value in settings.items()},
        cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=within_s, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stderr


async def assert_all_told_once(folder: Path, prompts: list[str], users: int) -> None:
    settings = load_settings(
        data_dir=folder / "data", executor="draft", max_queued=len(prompts), min_free_megabytes=0
    )
    async with open_core(settings, QuickExecutor()) as core:
        async with core.database.transaction() as connection:
            assert await check(connection) == []
        jobs = [
            job
            for user in range(users)
            for job in await core.jobs.jobs_of(Requester("test", f"user-{user}"), len(prompts))
        ]
    assert len(jobs) == len(prompts)
    book = [json.loads(line) for line in (folder / "book").read_text().splitlines()]
    assert Counter(entry["job_id"] for entry in book) == Counter(job.id for job in jobs)
    kinds = {entry["job_id"]: entry["kind"] for entry in book}
    wrong = {}
    for job in jobs:
        kind = job.request.prompt.rpartition(" ")[0]
        if kinds[job.id] != ENDS[kind]:
            wrong[job.request.prompt] = kinds[job.id]
        assert (job.state is JobState.SUCCEEDED) == (ENDS[kind] == "completed")
        if job.state is not JobState.SUCCEEDED:
            assert job.charged_ms == 0
    assert wrong == {}


async def test_faults_of_every_kind_hit_nobody_but_their_own_job(tmp_path: Path) -> None:
    faults = {"raise once": 2, "cuda once": 1, "segfault once": 1, "segfault always": 1}
    faults |= {"hang once": 1, "leak once": 1, "exit once": 1}
    prompts = planned(24, faults)

    said = serve(tmp_path, prompts, 6, 300)

    await assert_all_told_once(tmp_path, prompts, 6)
    assert said.count("SIGSEGV") == 4
    assert said.count("lost its device") == 2
    assert said.count("ended with status 0") == 1


@pytest.mark.torture
@pytest.mark.timeout(3000)
async def test_a_hundred_faults_over_five_hundred_jobs(tmp_path: Path) -> None:
    faults = {"raise once": 38, "cuda once": 20, "segfault once": 20, "kill once": 10}
    faults |= {"hang once": 4, "leak once": 4, "cuda always": 2, "segfault always": 2}
    prompts = planned(500, faults)

    serve(tmp_path, prompts, 50, 2900)

    await assert_all_told_once(tmp_path, prompts, 50)
