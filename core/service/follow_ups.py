"""Make the next request from a finished job: another take, a better one, or what comes after it."""

from collections.abc import Callable

from core.domain.fingerprints import fingerprint_of_action
from core.domain.followups import CONTINUES_AS, Action, again, longer, quality
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES
from core.domain.people import Requester
from core.domain.requests import Composition, Request
from core.errors import NotAChoice
from core.service.admission import FileAdmission
from core.service.clips import ClipReader

_MAKING = (Action.AGAIN, Action.LONGER, Action.QUALITY, Action.SMALLER)


class FollowUps:
    """Says what each button that makes another clip asks for."""

    def __init__(
        self,
        admission: FileAdmission,
        clips: ClipReader,
        limits: RequestLimits,
        smaller: Callable[[Request], Request],
    ) -> None:
        """Take what makes ``smaller`` requests (:meth:`core.service.preview.Previewer.smaller`)."""
        self._admission = admission
        self._clips = clips
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
            still = await self._clips.last_frame_of(job, folder)
            return await self._admission.admit(still, role, MediaKind.IMAGE, owner)
