"""What keeps a service that runs for months small and sound: pruning, expiry, self-checks."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import structlog

from core.accounts.file_ownership import FileOwnership
from core.errors.setup import BadConfiguration
from core.queue.job_queue import JobQueue
from core.queue.recovery import Recovery
from core.queue.time_guard import TimeGuard
from core.runtime import file_names
from core.runtime.clock import Clock
from core.runtime.paths import readable
from core.runtime.permissions import make_private_folder
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of, wait_event
from core.service.deletion import Eraser
from core.settings import Settings
from core.storage.claim import claim
from core.storage.database import Database
from core.storage.invariants import check

log = structlog.get_logger(__name__)

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files lie, and for how many seconds they and their jobs are kept."""

    clips: Path
    fitted: Path  # copies of clips; need not exist
    latents: Path  # files that can be made again; need not exist
    staged: Path  # the same
    keep_s: float


class Housekeeping:
    """Round after round: expire, check, prune. A round that fails is logged and comes again."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        recovery: Recovery,
        guard: TimeGuard,
        database: Database,
        eraser: Eraser,
        files: FileOwnership,
        hub: ProgressHub,
        folders: Folders,
        on_change: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._recovery = recovery
        self._guard = guard
        self._database = database
        self._hub = hub
        self._folders = folders
        self._eraser = eraser
        self._files = files
        self._on_change = on_change
        self._clock = clock
        self.violations = 0  # found by the newest check

    async def run(self, stop: asyncio.Event) -> None:
        """Expire every minute, check and prune every hour, until ``stop`` is set."""
        rounds = 0
        while not await wait_event(stop, HOUR_S / 60):
            rounds += 1
            chores = [self.expire()]
            if rounds % 60 == 1:
                chores += [self.check(), self.prune()]
            for chore in chores:
                done = await outcome_of(chore)
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

    async def check(self) -> int:
        """Count what contradicts itself in the database, and log it."""
        async with self._database.transaction() as connection:
            found = await check(connection)
        for violation in found:
            log.error("invariant_broken", violation=str(violation))
        self.violations = len(found)
        return len(found)

    async def prune(self) -> int:
        """Delete jobs, clips and inputs whose time is over; return how many jobs and files.

        Nothing is deleted while the time is doubted.
        """
        if not self._guard.may_prune:
            log.warning("prune_postponed", reason="the clock stepped")
            return 0
        keep_s = self._folders.keep_s
        jobs = 0
        while gone := await self._queue.prune(self._clock() - round(keep_s * 1000)):
            await self._eraser.remove_files(gone)
            jobs += len(gone)
        clips = await self._old(self._folders.clips, file_names.CLIP)
        clips += await self._old(self._folders.fitted, file_names.CLIP)
        scratch = await self._old(self._folders.latents, file_names.LATENTS)
        scratch += await self._old(self._folders.staged, file_names.STAGED)
        for path in clips:
            await self._eraser.remove_clip(path)
        for path in scratch:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        unheld = await self._files.sweep()
        log.info("pruned", jobs=jobs, clips=len(clips), unheld=unheld)
        return jobs + len(clips) + unheld + len(scratch)

    async def _old(self, folder: Path, shape: file_names.Shape) -> list[Path]:
        before = self._clock() / 1000 - self._folders.keep_s
        return await asyncio.to_thread(file_names.older_files, folder, before, shape)


def make_folders(settings: Settings) -> None:
    """Make the data directory ours with its folders, and see that it takes files.

    Raises:
        DataDirectoryForeign: it is a folder of somebody else; nothing in it was changed.
        DataDirectoryLink: one of its folders leads elsewhere.
        BadConfiguration: it takes no files.
    """
    claim(settings.data_dir)
    try:
        for folder in (settings.media_folder, settings.clips_folder, settings.work_folder):
            make_private_folder(folder)
        with TemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        reason = f"{readable(settings.data_dir)}, {error.strerror}"
        raise BadConfiguration("CLAPPER_DATA_DIR", reason) from error
