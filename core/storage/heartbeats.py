"""Signs of life of running jobs: the lease goes on, and the row says how far the work is."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import JobState
from core.domain.progress import Progress
from core.domain.progress_text import read_progress, write_progress
from core.storage.tables import job

NO_PROGRESS = {"progress": None, "progress_at_ms": None}  # of a job that does not run


async def extend_lease(
    connection: AsyncConnection,
    job_id: str,
    token: str,
    now: int,
    lease_ms: int,
    progress: Progress | None = None,
) -> bool:
    """Extend the lease of a job; False where ``token`` does not own it any more."""
    values: dict[str, object] = {"lease_until_ms": now + lease_ms}
    if progress is not None:
        values |= {"progress": write_progress(progress), "progress_at_ms": now}
    owned = update(job).where(job.c.id == job_id, job.c.token == token)
    return (await connection.execute(owned.values(values))).rowcount == 1


async def running_progress(connection: AsyncConnection) -> list[tuple[str, Progress]]:
    """Read how far the running jobs were at their last sign of life, by job."""
    noted = select(job.c.id, job.c.progress).where(
        job.c.state == JobState.RUNNING, job.c.progress.is_not(None)
    )
    read = [(row.id, read_progress(row.progress)) for row in await connection.execute(noted)]
    return [(job_id, event) for job_id, event in read if event is not None]
