"""A display matrix is followed by the nearest of the eight ways."""

import math

import pytest

from core.media.intake.orientation import UPRIGHT, filters_of, nearest_turn, swaps_sides


def matrix(a: float, b: float, c: float, d: float) -> tuple[int, ...]:
    return (
        *(round(v * 65_536) for v in (a, b)),
        0,
        *(round(v * 65_536) for v in (c, d)),
        0,
        0,
        0,
        1,
    )


@pytest.mark.parametrize("mirrored", [1, -1])
@pytest.mark.parametrize("degrees", range(-180, 180, 15))
def test_any_angle_is_taken_to_the_nearest_quarter(degrees: int, mirrored: int) -> None:
    if degrees % 90 == 45:
        pytest.skip("half way")
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    turn = nearest_turn(matrix(mirrored * cos, mirrored * sin, -sin, cos))

    assert turn[0] * turn[3] - turn[1] * turn[2] == mirrored
    assert swaps_sides(turn) == (45 < abs(degrees) < 135)


def test_without_a_matrix_a_picture_stays_as_it_is() -> None:
    assert nearest_turn(()) == nearest_turn((0,) * 9) == UPRIGHT
    assert filters_of(UPRIGHT) == ()
