"""What tests wait for, of jobs in a running core."""

from core.app.bootstrap import Core
from core.domain.jobs import Job
from core.testing.doubles import eventually


async def until_ended(core: Core, job_id: str) -> Job:
    """Return the job once it is terminal."""

    async def is_terminal() -> bool:
        return (await core.jobs.get(job_id)).state.terminal

    await eventually(is_terminal, within_s=30.0)
    return await core.jobs.get(job_id)
