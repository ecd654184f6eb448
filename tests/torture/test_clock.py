"""The wall clock jumps while jobs run and wait: everything is delivered, nothing expires."""

from pathlib import Path

import pytest

from tests.torture.conftest import Books, Lives

pytestmark = pytest.mark.xdist_group("torture")
HOUR_S = 3600


@pytest.mark.parametrize("hours", [-25, -1, 1, 25, 15 * 24, 400 * 24])
async def test_a_jump_of_the_wall_clock_expires_and_prunes_nothing(
    program: Lives, books: Books, tmp_path: Path, hours: int
) -> None:
    assert program.live(tmp_path, 6, jump_s=hours * HOUR_S) == 0

    await books.assert_whole(tmp_path, 6)
    assert set(books.kinds) == {"completed"}
