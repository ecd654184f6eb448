"""Frames at a fixed rate: exactly as many as asked, each the nearest in time."""

import math

from hypothesis import given
from hypothesis import strategies as st

from core.media.frame_rate import resample_frames


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
