"""Delete what is over, a few rows at a time: between two transactions everybody else has a turn."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.accounts.file_ownership import FileOwnership
from core.accounts.notices import NOTICE_LIFE_MS
from core.app.object_sweep import ObjectSweep
from core.interfaces.artefacts import Artefacts
from core.queue.job_queue import JobQueue
from core.runtime import file_names
from core.runtime.clock import Clock
from core.service.deletion import Eraser
from core.service.scratch import Scratch
from core.storage import rolling_up
from core.storage.database import Connection, Database
from core.storage.feed_outbox import drop_old
from core.storage.files import clips_named
from core.storage.traces import Traces

log = structlog.get_logger(__name__)

JOBS = 20  # rows of a table with all that hangs on them, in one transaction: a few ms
ENTRIES = 200  # rows that are only looked at
PAGES = 64  # of 4 KiB
NAMES = 200


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files lie, and for how many seconds they, their jobs and notes of them are kept."""

    clips: Path
    fitted: Path  # copies of clips; need not exist
    latents: Path  # files that can be made again; need not exist
    staged: Path  # the same
    keep_s: float
    windows_s: float  # a quota window that began so long ago is over
    audit_s: float


class Pruning:
    """Deletes rows and files whose time is over."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        database: Database,
        eraser: Eraser,
        files: FileOwnership,
        folders: Folders,
        artefacts: Artefacts,
        traces: Traces,
        scratch: Scratch,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._database = database
        self._eraser = eraser
        self._files = files
        self._folders = folders
        self._objects = ObjectSweep(database, artefacts, files, eraser, folders.clips)
        self._traces = traces
        self._scratch = scratch
        self._clock = clock

    async def clear_traces(self) -> None:
        """Remove what is left of what was deleted, where that was not possible at once."""
        await self._traces.clear()
        await asyncio.to_thread(self._scratch.clear_left)

    async def prune(self) -> int:
        """Delete what is too old, and give its pages back; return how many jobs and files."""
        jobs = await self._prune_jobs()
        await self._roll_up()
        files = await self.prune_files()
        unheld = await self._files.sweep()
        await self._traces.remove_old_copies(self._before_s())
        await self._again(lambda connection: self._database.shrink(connection, PAGES))
        objects = await self._objects.sweep(self._clock() / 1000)  # last: a bucket may be away
        log.info("pruned", jobs=jobs, files=files, unheld=unheld, objects=objects)
        return jobs + files + unheld + objects

    async def prune_files(self) -> int:
        """Delete files of this machine that are too old and that no row names."""
        return await self.remove_unnamed(self._before_s()) + await self.remove_scratch()

    async def remove_unnamed(self, before_s: float) -> int:
        """Remove clips, and copies of them, that no row names and nobody wrote to since then.

        Args:
            before_s: epoch seconds. Younger ones may be about to be named by a row, or belong to a
                newer database than this one.

        Returns:
            How many files; none where the database is not the newest one: its rows know less.
        """
        if not self._database.newest:
            return 0
        gone = 0
        for folder in (self._folders.clips, self._folders.fitted):
            old = await asyncio.to_thread(file_names.older_files, folder, before_s, file_names.CLIP)
            for first in range(0, len(old), NAMES):
                some = old[first : first + NAMES]
                stems = {path: file_names.clip_stem(path.name) for path in some}
                async with self._database.snapshot() as connection:
                    named = await clips_named(connection, set(stems.values()))
                unnamed = [path for path, stem in stems.items() if stem not in named]
                for path in unnamed:
                    await self._eraser.remove_clip(path)
                gone += len(unnamed)
        return gone

    def _before_s(self) -> float:
        return self._clock() / 1000 - self._folders.keep_s

    async def _prune_jobs(self) -> int:
        jobs = 0
        while gone := await self._queue.prune(round(self._before_s() * 1000), JOBS):
            await self._eraser.remove_files(gone)
            jobs += len(gone)
        return jobs

    async def _roll_up(self) -> None:
        """Take what is over out of the tables that outlive jobs."""
        now = self._clock()
        before = now - round(self._folders.windows_s * 1000)
        entry: int | None = 0
        while entry is not None:
            async with self._database.transaction() as connection:
                entry = await rolling_up.roll_up(connection, entry, ENTRIES, now)
        window: rolling_up.AccountName | None = rolling_up.FIRST_ACCOUNT
        while window is not None:
            async with self._database.transaction() as connection:
                window = await rolling_up.drop_windows(connection, window, ENTRIES, before)
        audit = now - round(self._folders.audit_s * 1000)
        notices = now - NOTICE_LIFE_MS
        unkept = round(self._before_s() * 1000)
        await self._again(lambda some: drop_old(some, unkept, ENTRIES))
        await self._again(lambda some: rolling_up.drop_idle_flows(some, ENTRIES))
        await self._again(lambda some: rolling_up.thin_runs(some, JOBS))
        await self._again(lambda some: rolling_up.drop_old_notes(some, audit, notices, ENTRIES))

    async def _again(self, step: Callable[[Connection], Awaitable[int]]) -> None:
        """Repeat ``step`` in transactions of its own while it has something to do."""
        more: int = 1
        while more:
            async with self._database.transaction() as connection:
                more = await step(connection)

    async def remove_scratch(self) -> int:
        """Remove old files of this machine that can be made again; return how many."""
        before, folders = self._before_s(), self._folders
        old = await asyncio.to_thread(
            file_names.older_files, folders.latents, before, file_names.LATENTS
        )
        old += await asyncio.to_thread(
            file_names.older_files, folders.staged, before, file_names.STAGED
        )
        for path in old:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        return len(old)
