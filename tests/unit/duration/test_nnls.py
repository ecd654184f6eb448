import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.duration.nnls import nnls

NUMBERS = st.floats(-8, 8).map(lambda number: round(number, 3))


@given(st.data(), st.integers(1, 4), st.integers(0, 12))
def test_no_other_numbers_that_are_not_negative_fit_better(data, columns, rows):
    """What Karush, Kuhn and Tucker ask of a solution, which a convex problem has but once."""
    measured = data.draw(arrays(float, (rows, columns), elements=NUMBERS))
    table = np.vstack([measured, 0.5 * np.eye(columns)])  # independent, as the prior makes them
    target = data.draw(arrays(float, rows + columns, elements=NUMBERS))

    found = nnls(table, target)
    downhill = table.T @ (target - table @ found)

    assert (found >= 0).all()
    assert downhill.max() <= 1e-8
    assert np.abs(downhill[found > 0]).max(initial=0) <= 1e-8


@pytest.mark.parametrize(
    ("table", "target", "solution"),
    [
        ([[1, 0], [0, 1]], [2, 3], [2, 3]),
        ([[1, 0], [0, 1]], [2, -3], [2, 0]),
        ([[1, 0], [0, 1]], [-2, -3], [0, 0]),
        ([[1, 1], [1, 2], [1, 3]], [1, 2, 4], [0, 17 / 14]),
    ],
)
def test_known_solutions(table, target, solution):
    found = nnls(np.array(table, float), np.array(target, float))

    assert found == pytest.approx(solution, abs=1e-12)
