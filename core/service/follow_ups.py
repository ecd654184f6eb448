"""Make the next request from a finished job: another take, a better one, or what comes after it."""

from collections.abc import Callable
from pathlib import Path

from core.domain.fingerprints import fingerprint_of_action
from core.domain.followups import CONTINUES_AS, Action, again, longer, quality
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.domain.media import Clip, MediaFile, MediaKind
from core.domain.modes import MODES
from core.domain.people import Requester
from core.domain.requests import Composition, Request
from core.errors import NotAChoice, NothingToFetch
from core.media.output.transcode import last_frame
from core.service.admission import FileAdmission

_MAKING = (Action.AGAIN, Action.LONGER, Action.QUALITY, Action.SMALLER)


class FollowUps:
    """Says what each button that makes another clip asks for."""

    def __init__(
        self,
        admission: FileAdmission,
        limits: RequestLimits,
        smaller: Callable[[Request], Request],
    ) -> None:
        """Take what makes ``smaller`` requests (:meth:`core.service.preview.Previewer.smaller`)."""
        self._admission = admission
        self._limits = limits
        self._smaller = smaller

    async def compose(self, job: Job, action: str, owner: Requester) -> Composition:
        """Return what ``action`` on ``job`` asks for.

        Args:
            job: one that ``owner`` may see.
            action: a member of :class:`core.domain.followups.Action` that makes a clip.
            owner: whose the new request and its files are.

        Raises:
            NotAChoice: the action makes no clip.
            NothingToFetch: it needs the clip, and there is none.
            NothingFits: it asks for less work, and this is the least.
        """
        request = await self._request(job, action, owner)
        return Composition(request, (), fingerprint_of_action(action, job.id))

    async def _request(self, job: Job, action: str, owner: Requester) -> Request:
        match action:
            case Action.AGAIN:
                return again(job.request)
            case Action.QUALITY:
                return quality(job.request, self._limits)
            case Action.SMALLER:
                return self._smaller(job.request)
            case Action.LONGER:
                return longer(job.request, await self._last_frame(job, owner))
            case _:
                raise NotAChoice("action", action[:40], ", ".join(_MAKING))

    async def _last_frame(self, job: Job, owner: Requester) -> MediaFile:
        role = MODES[CONTINUES_AS].slots[0].role
        with self._admission.workspace() as folder:
            still = await last_frame_of(job, folder)
            return await self._admission.admit(still, role, MediaKind.IMAGE, owner)


def clip_of(job: Job) -> Clip:
    """Return the finished video of ``job``.

    Raises:
        NothingToFetch: not finished, or deleted since.
    """
    if job.clip is None or not job.clip.path.exists():
        raise NothingToFetch(job.id)
    return job.clip


async def last_frame_of(job: Job, folder: Path) -> Path:
    """Write the last frame of the clip of ``job`` into ``folder``.

    Raises:
        NothingToFetch: there is no clip, or not any more.
    """
    return await last_frame(clip_of(job).path, folder)
