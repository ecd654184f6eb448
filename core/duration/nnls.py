"""Solve least squares whose unknowns may not be negative."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]


def nnls(table: _Array, target: _Array) -> _Array:
    """Return the x ≥ 0 with the smallest |table·x − target|.

    Tries every choice of columns that may take part and keeps the best answer without a negative
    number, which is the solution itself and no approach to it. That is quick for the few rates of
    a machine, and nothing for many unknowns: 15 choices for 4 columns, 1 023 for 10.

    Args:
        table: one row for each equation, one column for each unknown; columns are independent.
        target: the right side of each equation.

    Returns:
        One number for each column.
    """
    # the same problem in as many rows as columns: what these leave out no x can change
    turned, square = np.linalg.qr(table)
    wanted = turned.T @ target
    columns = range(table.shape[1])
    best, least = np.zeros(len(columns)), float(wanted @ wanted)
    for chosen in (c for size in columns for c in combinations(columns, size + 1)):
        part = square[:, chosen]
        found = np.linalg.lstsq(part, wanted)[0]
        left = part @ found - wanted
        if (found >= 0).all() and float(left @ left) < least:
            best, least = np.zeros(len(columns)), float(left @ left)
            best[list(chosen)] = found
    return best
