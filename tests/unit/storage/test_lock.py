"""Who comes while a command holds the data directory for a moment waits; for nobody else."""

import threading
from pathlib import Path
from time import monotonic

import pytest

from core.errors.setup import DataDirectoryBusy
from core.storage import lock as module
from core.storage.lock import DirectoryHold, lock

ALONE, BRIEFLY, TOGETHER = DirectoryHold.ALONE, DirectoryHold.BRIEFLY, DirectoryHold.TOGETHER


class Command:
    """Holds ``folder`` in a thread until it is let go."""

    def __init__(self, folder: Path, hold: DirectoryHold) -> None:
        self._folder, self._hold = folder, hold
        self._holds, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._holds.wait(10)

    def _run(self) -> None:
        with lock(self._folder, self._hold):
            self._holds.set()
            self._over.wait(30)

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)


@pytest.mark.parametrize("hold", [ALONE, BRIEFLY, TOGETHER])
def test_a_service_waits_for_a_command_to_end(tmp_path: Path, hold: DirectoryHold) -> None:
    command = Command(tmp_path, BRIEFLY)
    threading.Timer(0.3, command.end).start()

    with lock(tmp_path, hold):
        pass
    command.end()


@pytest.mark.parametrize("hold", [ALONE, BRIEFLY])
def test_nobody_waits_for_a_service(tmp_path: Path, hold: DirectoryHold) -> None:
    with lock(tmp_path, BRIEFLY):  # what it said does not outlive it
        pass
    service = Command(tmp_path, ALONE)
    began = monotonic()

    with pytest.raises(DataDirectoryBusy), lock(tmp_path, hold):
        pass

    assert monotonic() - began < module.PATIENCE_S / 2
    service.end()


def test_a_command_that_does_not_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    command = Command(tmp_path, BRIEFLY)

    with pytest.raises(DataDirectoryBusy), lock(tmp_path):
        pass

    command.end()
