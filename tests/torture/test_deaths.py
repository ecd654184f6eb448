"""kill -9 at random moments and at each write to the database: nothing is lost or doubled."""

import random
from pathlib import Path

import pytest

from tests.torture.conftest import Books, Lives, Some

pytestmark = pytest.mark.xdist_group("torture")
KILLED = -9
WRITES = 160  # about as many as a life with three jobs makes


async def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(
    program: Lives,
    books: Books,
    some: Some,
    tmp_path: Path,
) -> None:
    kills = len(some(range(250), 25))
    jobs = kills * 5
    moments = random.Random(2026)

    codes = [
        program.live(tmp_path, jobs, kill_after_s=moments.uniform(0.05, 0.7)) for _ in range(kills)
    ]

    assert set(codes) == {KILLED}, "a life completed everything before its kill: shorten them"
    assert program.live(tmp_path, jobs) == 0
    await books.assert_whole(tmp_path, jobs)
    assert set(books.kinds) == {"completed"}


async def test_a_death_at_any_write_to_the_database_loses_nothing(
    program: Lives,
    books: Books,
    some: Some,
    tmp_path: Path,
) -> None:
    for point in some(range(WRITES), 23):
        folder = tmp_path / str(point)
        folder.mkdir()
        codes = [program.live(folder, 3, after=point, cancel_every=3) for _ in range(2)]
        assert set(codes) <= {KILLED, 0}
        assert program.live(folder, 3) == 0
        await books.assert_whole(folder, 3)
        assert set(books.kinds) <= {"completed", "cancelled"}
