"""What a worker that has to stop finishes, and what it hands over."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.progress import Stage, Working
from core.runtime.notifier import LocalDispatcher
from core.worker.attempt import JobAttempt, Phase


@pytest.fixture
async def attempt(room, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    job = replace(await room.submit("anna"), estimate_ms=40_000)
    made = JobAttempt(job, Path("work"), LocalDispatcher())
    made.clock = clock
    made.enter(Phase.EXECUTING)
    return made


@pytest.mark.sqlite
@pytest.mark.parametrize(("spent_s", "left_s"), [(0, 40), (30, 10), (90, 0)])
async def test_before_the_pace_is_known_the_estimate_says_what_is_left(attempt, spent_s, left_s):
    attempt.clock[0] += spent_s

    assert attempt.expected_left_s(None) == left_s
    assert attempt.expected_left_s(Working(Stage.STAGE1, 1, 8, 0.1)) == left_s


@pytest.mark.sqlite
async def test_the_pace_so_far_says_what_is_left_with_its_encoding(attempt):
    attempt.shares = {Stage.STAGE1: 0.8, Stage.ENCODE: 0.2}
    attempt.clock[0] += 60

    left_s = attempt.expected_left_s(Working(Stage.STAGE1, 6, 8, 0.6))

    assert left_s == pytest.approx(60 / 0.6 * 0.4)
