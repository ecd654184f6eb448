"""Delete jobs that are over: rows here, files at the caller, who is told of them.

Functions on a connection; :class:`core.queue.job_queue.JobQueue` owns the transactions.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.domain.jobs import Job
from core.domain.people import Requester
from core.errors import AlreadyFinished, NotYours
from core.storage import jobs as rows
from core.storage.database import Connection
from core.storage.records import StoredJob


async def delete_one(
    connection: Connection, clips_folder: Path, job_id: str, by: Requester, *, operator: bool
) -> Job:
    """Delete a terminal job, and return what was deleted.

    Raises:
        JobUnknown: no such job.
        NotYours: somebody else's.
        AlreadyFinished: the other way round: it is not terminal, so cancel it first.
    """
    row = await rows.require(connection, job_id)
    if row.user_key != by.key and not operator:
        raise NotYours(job_id)
    if not row.state.terminal:
        raise AlreadyFinished(job_id, row.state)
    return (await delete_rows(connection, clips_folder, [row]))[0]


async def delete_rows(
    connection: Connection, clips_folder: Path, over: Sequence[StoredJob]
) -> list[Job]:
    """Delete the jobs that were read as ``over``, and return them with what names their files."""
    gone: list[Job] = []
    for row in over:
        job = row.job(clips_folder)
        if job.asked is None:  # only the rows know its files
            job = replace(job, unread_files=await rows.media_of(connection, job.id))
        gone.append(job)
    await rows.remove(connection, [row.id for row in over])
    return gone
