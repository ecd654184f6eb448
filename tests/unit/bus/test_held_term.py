"""A term ends here before it ends in the rows, by a clock of its own."""

import pytest

from core.bus.held_term import HeldTerm
from tests.support.clocks import Seconds


@pytest.mark.parametrize(("length_s", "held_s"), [(10.0, 8.0), (60.0, 58.0), (5.0, 4.0)])
def test_a_term_is_given_up_before_another_node_may_take_it(length_s: float, held_s: float) -> None:
    """Two seconds before, and a fifth of a shorter one: who was stopped may act no more."""
    seconds = Seconds()
    term = HeldTerm(length_s, seconds)
    term.renewed(seconds())

    seconds.now += held_s - 0.01
    assert term.held
    seconds.now += 0.02
    assert not term.held


def test_a_renewal_counts_from_when_the_rows_were_asked() -> None:
    seconds = Seconds()
    term = HeldTerm(10.0, seconds)
    asked_s = seconds()
    seconds.now += 5.0  # until they answered
    term.renewed(asked_s)

    seconds.now += 3.5
    assert not term.held


def test_a_term_in_doubt_is_not_held_until_the_rows_say_so() -> None:
    seconds = Seconds()
    term = HeldTerm(10.0, seconds)
    term.renewed(seconds())

    term.doubt()
    assert (term.held, term.ask.is_set()) == (False, True)
    term.renewed(seconds())
    assert term.held
    term.lose()
    term.renewed(seconds())
    assert not term.held
