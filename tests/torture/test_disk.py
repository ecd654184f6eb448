"""A disk that is full or dying for some writes: the service goes on, and nobody loses anything."""

from errno import EIO, ENOSPC
from itertools import product
from pathlib import Path

import pytest

from tests.torture.conftest import Books, Lives, Some
from tests.torture.lives import NOT_OPENED

pytestmark = pytest.mark.xdist_group("torture")
TRIALS = list(product(range(0, 160, 6), (1, 3, 12), (EIO, ENOSPC)))  # first write, how many, error


async def test_writes_that_fail_lose_nothing_and_do_not_end_the_service(
    program: Lives,
    books: Books,
    some: Some,
    tmp_path: Path,
) -> None:
    for after, times, error in some(TRIALS, 13):
        folder = tmp_path / f"{after}-{times}-{error}"
        folder.mkdir()
        code = program.live(folder, 3, after=after, times=times, error=error, cancel_every=3)
        assert code in (0, NOT_OPENED), (after, times, error)
        if code == NOT_OPENED:
            assert program.live(folder, 3) == 0
        await books.assert_whole(folder, 3)
        assert set(books.kinds) <= {"completed", "cancelled"}
