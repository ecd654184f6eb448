"""The history of runs of rented machines, by device as that of our own."""

from core.app.core import Core
from core.app.run_recorder import run_recorder
from core.duration.workload import WEIGHTS
from core.gate.runs import GateRun
from core.service.estimator import RunBook
from core.service.pool_estimates import NO_PLACE
from core.storage.runs import RunPlace
from core.worker.attempt import RunRecord
from core.worker.outcome_writer import Record

MOST = 64  # kinds of devices; what more of them take is not noted


class GateHistory:
    """Writes what runs took, and fits their devices to it."""

    def __init__(self, core: Core) -> None:
        """Take the core of this front."""
        self._core = core
        self._records: dict[RunPlace, Record] = {}

    async def record(self, run: GateRun) -> None:
        """Note a run; one of a profile that this version does not know is left out.

        Raises:
            StorageUnavailable: the rows cannot be written.
        """
        machine = run.machine
        place = RunPlace(machine.device, machine.profile, machine.pin)
        if place not in self._records:
            if len(self._records) >= MOST or place.profile not in (*WEIGHTS, NO_PLACE.profile):
                return
            self._records[place] = await self._opened(place, machine.vram_bytes)
        await self._records[place](RunRecord(run.job, run.gpu_ms, run.stages, run.peak_bytes))

    async def _opened(self, place: RunPlace, vram_bytes: int) -> Record:
        clock = self._core.queue.clock
        book = RunBook(self._core.database, place, clock, vram_bytes or None)
        await book.open()
        return run_recorder(book, self._core.figures, clock)
