import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.dimensions import (
    Size,
    fit_ratio,
    play_time,
    shorten_frames,
    snap_frames,
    snap_size,
)
from core.domain.limits import RequestLimits


@pytest.mark.parametrize(
    ("asked", "becomes"),
    [
        (Size(1280, 720), Size(1280, 704)),
        (Size(1920, 1080), Size(1920, 1088)),
        (Size(768, 512), Size(768, 512)),
        (Size(1, 1), Size(64, 64)),
    ],
)
def test_sides_snap_to_the_nearest_multiple_of_64(asked: Size, becomes: Size) -> None:
    assert snap_size(asked) == becomes


@pytest.mark.parametrize(("seconds", "fps", "frames"), [(5, 24, 121), (4, 25, 97), (1, 8, 9)])
def test_lengths_become_8k_plus_1_frames(seconds: float, fps: float, frames: int) -> None:
    assert snap_frames(seconds, fps) == frames


@given(seconds=st.floats(0.1, 60), fps=st.integers(8, 60))
def test_snapped_length_is_within_half_a_stride(seconds: float, fps: int) -> None:
    frames = snap_frames(seconds, fps)

    assert frames % 8 == 1
    assert frames == 9 or abs(frames - 1 - seconds * fps) <= 4


@given(seconds=st.floats(2, 60), fps=st.integers(8, 60))
def test_shortened_length_never_plays_longer(seconds: float, fps: int) -> None:
    frames = shorten_frames(seconds, fps)

    assert frames % 8 == 1
    assert play_time(frames, fps) <= seconds + 1e-6
    assert play_time(frames + 8, fps) > seconds


@given(
    ratio=st.floats(0.05, 20),
    pixels=st.integers(200_000, 2_100_000),
    longest=st.sampled_from([1280, 1920]),
)
def test_fitted_size_keeps_the_budget_and_the_longest_side(
    ratio: float, pixels: int, longest: int
) -> None:
    size = fit_ratio(ratio, pixels, RequestLimits(min_side=64, max_side=longest))

    assert size.width % 64 == size.height % 64 == 0
    assert size.pixels <= pixels * 1.05
    assert max(size.width, size.height) <= longest


def test_a_ratio_of_16_to_9_gives_the_documented_sizes() -> None:
    assert fit_ratio(16 / 9, 1280 * 704, RequestLimits()) == Size(1280, 704)
    assert fit_ratio(9 / 16, 1920 * 1088, RequestLimits()) == Size(1088, 1920)
