"""What a browser may see: the jobs of its account, and those it made as a guest before.

Nothing is moved at a sign-in. The guest's jobs stay the guest's, so they are seen only where its
cookie is; the account's are seen wherever it is signed in, and nowhere else.
"""

from dataclasses import replace

from core.app.core import Core
from core.domain.jobs import Job
from core.domain.people import Caller
from core.errors import NotYours
from core.queue.forecasts import Standing
from core.service.user_api import Desk
from webui.auth.visitors import Visitor


async def find(desk: Desk, job_id: str, visitor: Visitor) -> tuple[Job, Caller]:
    """Return a job that ``visitor`` may see, and as whom.

    Raises:
        JobUnknown: no such job.
        NotYours: somebody else's.
    """
    for person in visitor.persons:
        try:
            return await desk.job(job_id, person), person
        except NotYours:
            continue
    raise NotYours(job_id)


async def newest(
    desk: Desk, visitor: Visitor, limit: int, before_ms: int | None = None
) -> list[Job]:
    """Return the newest jobs that ``visitor`` may see, newest first."""
    found = {
        job.id: job
        for person in visitor.persons
        for job in await desk.jobs(person, limit, before_ms)
    }
    return sorted(found.values(), key=lambda job: job.created_at_ms, reverse=True)[:limit]


async def standing_of(core: Core, visitor: Visitor) -> Standing:
    """Return where ``visitor`` stands, with what the guest before has in line."""
    standing = await core.queue.standing(visitor.requester, visitor.payer)
    if visitor.earlier is None:
        return standing
    before = await core.queue.standing(visitor.earlier)
    if not before.jobs or before.account == standing.account:
        return standing
    waiting = {**standing.line.waiting, **before.line.waiting}
    line = replace(standing.line, waiting=waiting)
    return replace(standing, jobs=(*before.jobs, *standing.jobs), line=line)
