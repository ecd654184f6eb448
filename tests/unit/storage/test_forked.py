"""A process that was forked from ours, as one with a borrowed GPU, holds none of our locks."""

import os
import signal
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from core.errors.setup import DataDirectoryBusy
from core.errors.storage import DatabaseInUse
from core.storage.lock import lock, lock_database


@contextmanager
def forked() -> Generator[None]:
    """A child that is up and does nothing, for as long as the block."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"up")
        signal.pause()
        os._exit(0)
    os.read(reading, 2)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


def test_a_child_that_outlives_us_does_not_keep_the_next_start_from_the_data(
    tmp_path: Path,
) -> None:
    with ExitStack() as child:
        with lock(tmp_path), lock_database(tmp_path / "rows.sqlite"):
            child.enter_context(forked())

        with lock(tmp_path), lock_database(tmp_path / "rows.sqlite"):
            pass


def test_a_child_takes_nothing_from_us_while_we_hold_the_data(tmp_path: Path) -> None:
    with lock(tmp_path), lock_database(tmp_path / "rows.sqlite"):
        with forked():
            pass
        with pytest.raises(DataDirectoryBusy), lock(tmp_path):
            pass
        with pytest.raises(DatabaseInUse), lock_database(tmp_path / "rows.sqlite"):
            pass


def test_a_child_can_hold_data_of_its_own(tmp_path: Path) -> None:
    with lock(tmp_path / "ours"):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with lock(tmp_path / "theirs"), lock_database(tmp_path / "theirs" / "x.sqlite"):
                    status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
