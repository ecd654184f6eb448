"""Rows of jobs: reading them, and what changes in them beside their state."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import ReplyTo
from core.domain.lineage import DRAFTS, key_of_draft
from core.errors import JobUnknown
from core.storage.dialects import NextNumber, upsert
from core.storage.mapping import RESERVED, job_alone, job_rows, job_with_clip, reserved
from core.storage.records import Reservation, StoredJob
from core.storage.tables import (
    RESERVE,
    RUNNING,
    WAITING,
    job,
    job_media,
    ledger,
    outbox,
    setting,
)

LONGEST_ID = 64  # characters; ours have 32 hex digits


@dataclass(frozen=True, slots=True)
class ReservedJob:
    """A job without its clip, and its reservations: one in each limit that applied to it."""

    row: StoredJob
    held: list[Reservation]  # of one that is over, perhaps rolled up


async def read(connection: AsyncConnection, job_id: str) -> StoredJob | None:
    """Read a job, with its clip; what cannot be an id names none."""
    if not _names_one(job_id):
        return None
    row = (await connection.execute(job_rows().where(job.c.id == job_id))).first()
    return None if row is None else job_with_clip(row)


async def exists_one(connection: AsyncConnection, job_id: str) -> bool:
    """Tell whether a job is kept."""
    return bool((await connection.execute(select(exists().where(job.c.id == job_id)))).scalar())


async def require(connection: AsyncConnection, job_id: str) -> StoredJob:
    """Read a job that has to be there, with its clip.

    Raises:
        JobUnknown: no such job.
    """
    found = await read(connection, job_id)
    if found is None:
        raise JobUnknown(job_id)
    return found


async def read_reserved(connection: AsyncConnection, job_id: str) -> ReservedJob | None:
    """Read a job without its clip, and what is set aside for it; nobody else moves it meanwhile."""
    if not _names_one(job_id):
        return None
    found = (await connection.execute(_reserved(), {"job_id": job_id})).all()
    return ReservedJob(job_alone(found[0]), reserved(found)) if found else None


@cache  # every end of a job asks it
def _reserved() -> Select[Any]:
    set_aside = (ledger.c.job_id == job.c.id) & RESERVE
    asked = job.c.id == bindparam("job_id", type_=job.c.id.type)
    query = select(job, *RESERVED).outerjoin(ledger, set_aside).where(asked)
    return query.order_by(ledger.c.id).with_for_update(of=job)


async def live_beside(connection: AsyncConnection, row: StoredJob) -> list[ReservedJob]:
    """Read the drafts that were asked for with ``row`` and are not over."""
    if row.group_id is None:
        return []
    others = job.c.group_id == row.group_id, job.c.id != row.id, job.c.finished_at_ms.is_(None)
    query = select(job.c.id).where(*others).order_by(job.c.seq)
    found = [await read_reserved(connection, one) for one in list(await connection.scalars(query))]
    return [one for one in found if one is not None]


async def read_by_key(
    connection: AsyncConnection, user_keys: Sequence[str], idem_key: str
) -> StoredJob | None:
    """Read the job that one of the accounts made under an idempotency key.

    Of several drafts it is the first that is still kept.
    """
    keys = [key_of_draft(idem_key, number) for number in range(1, DRAFTS + 1)]
    same = job.c.user_key.in_(user_keys) & job.c.idem_key.in_(keys)
    row = (await connection.execute(job_rows().where(same).order_by(job.c.seq).limit(1))).first()
    return None if row is None else job_with_clip(row)


async def running(connection: AsyncConnection, *, to_move: bool = False) -> list[StoredJob]:
    """Read the running jobs, oldest start first; ``to_move``: nothing of them changes meanwhile."""
    query = job_rows().where(RUNNING).order_by(job.c.started_at_ms.nulls_last())
    if to_move:
        query = query.with_for_update(of=job)
    return [job_with_clip(row) for row in await connection.execute(query)]


async def waiting_since(connection: AsyncConnection, before: int, limit: int) -> list[StoredJob]:
    """Read what waits and was made before ``before`` (epoch ms), the oldest ``limit`` of it."""
    query = select(job).where(WAITING, job.c.created_at_ms < before).order_by(job.c.created_at_ms)
    return [job_alone(row) for row in await connection.execute(query.limit(limit))]


async def told(connection: AsyncConnection, before: int, limit: int) -> list[StoredJob]:
    """Read jobs that ended before ``before`` (epoch ms) and whose requester knows."""
    owed = exists().where(outbox.c.job_id == job.c.id, outbox.c.state.in_(("pending", "sending")))
    query = job_rows().where(job.c.finished_at_ms < before, ~owed, ~_shown_with_others())
    query = query.order_by(job.c.finished_at_ms).limit(limit)
    return [job_with_clip(row) for row in await connection.execute(query)]


def _shown_with_others() -> ColumnElement[bool]:
    """Ask whether a draft is still to be shown with others of its group."""
    other = job.alias()
    waiting = other.c.finished_at_ms.is_(None) | exists().where(
        outbox.c.job_id == other.c.id, outbox.c.state.in_(("pending", "sending"))
    )
    return exists().where(job.c.group_id.is_not(None), other.c.group_id == job.c.group_id, waiting)


async def finished_of(connection: AsyncConnection, user_key: str, limit: int) -> list[StoredJob]:
    """Read terminal jobs of an account, the newest first."""
    query = job_rows().where(job.c.user_key == user_key, job.c.finished_at_ms.is_not(None))
    query = query.order_by(job.c.seq.desc()).limit(limit)
    return [job_with_clip(row) for row in await connection.execute(query)]


async def give_up_seq(connection: AsyncConnection, ended: StoredJob) -> int:
    """Take its place in the order of acceptance from ``ended``, which gets the next free one."""
    free = NextNumber(job.c.seq)
    await connection.execute(update(job).where(job.c.id == ended.id).values(seq=free))
    return ended.seq


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


async def redirect(connection: AsyncConnection, job_id: str, reply_to: ReplyTo) -> bool:
    """Replace where a job's result goes, with its drafts'; False where there is no such job."""
    address = {"reply_platform": reply_to.platform, "reply_address": json.dumps(reply_to.address)}
    result = await connection.execute(update(job).where(job.c.id == job_id).values(address))
    group = select(job.c.group_id).where(job.c.id == job_id).scalar_subquery()
    await connection.execute(update(job).where(job.c.group_id == group).values(address))
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
        made_from_it = update(job).where(job.c.parent_id == job_id)
        await connection.execute(made_from_it.values(parent_id=None))
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


def _names_one(job_id: str) -> bool:
    return job_id.isascii() and len(job_id) <= LONGEST_ID
