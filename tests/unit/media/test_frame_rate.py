"""Frames at a fixed rate: exactly as many as asked, each the nearest in time."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.media.frame_rate import choose_rate, resample_frames


def numbered(times: list[float]) -> list[tuple[float, int]]:
    return [(time, index) for index, time in enumerate(times)]


def test_the_same_rate_gives_the_same_frames() -> None:
    assert list(resample_frames(numbered([n / 24 for n in range(9)]), 24, 9)) == list(range(9))


def test_half_the_rate_leaves_out_every_second() -> None:
    assert list(resample_frames(numbered([n / 48 for n in range(9)]), 24, 4)) == [0, 2, 4, 6]


def test_double_the_rate_repeats_and_half_way_the_earlier_stays() -> None:
    assert list(resample_frames(numbered([0, 0.5, 1.0]), 4, 5)) == [0, 0, 1, 1, 2]


def test_the_last_frame_is_held_and_nothing_comes_from_nothing() -> None:
    assert list(resample_frames(numbered([0.0]), 24, 3)) == [0, 0, 0]
    assert list(resample_frames([], 24, 3)) == []


@given(
    times=st.lists(st.floats(-1e9, 1e9) | st.just(math.inf), min_size=1, max_size=30),
    ticks=st.integers(0, 50),
)
def test_times_that_lie_never_change_how_many_there_are_nor_their_order(
    times: list[float], ticks: int
) -> None:
    shown = list(resample_frames(numbered(times), 24, ticks))

    assert len(shown) == ticks
    assert shown == sorted(shown)


@pytest.mark.parametrize(
    ("times", "rate"),
    [
        ([n / 30 for n in range(60)], Fraction(30)),
        ([n * 1001 / 30_000 for n in range(60)], Fraction(30_000, 1001)),
        ([n * 1001 / 24_000 for n in range(48)], Fraction(24_000, 1001)),
        ([round(n / 24, 3) for n in range(48)], Fraction(24)),  # Matroska rounds
        ([n / 60 for n in range(60)], Fraction(30)),
        ([n / 240 for n in range(240)], Fraction(30)),
        ([n / 50 for n in range(100)], Fraction(25)),
        ([*(n / 30 for n in range(60)), 9.96], Fraction(30)),  # then nothing moves
        ([*(n for n in range(20)), *(20 + n / 25 for n in range(50))], Fraction(25)),
        ([0.0, *(n / 30 + 0.0213 for n in range(1, 60))], Fraction(30)),  # MP4 in fragments
        ([n / 30 for n in range(90) if n % 7], Fraction(30)),  # frames are left out in the dark
        ([n / 4 for n in range(8)], Fraction(8)),
        ([0.0], Fraction(8)),
        ([], Fraction(8)),
    ],
)
def test_the_rate_is_that_of_the_busy_part(times: list[float], rate: Fraction) -> None:
    assert choose_rate(times, 30) == rate
    assert choose_rate(times[::-1], 30) == rate


@given(times=st.lists(st.floats(-1e4, 1e4), max_size=40))
def test_no_times_give_a_rate_outside_the_range(times: list[float]) -> None:
    assert 8 <= choose_rate(times, 30) <= 30.3
