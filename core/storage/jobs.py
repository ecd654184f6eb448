"""Rows of jobs: one compare-and-set moves each, whatever else moves beside it."""

import json
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import JobState, ReplyTo
from core.storage.mapping import job_rows
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

NONCE_LENGTH = 25  # what the strictest platform takes


async def read(connection: AsyncConnection, job_id: str) -> Row[Any] | None:
    """Return the row of a job, with its clip."""
    return (await connection.execute(job_rows().where(job.c.id == job_id))).first()


async def read_by_key(connection: AsyncConnection, user_key: str, idem_key: str) -> Row[Any] | None:
    """Return the job that an account made under an idempotency key."""
    same = (job.c.user_key == user_key) & (job.c.idem_key == idem_key)
    return (await connection.execute(job_rows().where(same))).first()


async def running(connection: AsyncConnection) -> list[Row[Any]]:
    """Return the running jobs, oldest start first."""
    query = job_rows().where(RUNNING).order_by(job.c.started_at_ms.nulls_last())
    return list(await connection.execute(query))


async def waiting_since(connection: AsyncConnection, before: int) -> list[Row[Any]]:
    """Return what waits and was made before ``before`` (epoch ms)."""
    query = select(job).where(WAITING, job.c.created_at_ms < before).order_by(job.c.created_at_ms)
    return list(await connection.execute(query))


async def told(connection: AsyncConnection, before: int, limit: int) -> list[Row[Any]]:
    """Return jobs that ended before ``before`` (epoch ms) and whose requester knows."""
    owed = exists().where(outbox.c.job_id == job.c.id, outbox.c.state.in_(("pending", "sending")))
    query = job_rows().where(job.c.finished_at_ms < before, ~owed)
    return list(await connection.execute(query.order_by(job.c.finished_at_ms).limit(limit)))


async def add(connection: AsyncConnection, values: dict[str, Any], media: set[str]) -> None:
    """Insert a waiting job and which files it needs."""
    await connection.execute(insert(job).values(values))
    if media:
        needs = [{"name": name, "job_id": values["id"]} for name in sorted(media)]
        await connection.execute(insert(job_media), needs)
    await note(connection, values["id"], values["created_at_ms"], values["state"], "")


async def give_up_seq(connection: AsyncConnection, ended: Row[Any]) -> int:
    """Return the place of ``ended`` in the order of acceptance; it gets the next free one."""
    free = select(func.max(job.c.seq) + 1).scalar_subquery()
    await connection.execute(update(job).where(job.c.id == ended.id).values(seq=free))
    return ended.seq


async def move(
    connection: AsyncConnection,
    seen: Row[Any],
    to: JobState,
    now: int,
    values: dict[str, Any],
    detail: str = "",
) -> Row[Any]:
    """Move the job that was read as ``seen``, if nobody moved it since.

    Returns:
        The new row, without its clip.

    Raises:
        NoResultFound: somebody moved it; inside one transaction that is a defect.
    """
    same_token = job.c.token.is_(None) if seen.token is None else job.c.token == seen.token
    moved = await connection.execute(
        update(job)
        .where(job.c.id == seen.id, job.c.state == seen.state, same_token)
        .values(state=to.value, **values)
        .returning(job)
    )
    row = moved.one()
    await note(connection, seen.id, now, to.value, detail)
    return row


async def extend_lease(connection: AsyncConnection, job_id: str, token: str, until_ms: int) -> bool:
    """Return whether ``token`` still owns the job; its lease is longer then."""
    result = await connection.execute(
        update(job).where(job.c.id == job_id, job.c.token == token).values(lease_until_ms=until_ms)
    )
    return result.rowcount == 1


async def note(connection: AsyncConnection, job_id: str, now: int, what: str, detail: str) -> None:
    """Append to the history of a job."""
    values = {"job_id": job_id, "at_ms": now, "what": what, "detail": detail}
    await connection.execute(insert(job_event).values(values))


async def add_clip(connection: AsyncConnection, job_id: str, values: dict[str, Any]) -> None:
    """Note what a job made."""
    await connection.execute(insert(artifact).values(job_id=job_id, **values))


async def owe(
    connection: AsyncConnection, ended: Row[Any], now: int, *, told: bool = False
) -> None:
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
    """Replace where a job's result goes; return whether there is such a job."""
    address = {"reply_platform": reply_to.platform, "reply_address": json.dumps(reply_to.address)}
    result = await connection.execute(update(job).where(job.c.id == job_id).values(address))
    await connection.execute(
        update(outbox).where(outbox.c.job_id == job_id).values(dest=reply_to.platform)
    )
    return result.rowcount == 1


async def remove(connection: AsyncConnection, job_ids: list[str]) -> None:
    """Delete jobs with everything but their ledger entries."""
    for job_id in job_ids:
        await connection.execute(delete(job).where(job.c.id == job_id))


async def media_in_use(connection: AsyncConnection, name: str) -> bool:
    """Return whether a kept job needs the admitted file ``name``."""
    return bool(
        (await connection.execute(select(exists().where(job_media.c.name == name)))).scalar()
    )


async def read_setting(connection: AsyncConnection, name: str) -> str | None:
    """Return the value of a switch, None where it was never set."""
    query = select(setting.c.value).where(setting.c.name == name)
    return (await connection.execute(query)).scalar()


async def write_setting(connection: AsyncConnection, name: str, value: str) -> None:
    """Set a switch."""
    statement = upsert(setting).values(name=name, value=value)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )
