"""Rows about where clips are shown to everybody. Functions on a connection."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.lineage import ShownClip
from core.storage.dialects import upsert
from core.storage.tables import job, shown_clip


async def add(connection: AsyncConnection, job_id: str, shown: ShownClip) -> bool:
    """Note that a clip is shown there; False where the job was deleted meanwhile."""
    there = sa.select(sa.exists().where(job.c.id == job_id))
    if not (await connection.execute(there)).scalar():
        return False
    values = {"job_id": job_id, "post": shown.post, "place": shown.place, "link": shown.link}
    await upsert(connection, shown_clip, [values])
    return True


async def of_job(connection: AsyncConnection, job_id: str) -> list[ShownClip]:
    """List where the clip of a job is shown."""
    query = sa.select(shown_clip).where(shown_clip.c.job_id == job_id).order_by(shown_clip.c.post)
    found = await connection.execute(query)
    return [ShownClip(row.place, row.post, row.link) for row in found]


async def remove(connection: AsyncConnection, job_id: str) -> None:
    """Forget where the clip of a job was shown."""
    await connection.execute(sa.delete(shown_clip).where(shown_clip.c.job_id == job_id))
