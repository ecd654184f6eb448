"""The stills of clips in a list of a person's own, small enough for a chat."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from bots.shared.thumbnail import thumbnail
from core.domain.jobs import Job
from core.domain.people import Caller
from core.errors import JobUnknown
from core.service.user_clips import UserClips

LONGEST_WAIT_S = 4.0  # for those that lie elsewhere; the list is shown without them


async def stills_of(clips: UserClips, caller: Caller, jobs: Sequence[Job]) -> dict[str, bytes]:
    """Return the stills of ``jobs`` that are there, by job, as JPEG.

    Raises:
        NotYours: a job belongs to somebody else.
    """

    async def still(job: Job) -> bytes | None:
        # gone meanwhile, elsewhere and not to be had, or no picture: the list needs none of them
        with suppress(JobUnknown, OSError, TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_S):
                path = await clips.still(caller, job.id)
                return None if path is None else await asyncio.to_thread(thumbnail, path)
        return None

    found = await asyncio.gather(*(still(job) for job in jobs))
    return {job.id: picture for job, picture in zip(jobs, found, strict=True) if picture}
