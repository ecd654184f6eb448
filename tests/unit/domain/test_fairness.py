"""The arithmetic of the line, without a database."""

import pytest

from core.domain.fairness import (
    AGEING,
    FairRules,
    JobLoad,
    WorkAhead,
    cost_of,
    forecast,
    rank_of,
)
from core.testing.fair_queue import FairQueue

MINUTE = 60_000


def drain(line, now_ms=0):
    started = []
    while (entry := line.start(now_ms)) is not None:
        line.end(entry, entry.estimate_ms)
        started.append(entry.name)
    return started


def test_weight_buys_a_larger_share():
    line = FairQueue(FairRules())
    for number in range(4):
        line.add(f"a{number}", "anna", MINUTE, 0)
        line.add(f"b{number}", "ben", MINUTE, 0, weight=200)

    assert drain(line)[:6] == ["b0", "a0", "b1", "b2", "a1", "b3"]
    assert cost_of(MINUTE, 200) == MINUTE // 2


def test_flood_waits_behind_itself():
    line = FairQueue(FairRules())
    for number in range(30):
        line.add(f"a{number}", "anna", MINUTE, 0)
    running = line.start(0)
    line.add("b", "ben", MINUTE, 1000)

    assert running is not None
    assert line.order()[0].name == "b"


def test_cancelled_job_has_cost_its_account_nothing():
    line = FairQueue(FairRules())
    for name in ("a0", "a1", "a2"):
        line.add(name, "anna", MINUTE, 0)
    line.add("b0", "ben", MINUTE, 0)
    line.add("b1", "ben", MINUTE, 0)
    line.cancel("a0")
    line.cancel("a1")

    assert drain(line) == ["a2", "b0", "b1"]


def test_truth_replaces_the_estimate():
    line = FairQueue(FairRules())
    for name in ("a0", "a1"):
        line.add(name, "anna", MINUTE, 0)
    for name in ("b0", "b1", "b2", "b3"):
        line.add(name, "ben", MINUTE, 0)
    first = line.start(0)
    assert first is not None
    line.end(first, 3 * MINUTE)

    assert drain(line) == ["b0", "b1", "b2", "a1", "b3"]


def test_newcomers_cannot_keep_somebody_waiting_for_ever():
    line = FairQueue(FairRules())
    line.add("a0", "anna", MINUTE, 0)
    line.add("a1", "anna", MINUTE, 0)
    order = []
    for number in range(50):
        started = line.start(number * MINUTE)
        assert started is not None
        order.append(started.name)
        line.add(f"n{number}", f"newcomer {number}", MINUTE, number * MINUTE)
        line.end(started, MINUTE)

    assert 1 < order.index("a1") <= 2 * AGEING


def test_account_at_its_limit_waits_while_others_wait_and_not_longer():
    line = FairQueue(FairRules(max_running=1))
    line.add("a0", "anna", MINUTE, 0)
    line.add("a1", "anna", MINUTE, 0)
    line.add("b0", "ben", 100 * MINUTE, 0)
    started = [line.start(0) for _ in range(3)]

    assert [entry.name for entry in started if entry] == ["a0", "b0", "a1"]


def test_strict_limit_leaves_the_device_idle():
    line = FairQueue(FairRules(max_running=1, relax=False))
    line.add("a0", "anna", MINUTE, 0)
    line.add("a1", "anna", MINUTE, 0)

    assert line.start(0) is not None
    assert line.start(0) is None


def test_everybody_starts_level_after_an_idle_time():
    line = FairQueue(FairRules())
    line.add("a0", "anna", 100 * MINUTE, 0)
    drain(line)
    line.add("a1", "anna", MINUTE, 0)
    line.add("b0", "ben", MINUTE, 0)

    assert drain(line) == ["a1", "b0"]


def test_waiting_counts_a_twentieth():
    assert rank_of(1000, 0, 50 * AGEING) == 1050


def test_of_two_that_could_start_alike_the_shorter_goes_first():
    line = FairQueue(FairRules())
    line.add("a0", "anna", 5 * MINUTE, 0)
    line.add("b0", "ben", MINUTE, 0)

    assert drain(line) == ["b0", "a0"]


@pytest.mark.parametrize("single_ms", [MINUTE // 10, MINUTE, 15 * MINUTE])
def test_flood_of_short_jobs_does_not_go_before_a_long_single_one(single_ms):
    line = FairQueue(FairRules())
    for number in range(30):
        line.add(f"a{number}", "anna", MINUTE, 0)
    running = line.start(0)
    line.add("b", "ben", single_ms, MINUTE // 2)
    assert running is not None
    line.end(running, MINUTE)

    assert line.order()[0].name == "b"


def test_a_long_job_waits_for_short_newcomers_only_so_long():
    line = FairQueue(FairRules())
    line.add("long", "anna", 5 * MINUTE, 0)
    waited = 0
    for number in range(200):
        line.add(f"n{number}", f"newcomer {number}", MINUTE, number * MINUTE)
        started = line.start(number * MINUTE)
        assert started is not None
        if started.name == "long":
            break
        line.end(started, MINUTE)
        waited = number

    assert 0 < waited <= AGEING * (5 - 1)


@pytest.mark.parametrize(
    ("ahead", "running", "slots", "ready_s"),
    [
        (0, [], 1, 10),
        (0, [4_000], 1, 14),
        (2, [4_000], 1, 34),
        (0, [4_000], 2, 10),
        (2, [4_000, 6_000], 2, 25),
    ],
)
def test_forecast_adds_what_runs_and_what_is_ahead(ahead, running, slots, ready_s):
    before = WorkAhead(ahead, ahead * 10_000, 0)
    loads = [JobLoad(left, 0) for left in running]

    found = forecast(JobLoad(10_000, 0), before, loads, slots)

    assert (found.position, found.ready_in_s) == (ahead + 1, ready_s)
    assert found.ready_in_p95_s == ready_s


def test_errors_of_many_estimates_partly_cancel_out():
    found = forecast(JobLoad(10_000, 3_000), WorkAhead(1, 10_000, 4_000.0**2), [], 1)

    assert found.ready_in_p95_s == pytest.approx(20 + 5)


def test_errors_of_the_work_ahead_are_spread_over_the_devices():
    ahead = WorkAhead(count=4, sum_ms=400_000, spread_squares=(60_000.0**2) * 4)
    own = JobLoad(10_000, 0)

    one, four = (forecast(own, ahead, [], slots) for slots in (1, 4))

    assert one.ready_in_p95_s - one.ready_in_s == pytest.approx(120.0)
    assert four.ready_in_p95_s - four.ready_in_s == pytest.approx(30.0)
