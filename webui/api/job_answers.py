"""What a program or an agent is told of its jobs; both ask for it on the core's loop."""

from dataclasses import asdict
from typing import Any

from core.domain.jobs import Ticket
from webui.api.schemas import JobAnswer, accepted
from webui.auth.visitors import Visitor
from webui.studio.service import StudioService


async def job_answer(service: StudioService, job_id: str, visitor: Visitor) -> dict[str, Any]:
    """Say how far a job is, and which were asked for with it.

    Raises:
        JobUnknown: no such job.
        NotYours: somebody else's.
    """
    view = asdict(await service.job(job_id, visitor))
    return {**view, "drafts": await service.drafts(job_id, visitor)}


async def ticket_answer(service: StudioService, ticket: Ticket, visitor: Visitor) -> JobAnswer:
    """Say what was accepted: the job, or those that were asked for together."""
    return accepted(ticket, await service.drafts(ticket.job_id, visitor))
