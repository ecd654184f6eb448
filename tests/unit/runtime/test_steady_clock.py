"""The clock that everything is measured by goes on evenly whatever the wall clock does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runtime.clock import NEAR_MS
from tests.support.clocks import START_MS, STEPS_S, Time

MOVES = st.lists(
    st.tuples(st.sampled_from(["pass", "step"]), st.integers(-(10**8), 10**8)), max_size=30
)


@pytest.mark.parametrize("step_s", STEPS_S)
def test_a_step_of_the_wall_clock_changes_nothing_that_is_measured(step_s: int) -> None:
    time = Time()
    clock = time.clock()

    time.steps(step_s)

    assert clock() == START_MS
    assert clock.away_ms == step_s * 1000
    time.passes(90)
    assert clock() == START_MS + 90_000


def test_a_wall_clock_that_is_set_with_care_is_followed() -> None:
    time = Time()
    clock = time.clock()
    for _ in range(10):
        time.passes(60)
        time.steps(0.9)
        clock()
    assert clock() == time.wall_ms
    assert clock.away_ms == 0


def test_an_adopted_wall_clock_counts_from_then_on() -> None:
    time = Time()
    clock = time.clock()
    time.steps(-7200)
    assert clock.adopt() == -7_200_000
    time.passes(1)
    assert clock() == time.wall_ms


@given(MOVES)
def test_the_time_never_goes_back_nor_faster_than_it_passes(moves: list[tuple[str, int]]) -> None:
    time = Time()
    clock = time.clock()
    last = clock()
    for kind, amount in moves:
        passed = 0
        if kind == "pass":
            passed = abs(amount)
            time.passes(passed / 1000)
        else:
            time.steps(amount / 1000)
        now = clock()
        assert 0 <= now - last <= passed + NEAR_MS
        last = now
