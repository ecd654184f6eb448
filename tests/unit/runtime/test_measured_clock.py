"""The clock of another machine, as this one knows it."""

from core.runtime.clock import MeasuredClock


class Time:
    """Both clocks of this machine; the test moves them."""

    wall, monotonic = 1_700_000_000_000, 5_000


def clock_of(time):
    return MeasuredClock(lambda: time.wall, lambda: time.monotonic)


def test_before_it_was_asked_this_machine_is_right():
    time = Time()
    clock = clock_of(time)
    time.monotonic += 70

    assert clock() == Time.wall + 70


def test_answer_took_half_of_the_wait_to_come():
    time = Time()
    clock = clock_of(time)
    asked = clock.ask_at()
    time.monotonic += 40
    clock.measured(asked, Time.wall + 60_000)

    assert clock() == Time.wall + 60_020
    time.monotonic += 5
    assert clock() == Time.wall + 60_025


def test_steps_of_this_machine_change_nothing():
    time = Time()
    clock = clock_of(time)
    time.wall += 10**9

    assert clock() == Time.wall


def test_it_never_goes_back():
    time = Time()
    clock = clock_of(time)
    first = clock()
    clock.measured(clock.ask_at(), Time.wall - 60_000)

    assert clock() == first
    time.monotonic += 60_001
    assert clock() == first + 1
