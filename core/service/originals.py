"""Addresses of clips for people whom the Studio does not know, such as those of a chat.

An address holds a secret of its own for that one clip: whoever has it sees the clip, and nothing
else, until its job is deleted or its time is over. It is made when something is to be said of it.
"""

import hmac
import secrets
from dataclasses import dataclass

from core.accounts.front_state import FrontState
from core.domain.jobs import Job
from core.domain.media import Clip
from core.errors import NothingToFetch
from core.service.clips import ClipReader
from core.storage.job_queries import JobQueries

FRONT = "originals"  # the namespace of the secrets, by job
SECRET_BYTES = 24  # 192 bits: nobody tries them all


@dataclass(frozen=True, slots=True)
class Originals:
    """Makes addresses of clips, and opens what they lead to."""

    state: FrontState
    jobs: JobQueries
    clips: ClipReader
    studio_url: str  # where people reach the Studio; empty: there are no addresses

    async def address(self, job: Job) -> str:
        """Return where the clip of a job can be seen as it was made; empty where nowhere.

        Takes the record: only a delivery that was handed the clip, or who may see it, has one.
        """
        if not self.studio_url or job.clip is None:
            return ""
        secret = await self._secret(job.id)
        if not secret:
            await self.state.remember(FRONT, job.id, secrets.token_urlsafe(SECRET_BYTES))
            secret = await self._secret(job.id)
        return f"{self.studio_url.rstrip('/')}/originals/{job.id}/{secret}.mp4"

    async def clip(self, job_id: str, secret: str) -> Clip:
        """Return the clip that an address leads to, whose files are on this node now.

        Raises:
            NothingToFetch: there is no such address, or the clip is gone.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        return await self.clips.clip_of(await self._job(job_id, secret))

    async def link(self, job_id: str, secret: str) -> str | None:
        """Return where the bytes of that clip lie, for ten minutes.

        Returns:
            None where they are read through this node.

        Raises:
            NothingToFetch: there is no such address, or the clip is gone.
        """
        job = await self._job(job_id, secret)
        return await self.clips.link_to(job, "", poster=False)

    async def prune(self, age_ms: int) -> None:
        """Forget the addresses that are older than any clip is kept."""
        await self.state.forget_older(FRONT, age_ms)

    async def _job(self, job_id: str, secret: str) -> Job:
        known = await self._secret(job_id)
        if not known or not hmac.compare_digest(known.encode(), secret.encode()):
            raise NothingToFetch(job_id)
        return await self.jobs.get(job_id)

    async def _secret(self, job_id: str) -> str:
        return str(await self.state.recall(FRONT, job_id) or "")
