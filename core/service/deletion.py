"""Deleting what is kept of jobs and people: rows first, then the files that no row needs."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import structlog

from core.accounts.community import Community
from core.accounts.file_ownership import FileOwnership
from core.artefacts.clips import discard
from core.domain.jobs import Job
from core.domain.people import Requester
from core.domain.requests import Request, latents_name
from core.feed.posts import FeedPosts
from core.interfaces.artefacts import CLIPS, Artefacts
from core.media.output.transcode import files_of_clip
from core.queue.job_queue import JobQueue
from core.runtime import file_names
from core.service.scratch import Scratch
from core.storage.job_queries import JobQueries
from core.storage.traces import Traces

log = structlog.get_logger(__name__)

PAGE = 100


class Eraser:
    """Removes jobs with their clips, and inputs that nobody else uses."""

    def __init__(
        self,
        queue: JobQueue,
        jobs: JobQueries,
        files: FileOwnership,
        artefacts: Artefacts,
        fitted_folder: Path,
        latents_folder: Path,
        traces: Traces,
        community: Community,
        scratch: Scratch,
        posts: FeedPosts,
    ) -> None:
        self._queue = queue
        self._jobs = jobs
        self._files = files
        self._artefacts = artefacts
        self._fitted_folder = fitted_folder
        self._latents_folder = latents_folder
        self._traces = traces
        self._community = community
        self._scratch = scratch
        self._posts = posts

    async def delete(self, job_id: str, owner: Requester) -> None:
        """Delete a terminal job and its files, and take its clip out of every feed.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            AlreadyFinished: it is not terminal; cancel it first.
        """
        published = await self._posts.withdraw_job(job_id)  # before: a crash forgets none
        await self.remove_files([await self._queue.erase(job_id, owner)])
        await self._posts.drop(published)

    async def forget(self, requester: Requester) -> int:
        """Delete all terminal jobs of ``requester`` and every file of theirs that no job needs.

        What they published is taken down, also where its job is long gone.

        Returns:
            How many jobs there were.
        """
        count, published = 0, await self._posts.withdraw_all(requester)
        while gone := await self._queue.erase_finished(requester, PAGE):
            await self.remove_files(gone)
            count += len(gone)
        await self._posts.drop(published)
        await self._files.forget(requester)
        await self._community.forget(requester)
        return count

    async def remove_traces(self) -> bool:
        """Remove what deleted rows left behind; False where that is only done later."""
        await asyncio.to_thread(self._scratch.clear)
        return await self._traces.forget()

    async def remove_files(self, gone: Iterable[Job]) -> None:
        """Remove the files of jobs whose rows are gone."""
        self._traces.note()
        for job in gone:
            if job.clip is not None:
                await self.remove_clip(job.clip.path)
            if job.asked is not None:
                await asyncio.to_thread(_remove_latents, job.asked, self._latents_folder)
                await self._files.discard(job.asked.media().values())
            await self._files.discard_named(job.unread_files)

    async def remove_clip(self, clip: Path) -> None:
        """Remove a clip with its poster, its last frame and the copies made of it.

        A row that was damaged may name something else, which is not ours to delete.
        """
        if file_names.CLIP.fullmatch(clip.name) is None:
            log.warning("clip_name_unknown")
            return
        stem = file_names.clip_stem(clip.name)
        await discard(self._artefacts, f"{CLIPS}{stem}.mp4", f"{CLIPS}{stem}.png")
        await asyncio.to_thread(_remove_clip, clip, self._fitted_folder)


def _remove_latents(request: Request, folder: Path) -> None:
    """Remove what a draft like ``request`` left; another one of it is made anew if need be."""
    kept = latents_name(request.as_worded)
    for path in file_names.files_of(folder, file_names.LATENTS):
        if path.name.startswith(f"{kept}-"):
            path.unlink(missing_ok=True)


def _remove_clip(clip: Path, fitted_folder: Path) -> None:
    for path in (*files_of_clip(clip), *files_of_clip(fitted_folder / clip.name)):
        path.unlink(missing_ok=True)
