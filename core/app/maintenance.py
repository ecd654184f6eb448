"""What keeps a service that runs for months small and sound: pruning, expiry, self-checks."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from core.app.pruning import Pruning
from core.app.self_check import SelfCheck
from core.queue.recovery import Recovery
from core.queue.time_guard import TimeGuard
from core.runtime.chores import Chore, ChoreRunner
from core.runtime.permissions import make_private_folder
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of, wait_event
from core.settings import Settings
from core.storage.claim import claim
from core.storage.database import Database
from core.storage.disk_probes import probe_in
from core.storage.record import advance
from core.storage.trouble import named_troubles

log = structlog.get_logger(__name__)

HOUR_S, MINUTE_S = 3600.0, 60.0


class Housekeeping:
    """Expire, check, prune, again and again."""

    def __init__(
        self,
        *,
        recovery: Recovery,
        guard: TimeGuard,
        checking: SelfCheck,
        pruning: Pruning,
        hub: ProgressHub,
        on_change: Callable[[], None],
        database: Database,
        data_dir: Path,
        runner: ChoreRunner,
        give_up_deliveries: Callable[[], Awaitable[int]],
    ) -> None:
        self._recovery = recovery
        self._guard = guard
        self._checking = checking
        self._pruning = pruning
        self._hub = hub
        self._on_change = on_change
        self._database = database
        self._data_dir = data_dir
        self._runner = runner
        self._give_up_deliveries = give_up_deliveries
        self._noted = -1  # version of the database
        self.violations = 0  # found by the newest check

    async def run(self, stop: asyncio.Event) -> None:
        """Do all of it when it is due until ``stop`` is set."""
        await self._runner.run(self.chores(), stop)

    def chores(self) -> list[Chore]:
        """Return what is to be done, and how often."""
        minute, hour = int(MINUTE_S), int(HOUR_S)
        return [
            Chore("expire", minute, self.expire),
            Chore("look", minute, self._guard.look, everywhere=True, part_of="expire"),
            Chore("note", minute, self.note, everywhere=True),
            Chore("clear_traces", minute, self.clear_traces, everywhere=True),
            Chore("check", hour, self.check),
            Chore("prune", hour, self.prune),
            Chore("prune_files", hour, self.prune_files, everywhere=True, part_of="prune"),
        ]

    async def run_own(self, stop: asyncio.Event) -> None:
        """Remove hourly what is old and only here, until ``stop`` is set; fronts do the rest."""
        while not await wait_event(stop, HOUR_S):
            done = await outcome_of(self._pruning.remove_scratch())
            if not done.ok:
                log.error("housekeeping_failed", exc_info=done.error)

    async def expire(self) -> int:
        """Give up what waited too long, and take jobs from workers that are gone; count them."""
        await self._guard.look()
        ended = await self._recovery.expire()
        for job_id in ended:
            self._hub.close(job_id)
        self._on_change()
        return len(ended)

    async def note(self) -> None:
        """Note beside the clips how far the database is, where it changed."""
        if self._database.version != self._noted:
            await advance(self._database, self._data_dir)
            self._noted = self._database.version

    async def clear_traces(self) -> None:
        """Remove what is left of what was deleted, where a reader hindered it."""
        await self._pruning.clear_traces()

    async def check(self) -> int:
        """Count what contradicts itself in the database, and log it."""
        self.violations = len(await self._checking.check())
        return self.violations

    async def prune(self) -> int:
        """Delete jobs, clips and inputs whose time is over; return how many jobs and files.

        Results for machines that did not come back are given up first.

        Nothing is deleted while the time is doubted.
        """
        if not self._guard.may_prune:
            log.warning("prune_postponed", reason="the clock stepped")
            return 0
        given_up = await self._give_up_deliveries()
        if given_up:
            log.warning("deliveries_given_up", count=given_up)
        return await self._pruning.prune()

    async def prune_files(self) -> int:
        """Delete files of this node alone whose time is over; return how many."""
        return await self._pruning.prune_files() if self._guard.may_prune else 0

    async def remove_orphans(self) -> int:
        """Remove clips that no row names, at a start: what a killed process left.

        A file that is younger than what this database knows was made with a newer one, and stays.

        Returns:
            How many files.
        """
        known_ms = self._guard.left_at_ms
        if known_ms is None or not self._guard.may_prune:
            return 0
        gone = await self._pruning.remove_unnamed(known_ms / 1000 + 2 * MINUTE_S)
        if gone:
            log.info("orphans_removed", files=gone)
        return gone


def make_folders(settings: Settings) -> None:
    """Make the data directory ours with its folders, and see that it takes files.

    Raises:
        DataDirectoryForeign: it is a folder of somebody else; nothing in it was changed.
        DataDirectoryLink: one of its folders leads elsewhere.
        StorageProblem: it takes no files.
    """
    claim(settings.data_dir)
    with named_troubles(settings.data_dir):
        for folder in (settings.media_folder, settings.clips_folder, settings.work_folder):
            make_private_folder(folder)
        with probe_in(settings.data_dir):
            pass
