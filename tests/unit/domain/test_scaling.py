from itertools import count

import pytest

from core.domain.scaling import ScalingRules, WantedWorkers

RULES = ScalingRules(target_wait_s=300, floor=1, ceiling=8, hold_s=300)


def settled(rules=RULES):
    """Wanted workers whose while of knowing nothing is over."""
    wanted = WantedWorkers(rules)
    wanted.look(0, 0, 0)
    return wanted


@pytest.mark.parametrize(
    ("backlog_s", "workers"), [(0, 1), (1, 1), (300, 1), (301, 2), (2_399, 8), (1e9, 8)]
)
def test_a_pool_needs_as_many_workers_as_make_its_line_in_time(backlog_s, workers):
    assert RULES.needed(backlog_s) == workers


def test_more_workers_are_wanted_at_once():
    wanted = settled()
    assert wanted.look(1_000, 900, 1) == 3
    assert wanted.look(1_001, 1_800, 3) == 6


def test_fewer_workers_are_wanted_after_fewer_would_have_done_for_a_while():
    wanted = settled()
    assert wanted.look(1_000, 1_800, 6) == 6
    assert [wanted.look(at, 300, 6) for at in (1_001, 1_200, 1_299)] == [6, 6, 6]
    assert wanted.look(1_300, 300, 6) == 1


def test_a_short_peak_within_the_while_counts_from_its_own_moment():
    wanted = settled()
    wanted.look(1_000, 1_800, 6)
    wanted.look(1_200, 900, 6)
    assert wanted.look(1_301, 0, 6) == 3
    assert wanted.look(1_501, 0, 3) == 1


def test_a_line_that_sways_makes_nobody_come_and_go():
    wanted = settled()
    seen = [wanted.look(at, 600 if turn % 2 else 1_500, 5) for turn, at in
            zip(range(100), count(1_000, 15), strict=False)]  # fmt: skip
    assert set(seen) == {5}


def test_who_just_began_to_look_sends_no_living_worker_away():
    wanted = WantedWorkers(RULES)
    assert wanted.look(0, 0, 5) == 5
    assert wanted.look(299, 0, 5) == 5
    assert wanted.look(300, 0, 5) == 1


def test_the_ceiling_holds_for_workers_that_live_already():
    assert WantedWorkers(RULES).look(0, 0, 20) == 8
