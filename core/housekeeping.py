"""What keeps a service that runs for months small and sound: pruning, expiry, self-checks."""

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.hub import ProgressHub
from core.queue import JobQueue
from core.storage.database import Database
from core.storage.invariants import check
from core.supervise import outcome_of, wait_event

log = structlog.get_logger(__name__)

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files lie, and for how long, in seconds since they were last written."""

    media: Path
    clips: Path
    work: Path
    keep_clips_s: float
    keep_media_s: float  # longer than a job may wait and run


class Housekeeping:
    """Round after round: expire, check, prune. A round that fails is logged and comes again."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        database: Database,
        hub: ProgressHub,
        folders: Folders,
        on_owed: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._database = database
        self._hub = hub
        self._folders = folders
        self._on_owed = on_owed
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
        """Give up jobs that waited longer than they may; return how many."""
        expired = await self._queue.expire()
        for job_id in expired:
            self._hub.close(job_id)
        if expired:
            log.info("expired", count=len(expired))
            self._on_owed()
        return len(expired)

    async def check(self) -> int:
        """Count what contradicts itself in the database, and log it."""
        async with self._database.transaction() as connection:
            found = await check(connection)
        for violation in found:
            log.error("invariant_broken", violation=str(violation))
        self.violations = len(found)
        return len(found)

    async def prune(self) -> int:
        """Delete files whose time is over; return how many."""
        now = time.time()
        clips = await asyncio.to_thread(
            delete_older, self._folders.clips, now - self._folders.keep_clips_s
        )
        media = await asyncio.to_thread(
            delete_older, self._folders.media, now - self._folders.keep_media_s
        )
        log.info("pruned", clips=clips, media=media)
        return clips + media


def delete_older(folder: Path, than: float) -> int:
    """Delete the files in ``folder`` last written before ``than`` (epoch seconds)."""
    count = 0
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_mtime < than:
            path.unlink(missing_ok=True)
            count += 1
    return count


def empty(folder: Path) -> None:
    """Make ``folder`` exist and be empty: what is in it belongs to a process that is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
