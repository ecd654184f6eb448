"""The time of a server, as a machine counts it on."""

import pytest

from core.runtime.clock import STEP_MS, DatabaseClock
from tests.support.clocks import START_MS, Time


def followed(time: Time) -> DatabaseClock:
    clock = DatabaseClock(lambda: time.monotonic_ms)
    clock.follow(clock.away_ms(time.wall_ms, time.monotonic_ms, time.monotonic_ms))
    return clock


def ask(clock: DatabaseClock, time: Time, *, takes_ms: int = 0) -> int:
    """Ask a server whose answer is under way for half of ``takes_ms``."""
    asked = time.monotonic_ms
    time.passes(takes_ms / 1000)
    return clock.away_ms(time.wall_ms - takes_ms // 2, asked, time.monotonic_ms)


def test_it_counts_on_and_no_wall_clock_of_this_machine_changes_it() -> None:
    time = Time()
    clock = followed(time)

    time.passes(100)

    assert clock() == START_MS + 100_000


@pytest.mark.parametrize("seconds", [-3600, -3, 3, 3600, 15 * 86_400])
def test_a_step_of_the_server_is_seen_and_followed(seconds: int) -> None:
    time = Time()
    clock = followed(time)
    before = clock()
    time.steps(seconds)

    away = ask(clock, time)

    assert abs(away) > STEP_MS
    assert clock() == before
    clock.follow(away)
    assert clock() == time.wall_ms


def test_the_way_of_an_answer_is_no_step_and_time_never_goes_back_by_it() -> None:
    time = Time()
    clock = followed(time)
    before = clock()

    clock.follow(ask(clock, time, takes_ms=900))
    assert clock() == before + 900
    clock.follow(-400)  # it ran fast

    assert clock() == before + 900
    time.passes(1)
    assert clock() == before + 900 + 600
