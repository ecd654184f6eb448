"""Jobs for those who may read them: their makers, and who sees the clip where all see it."""

from dataclasses import replace

from bots.shared.captions import origin_line
from bots.shared.texts import Texts
from core.domain.people import Caller
from core.errors import NotYours
from core.service.public_clips import Remixable
from core.service.user_api import UserApi


async def details_text(users: UserApi, caller: Caller, texts: Texts, job_id: str, post: str) -> str:
    """Write the details of a job, for its maker, an operator, or who sees its clip in ``post``.

    Raises:
        JobUnknown: there is none.
        NotYours: it belongs to somebody else, and the message does not show its clip to all.
    """
    try:
        job, own = await users.job(caller, job_id), True
    except NotYours:
        job, own = await users.public.job(caller, job_id, post), False
    link = await users.public.parent_link(job, job.place if own else caller.place)
    return texts.details(job, origin_line(texts, job, link, own=own))


async def remix_source(users: UserApi, caller: Caller, job_id: str, post: str) -> Remixable:
    """Return what the caller may begin a remix with; of their own clip all files.

    Raises:
        JobUnknown: there is none.
        NotYours: it belongs to somebody else, and the message does not show its clip to all.
        PolicyForbids: a rule of the place forbids remixes.
    """
    found = await users.public.remixable(caller, job_id, post)
    if await users.owns(caller, found.job):
        return replace(found, media=found.job.request.media())
    return found
