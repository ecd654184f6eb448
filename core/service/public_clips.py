"""Clips that are shown to everybody who reads somewhere: what others may learn of them, and make.

A row says which message shows which clip to all (:class:`core.domain.lineage.ShownClip`). Who
presses a button under that very message, in that place, is shown what the message shows, as the
rules there allow; of any other job they are told nothing. The rows go with the job.
"""

from dataclasses import dataclass

from core.accounts.moderation import Moderation
from core.domain.jobs import Job
from core.domain.lineage import ShownClip
from core.domain.media import MediaFile
from core.domain.people import Caller
from core.domain.policy import Policy, texts_of
from core.domain.presets import Captions, Remixing
from core.domain.requests import Request
from core.errors import NotYours, PolicyForbids
from core.storage import shown_clips as rows
from core.storage.database import Database
from core.storage.job_queries import JobQueries


@dataclass(frozen=True, slots=True)
class ClipCaption:
    """What a caption may tell all beside the facts of a clip."""

    prompt: str = ""  # empty: nobody but its maker reads it
    parent_link: str = ""  # to the clip that it was made from, where that is shown here too
    remixable: bool = False  # others may make one of their own of it


@dataclass(frozen=True, slots=True)
class Remixable:
    """A clip that somebody else may make their own of, and the files that go with it."""

    job: Job
    media: dict[str, MediaFile]  # by role; empty where its maker's files are theirs alone


class PublicClips:
    """Tells of clips what everybody may know who sees them."""

    def __init__(self, database: Database, jobs: JobQueries, moderation: Moderation) -> None:
        self._database = database
        self._jobs = jobs
        self._moderation = moderation

    async def note(self, job_id: str, shown: ShownClip) -> None:
        """Note that a message shows the clip of a job to all; nothing where the job is gone."""
        async with self._database.transaction(turn=False) as connection:
            await rows.add(connection, job_id, shown)

    async def withdraw(self, job_id: str) -> None:
        """Note that no message shows the clip of a job any more."""
        async with self._database.transaction(turn=False) as connection:
            await rows.remove(connection, job_id)

    async def caption(self, job: Job, place: str, *, age_gated: bool = False) -> ClipCaption:
        """Return what the caption of a clip that all of ``place`` see may tell."""
        link = await self.parent_link(job, place)
        policies = await self._moderation.policies(place)
        if job.asked is None or not _tells(policies, job.asked, age_gated=age_gated):
            return ClipCaption(parent_link=link)
        open_to_all = _chosen(policies, "remix") != Remixing.OFF
        return ClipCaption(job.asked.prompt, link, open_to_all)

    async def parent_link(self, job: Job, place: str) -> str:
        """Return where the clip that ``job`` was made from is shown in ``place``; else nothing."""
        if job.origin is None or job.origin.parent_id is None:
            return ""
        shown = await self._shown(job.origin.parent_id)
        return next((one.link for one in shown if one.place == place and one.link), "")

    async def job(self, caller: Caller, job_id: str, post: str) -> Job:
        """Return the job whose clip all see in the message ``post`` of the caller's place.

        Raises:
            JobUnknown: there is no such job.
            NotYours: the message does not show its clip to all, or its words are not told there.
        """
        found = await self._jobs.get(job_id)
        here = any(
            one.post == post and one.place == caller.place for one in await self._shown(job_id)
        )
        if not here or not found.state.terminal:
            raise NotYours(job_id)
        policies = await self._moderation.policies(caller.place)
        if not _tells(policies, found.request, age_gated=caller.asker.age_gated):
            raise NotYours(job_id)
        return found

    async def remixable(self, caller: Caller, job_id: str, post: str) -> Remixable:
        """Return what the caller may make their own of, by the message that shows it to all.

        Raises:
            JobUnknown, NotYours: as of :meth:`job`.
            PolicyForbids: nobody may, here or where it was made.
        """
        job = await self.job(caller, job_id, post)
        rules = [
            _chosen(await self._moderation.policies(place), "remix") or Remixing.WORDS
            for place in dict.fromkeys((caller.place, job.place or caller.place))
        ]
        if Remixing.OFF in rules:
            raise PolicyForbids("rule_remix")
        shared = all(rule == Remixing.FILES for rule in rules)
        return Remixable(job, job.request.media() if shared else {})

    async def _shown(self, job_id: str) -> list[ShownClip]:
        async with self._database.snapshot() as connection:
            return await rows.of_job(connection, job_id)


def _tells(policies: tuple[Policy, Policy], request: Request, *, age_gated: bool) -> bool:
    """Tell whether all may read what was written for ``request``."""
    if _chosen(policies, "captions") == Captions.HIDDEN:
        return False
    texts = texts_of(request)
    return not any(policy.found_words(texts, age_gated=age_gated) for policy in policies)


def _chosen(policies: tuple[Policy, Policy], rule: str) -> str:
    """Return what the place says, or else what is said of all places."""
    everywhere, own = policies
    return str(getattr(own, rule) or getattr(everywhere, rule))
