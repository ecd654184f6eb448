"""Rows of jobs: one compare-and-set moves each, whatever else moves beside it."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import JobState, ReplyTo
from core.errors import JobUnknown
from core.storage.dialects import NextNumber, upsert
from core.storage.heartbeats import NO_PROGRESS
from core.storage.mapping import (
    clip_values,
    failure_values,
    job_alone,
    job_rows,
    job_values,
    job_with_clip,
)
from core.storage.records import JobCompletion, JobToAdd, QueuePlace, StoredJob
from core.storage.tables import (
    RUNNING,
    WAITING,
    artifact,
    job,
    job_event,
    job_media,
    outbox,
    setting,
)

NOT_OVERTAKEN = {"overtaken": 0, "overtaken_since_ms": None}
LONGEST_ID = 64  # characters; ours have 32 hex digits
NONCE_LENGTH = 25  # what the strictest platform takes


async def read(connection: AsyncConnection, job_id: str) -> StoredJob | None:
    """Read a job, with its clip; what cannot be an id names none."""
    if not job_id.isascii() or len(job_id) > LONGEST_ID:
        return None
    row = (await connection.execute(job_rows().where(job.c.id == job_id))).first()
    return None if row is None else job_with_clip(row)


async def require(connection: AsyncConnection, job_id: str) -> StoredJob:
    """Read a job that has to be there, with its clip.

    Raises:
        JobUnknown: no such job.
    """
    found = await read(connection, job_id)
    if found is None:
        raise JobUnknown(job_id)
    return found


async def read_by_key(
    connection: AsyncConnection, user_key: str, idem_key: str
) -> StoredJob | None:
    """Read the job that an account made under an idempotency key."""
    same = (job.c.user_key == user_key) & (job.c.idem_key == idem_key)
    row = (await connection.execute(job_rows().where(same))).first()
    return None if row is None else job_with_clip(row)


async def running(connection: AsyncConnection) -> list[StoredJob]:
    """Read the running jobs, oldest start first."""
    query = job_rows().where(RUNNING).order_by(job.c.started_at_ms.nulls_last())
    return [job_with_clip(row) for row in await connection.execute(query)]


async def waiting_since(connection: AsyncConnection, before: int) -> list[StoredJob]:
    """Read what waits and was made before ``before`` (epoch ms)."""
    query = select(job).where(WAITING, job.c.created_at_ms < before).order_by(job.c.created_at_ms)
    return [job_alone(row) for row in await connection.execute(query)]


async def told(connection: AsyncConnection, before: int, limit: int) -> list[StoredJob]:
    """Read jobs that ended before ``before`` (epoch ms) and whose requester knows."""
    owed = exists().where(outbox.c.job_id == job.c.id, outbox.c.state.in_(("pending", "sending")))
    query = job_rows().where(job.c.finished_at_ms < before, ~owed)
    query = query.order_by(job.c.finished_at_ms).limit(limit)
    return [job_with_clip(row) for row in await connection.execute(query)]


async def finished_of(connection: AsyncConnection, user_key: str, limit: int) -> list[StoredJob]:
    """Read terminal jobs of an account, the newest first."""
    query = job_rows().where(job.c.user_key == user_key, job.c.finished_at_ms.is_not(None))
    query = query.order_by(job.c.seq.desc()).limit(limit)
    return [job_with_clip(row) for row in await connection.execute(query)]


async def add(connection: AsyncConnection, new: JobToAdd, place: QueuePlace) -> None:
    """Insert a waiting job and which files it needs."""
    await connection.execute(insert(job).values(job_values(new, place)))
    media = {file.name for file in new.request.media().values()}
    if media:
        needs = [{"name": name, "job_id": new.id} for name in sorted(media)]
        await connection.execute(insert(job_media), needs)
    await note(connection, new.id, new.created_at_ms, place.state.value, "")


async def give_up_seq(connection: AsyncConnection, ended: StoredJob) -> int:
    """Take its place in the order of acceptance from ``ended``, which gets the next free one."""
    free = NextNumber(job.c.seq)
    await connection.execute(update(job).where(job.c.id == ended.id).values(seq=free))
    return ended.seq


async def move(
    connection: AsyncConnection,
    seen: StoredJob,
    to: JobState,
    now: int,
    values: dict[str, Any],
    detail: str = "",
) -> StoredJob:
    """Move the job that was read as ``seen``, if nobody moved it since.

    Returns:
        The new row, without its clip.

    Raises:
        NoResultFound: somebody moved it; inside one transaction that is a defect.
    """
    same_token = job.c.token.is_(None) if seen.token is None else job.c.token == seen.token
    moved = await connection.execute(
        update(job)
        .where(job.c.id == seen.id, job.c.state == seen.state.value, same_token)
        .values(state=to.value, **values)
        .returning(job)
    )
    row = job_alone(moved.one())
    await note(connection, seen.id, now, to.value, detail)
    return row


async def enqueue(
    connection: AsyncConnection, held: StoredJob, now: int, *, above_limit: bool
) -> StoredJob:
    """Move a held job to ``queued``; its place in the fair order is final now."""
    values = {"above_limit": int(above_limit)}
    return await move(connection, held, JobState.QUEUED, now, values)


async def start(
    connection: AsyncConnection,
    queued: StoredJob,
    token: str,
    lease_until_ms: int,
    now: int,
    *,
    has_device: bool,
    node_id: str | None = None,
) -> None:
    """Begin the next attempt of a queued job, owned by ``token`` on the node ``node_id``."""
    values = {
        "node_id": node_id,
        **NOT_OVERTAKEN,
        "token": token,
        "attempt": queued.attempt + 1,
        "rank": None,
        "started_at_ms": now if has_device else None,
        "lease_until_ms": lease_until_ms,
    }
    detail = f"attempt {queued.attempt + 1}"
    await move(connection, queued, JobState.RUNNING, now, values, detail)


async def note_device(connection: AsyncConnection, running_job: StoredJob, now: int) -> None:
    """Note that a running job has the device from ``now`` on."""
    values = {"started_at_ms": now}
    await move(connection, running_job, JobState.RUNNING, now, values, "has the device")


async def put_back(
    connection: AsyncConnection,
    lost: StoredJob,
    rank: int,
    counted: tuple[int, int],
    now: int,
    detail: str,
) -> None:
    """Queue a running job again at ``rank``, with so many attempts and losses ``counted``."""
    attempt, losses = counted
    values = {"rank": rank, "attempt": attempt, "losses": losses}
    values |= {"token": None, "lease_until_ms": None} | NO_PROGRESS
    await move(connection, lost, JobState.QUEUED, now, values, detail)


async def note_overtaken(connection: AsyncConnection, job_ids: list[str], now: int) -> None:
    """Count that a job behind them goes before these."""
    since = func.coalesce(job.c.overtaken_since_ms, now)
    more = update(job).where(job.c.id.in_(job_ids))
    await connection.execute(more.values(overtaken=job.c.overtaken + 1, overtaken_since_ms=since))


async def has_lapsed(connection: AsyncConnection, before: int) -> bool:
    """Tell whether the lease of a running job ended before then (epoch ms)."""
    lapsed = exists().where(RUNNING, job.c.lease_until_ms < before)
    return bool((await connection.execute(select(lapsed))).scalar())


async def last_rank(connection: AsyncConnection) -> int | None:
    """Read the rank of the last waiting job, None where nobody waits."""
    return (await connection.execute(select(func.max(job.c.rank)).where(WAITING))).scalar()


async def complete(
    connection: AsyncConnection,
    seen: StoredJob,
    how: JobCompletion,
    clips_folder: Path,
    now: int,
) -> None:
    """Bring a job to its terminal state, with its clip and the promise to tell the requester.

    Raises:
        ValueError: its clip does not lie in ``clips_folder``.
    """
    values = {
        "rank": None,
        "token": None,
        "lease_until_ms": None,
        **NO_PROGRESS,
        "finished_at_ms": now,
        "charged_ms": how.charged_ms,
        **failure_values(how.failure),
    }
    detail = "" if how.failure is None else how.failure.code
    await move(connection, seen, how.state, now, values, detail)
    if how.clip is not None:
        clip = clip_values(how.clip, clips_folder)
        await connection.execute(insert(artifact).values(job_id=seen.id, **clip))
    await owe(connection, seen, now, told=how.told)


async def note(connection: AsyncConnection, job_id: str, now: int, what: str, detail: str) -> None:
    """Append to the history of a job."""
    values = {"job_id": job_id, "at_ms": now, "what": what, "detail": detail}
    await connection.execute(insert(job_event).values(values))


async def owe(connection: AsyncConnection, ended: StoredJob, now: int, *, told: bool) -> None:
    """Promise to tell the requester: the one outbox row of a job and its destination.

    ``told``: the promise is kept already.
    """
    values = {
        "job_id": ended.id,
        "dest": ended.reply_platform,
        "state": "sent" if told else "pending",
        "nonce": ended.id[:NONCE_LENGTH],
        "attempts": 0,
        "next_at_ms": None if told else now,
        "ambiguous": 0,
    }
    await connection.execute(insert(outbox).values(values))


async def redirect(connection: AsyncConnection, job_id: str, reply_to: ReplyTo) -> bool:
    """Replace where a job's result goes; False where there is no such job."""
    address = {"reply_platform": reply_to.platform, "reply_address": json.dumps(reply_to.address)}
    result = await connection.execute(update(job).where(job.c.id == job_id).values(address))
    await connection.execute(
        update(outbox).where(outbox.c.job_id == job_id).values(dest=reply_to.platform)
    )
    return result.rowcount == 1


async def media_of(connection: AsyncConnection, job_id: str) -> tuple[str, ...]:
    """List the names of the admitted files that a job needs."""
    query = select(job_media.c.name).where(job_media.c.job_id == job_id)
    return tuple(await connection.scalars(query.order_by(job_media.c.name)))


async def remove(connection: AsyncConnection, job_ids: list[str]) -> None:
    """Delete jobs with everything but their ledger entries."""
    for job_id in job_ids:
        await connection.execute(delete(job).where(job.c.id == job_id))


async def media_in_use(connection: AsyncConnection, name: str) -> bool:
    """Tell whether a kept job needs the admitted file ``name``."""
    return bool(
        (await connection.execute(select(exists().where(job_media.c.name == name)))).scalar()
    )


async def read_setting(connection: AsyncConnection, name: str) -> str | None:
    """Read the value of a switch, None where it was never set."""
    query = select(setting.c.value).where(setting.c.name == name)
    return (await connection.execute(query)).scalar()


async def write_setting(connection: AsyncConnection, name: str, value: str) -> None:
    """Set a switch."""
    await upsert(connection, setting, [{"name": name, "value": value}])
