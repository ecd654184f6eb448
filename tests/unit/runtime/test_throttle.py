"""How often a secret may be tried, on a clock that the test turns."""

import threading

import pytest

from core.runtime.throttle import SecretThrottle, TooManyTries
from tests.support.clocks import Seconds


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def throttle(clock: Seconds) -> SecretThrottle:
    return SecretThrottle(clock)


def wait_of(throttle: SecretThrottle, account: str, address: str, browser: str = "") -> int:
    """Seconds that this try has to wait; 0 where it was let through, and counted."""
    try:
        throttle.begin(account, address, browser)
    except TooManyTries as error:
        return error.wait_s
    return 0


def guessed(
    throttle: SecretThrottle, clock: Seconds, account: str, address: str, for_s: float
) -> int:
    """How many guesses one gets in ``for_s`` seconds who never waits longer than needed."""
    end, count = clock.now + for_s, 0
    while clock.now < end:
        wait_s = wait_of(throttle, account, address)
        count += not wait_s
        clock.now += wait_s or 0.01
    return count


def test_some_mistakes_cost_nothing_and_then_waits_grow(
    throttle: SecretThrottle, clock: Seconds
) -> None:
    free = [wait_of(throttle, "ada", "192.0.2.1") for _ in range(5)]
    waits: list[int] = []
    for _ in range(12):
        clock.now += waits[-1] if waits else 0
        assert wait_of(throttle, "ada", "192.0.2.1") == 0
        waits.append(wait_of(throttle, "ada", "192.0.2.1"))

    assert free == [0] * 5
    assert waits == sorted(waits)
    assert waits[0] == 2
    assert waits[-1] == 900


def test_a_guesser_gets_few_tries_a_day(throttle: SecretThrottle, clock: Seconds) -> None:
    assert guessed(throttle, clock, "ada", "192.0.2.1", for_s=24 * 3600) < 150


def test_a_guesser_of_many_names_at_one_address_is_slowed(
    throttle: SecretThrottle, clock: Seconds
) -> None:
    let_in = 0
    end = clock.now + 3600
    while clock.now < end:
        let_in += not wait_of(throttle, f"name{let_in}", "192.0.2.1")
        clock.now += 1

    assert let_in < 120


def test_tries_at_the_same_moment_all_count(throttle: SecretThrottle) -> None:
    outcomes: list[int] = []
    start = threading.Barrier(30)

    def guess() -> None:
        start.wait()
        outcomes.append(wait_of(throttle, "ada", "192.0.2.1"))

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count(0) <= 6


def test_a_refused_try_does_not_make_the_wait_longer(
    throttle: SecretThrottle, clock: Seconds
) -> None:
    while not (wait_s := wait_of(throttle, "ada", "192.0.2.1")):
        pass
    again = [wait_of(throttle, "ada", "192.0.2.1") for _ in range(50)]
    clock.now += wait_s

    assert set(again) == {wait_s}
    assert wait_of(throttle, "ada", "192.0.2.1") == 0


def test_the_right_secret_ends_the_waits_of_this_account_only(
    throttle: SecretThrottle, clock: Seconds
) -> None:
    """Else somebody with an account of their own could wipe their guesses at others away."""
    guesses = 0
    for number in range(200):
        guesses += not wait_of(throttle, f"other{number}", "192.0.2.1")
        if not wait_of(throttle, "own", "192.0.2.1"):
            throttle.succeeded("own", "192.0.2.1")

    assert guesses <= 21


def test_the_owner_gets_in_while_many_addresses_guess(
    throttle: SecretThrottle, clock: Seconds
) -> None:
    for number in range(500):
        wait_of(throttle, "ada", f"192.0.{number // 250}.{number % 250}")
        clock.now += 0.1

    knock = wait_of(throttle, "ada", "203.0.113.5")
    for number in range(600):  # they go on meanwhile
        wait_of(throttle, "ada", f"198.51.{number // 250}.{number % 250}")
        clock.now += 0.1

    assert 0 < knock <= 60
    assert wait_of(throttle, "ada", "203.0.113.5") == 0
    throttle.succeeded("ada", "203.0.113.5")
    assert wait_of(throttle, "ada", "203.0.113.5") == 0


def test_many_addresses_together_get_one_try_a_wait_each(
    throttle: SecretThrottle, clock: Seconds
) -> None:
    let_in = 0
    for number in range(6000):  # a hundred addresses, ten minutes
        let_in += not wait_of(throttle, "ada", f"192.0.2.{number % 100}")
        clock.now += 0.1

    assert let_in < 30 + 100 * 11


def test_a_browser_that_signed_in_before_is_not_held_by_its_neighbours(
    throttle: SecretThrottle,
) -> None:
    while not wait_of(throttle, "ada", "127.0.0.1"):
        pass

    assert wait_of(throttle, "ada", "127.0.0.1", browser="her own") == 0
    throttle.succeeded("ada", "127.0.0.1", browser="her own")
    assert wait_of(throttle, "ada", "127.0.0.1") > 0


def test_a_browser_has_waits_of_its_own(throttle: SecretThrottle) -> None:
    waits = [wait_of(throttle, "ada", f"192.0.2.{n}", browser="stolen") for n in range(30)]

    assert waits.count(0) <= 6


def test_made_up_names_neither_fill_the_memory_nor_wash_a_guesser_clean(clock: Seconds) -> None:
    throttle = SecretThrottle(clock, size=100)
    while not wait_of(throttle, "ada", "192.0.2.1"):
        pass
    for number in range(5000):
        wait_of(throttle, "x" * 10_000 + str(number), f"2001:db8::{number:x}")

    assert wait_of(throttle, "ada", "192.0.2.1") > 0
    assert throttle.size <= 300


def test_everything_is_forgotten_in_time(throttle: SecretThrottle, clock: Seconds) -> None:
    guessed(throttle, clock, "ada", "192.0.2.1", for_s=24 * 3600)
    clock.now += 24 * 3600

    assert [wait_of(throttle, "ada", "192.0.2.1") for _ in range(5)] == [0] * 5
