"""Who holds a data directory, and that programs of every version agree about it."""

import fcntl
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors.setup import DataDirectoryBusy
from core.storage.lock import LOCK_NAME, DirectoryHold, lock

HELD = """import sys
from pathlib import Path
from core.storage.lock import DirectoryHold, lock
with lock(Path(sys.argv[1]), DirectoryHold[sys.argv[2]]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another(folder: Path, hold: DirectoryHold) -> Generator[None]:
    command = [sys.executable, "-c", HELD, str(folder), hold.name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
        other.communicate("")


@contextmanager
def flocked(folder: Path, how: int) -> Generator[None]:
    """A lock as versions before 0.2 took it, straight from the system."""
    with (folder / LOCK_NAME).open("a") as file:
        fcntl.flock(file, how | fcntl.LOCK_NB)
        yield


@pytest.mark.parametrize(
    ("theirs", "ours", "together"),
    [
        (DirectoryHold.ALONE, DirectoryHold.ALONE, False),
        (DirectoryHold.ALONE, DirectoryHold.TOGETHER, False),
        (DirectoryHold.TOGETHER, DirectoryHold.ALONE, False),
        (DirectoryHold.TOGETHER, DirectoryHold.TOGETHER, True),
    ],
)
def test_only_who_shares_meets_others_who_share(
    tmp_path: Path, theirs: DirectoryHold, ours: DirectoryHold, together: bool
) -> None:
    with held_by_another(tmp_path, theirs):
        if together:
            with lock(tmp_path, ours):
                return
        with pytest.raises(DataDirectoryBusy), lock(tmp_path, ours):
            pass
        with lock(tmp_path, DirectoryHold.NOT):
            pass


@pytest.mark.parametrize("hold", [DirectoryHold.ALONE, DirectoryHold.TOGETHER])
def test_a_program_of_before_and_this_one_keep_each_other_out(
    tmp_path: Path, hold: DirectoryHold
) -> None:
    of_before = flocked(tmp_path, fcntl.LOCK_EX)
    with of_before, pytest.raises(DataDirectoryBusy), lock(tmp_path, hold):
        pass

    of_before = flocked(tmp_path, fcntl.LOCK_EX)
    with lock(tmp_path, hold), pytest.raises(BlockingIOError), of_before:
        pass


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HELD, str(tmp_path), "ALONE"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
        other.wait()

    with lock(tmp_path):
        pass
