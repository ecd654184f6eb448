"""Make the next request from a finished job: another take, a better one, or what comes after it."""

from collections.abc import Callable
from dataclasses import replace

from core.domain.continuation import film_from, longer, room_for
from core.domain.fingerprints import fingerprint_of_action
from core.domain.followups import Action, again, quality
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.domain.lineage import JobOrigin
from core.domain.media import MediaFile
from core.domain.people import Requester
from core.domain.requests import Composition, Request, further_drafts
from core.errors import MediaGone, NotAChoice, NothingToFetch
from core.service.admission import FileAdmission
from core.service.clips import ClipReader

MAKING = (Action.AGAIN, Action.LONGER, Action.QUALITY, Action.SMALLER)


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
            FilmComplete: the film is as long as it may become.
            NothingFits: it asks for less work, and this is the least.
        """
        made = await self._made(job, action, owner)
        fingerprint = fingerprint_of_action(action, job.id)
        return replace(made, fingerprint=fingerprint, origin=JobOrigin(action, job.id))

    async def _made(self, job: Job, action: str, owner: Requester) -> Composition:
        match action:
            case Action.AGAIN if job.group is not None:
                first = again(job.request)
                return Composition(first, (), drafts=further_drafts(first))
            case Action.AGAIN:
                return Composition(again(job.request), ())
            case Action.QUALITY:
                return Composition(quality(job.request, self._limits), ())
            case Action.SMALLER:
                return Composition(replace(self._smaller(job.request), chosen_by=()), ())
            case Action.LONGER:
                return longer(job.request, await self._film(job, owner), self._limits)
            case _:
                raise NotAChoice("action", action[:40], ", ".join(MAKING))

    async def _film(self, job: Job, owner: Requester) -> MediaFile:
        """Admit the clip of ``job``, where a film may go on from it.

        Raises:
            NothingToFetch: there is no clip, or not any more.
            FilmComplete: the film is as long as it may become.
        """
        clip = await self._clips.clip_of(job)
        room_for(film_from(clip), self._limits)
        with self._clips.in_use(clip):
            try:
                return await self._admission.admit_clip(clip, owner)
            except MediaGone:
                raise NothingToFetch(job.id) from None
