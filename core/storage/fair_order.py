"""Rows of fairness: where each account stands, and the queue of waiting jobs.

The arithmetic is explained in :mod:`core.domain.fairness`. Every change touches one account: at
most as many waiting jobs as an account may have, however long the queue is.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Update,
    case,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.fairness import ORDINARY, JobLoad, WorkAhead, rank_of
from core.domain.jobs import JobState
from core.storage.dialects import total, upserted
from core.storage.due_jobs import DueJob, held_in
from core.storage.records import QueuePlace, StoredJob
from core.storage.tables import RUNNING, WAITING, WAITING_STATES, flow, job, sched
from core.storage.write_batch import Placeholders, WriteBatch


async def enter_queue(
    connection: AsyncConnection,
    batch: WriteBatch,
    user_key: str,
    weight: int,
    cost: int,
    now: int,
) -> QueuePlace:
    """Make room for one more waiting job of ``user_key``, which moves it by ``cost``.

    Returns:
        Its place: held, with a provisional tag.
    """
    found = await _flow(connection, user_key)
    if found is None or found.held == 0:
        tag = max(await _vtime_now(connection, found), 0 if found is None else found.finish)
        since = now
    else:
        tag, since = await _end_of_own_queue(connection, user_key), found.since_ms
    row = {"user_key": user_key, "finish": tag, "since_ms": since, "weight": weight}
    changes = {"since_ms": since, "weight": weight, "held": flow.c.held + 1}
    batch.add(upserted(connection, flow, [{**row, "held": 1, "active": 0}], changes))
    fresh = found is None or (found.held == 0 and found.active == 0)
    return QueuePlace(JobState.HELD, tag, rank_of(tag, cost, since, fresh=fresh))


async def waiting_of(connection: AsyncConnection, user_key: str) -> int:
    """Count the waiting jobs of ``user_key``."""
    own = (job.c.user_key == user_key) & job.c.state.in_(WAITING_STATES)
    query = select(func.count()).select_from(job).where(own, WAITING)
    return (await connection.execute(query)).scalar_one()


def promote(batch: WriteBatch, due: DueJob, now: int) -> int:
    """Make the tag of a held job final: its account is charged for it in virtual time.

    It takes the start of its account's part of the queue. What the account had before it, where it
    was preferred to that, moves back by its cost.

    Returns:
        The tag, which is the caller's to write into the row of the job itself.
    """
    held, start = due.row, due.start
    account = {"user_key": held.share_key, "finish": start + held.cost, "since_ms": now}
    batch.fill(_promoted_account, account)
    batch.fill(_virtual_time, {"vtime": start})
    behind = {"share_key": held.share_key, "seq": held.seq, "cost": held.cost}
    batch.fill(_behind_promoted, behind | {"rank": rank_of(0, 0, now)})
    return start


def _promoted_account(given: Placeholders) -> Update:
    of = flow.c
    changes = {"finish": given(of.finish), "since_ms": given(of.since_ms)}
    changes |= {"held": of.held - 1, "active": of.active + 1}
    return update(flow).where(of.user_key == given(of.user_key)).values(changes)


def _virtual_time(given: Placeholders) -> Update:
    start = given(sched.c.vtime)
    return update(sched).where(sched.c.vtime < start).values(vtime=start)


def _behind_promoted(given: Placeholders) -> Update:
    of = job.c
    seq, moved = given(of.seq), of.tag + given(of.cost)
    tag = case((of.seq < seq, moved), else_=of.tag)
    others = update(job).where(*_own_held(given(of.share_key)), of.seq != seq)
    return others.values(tag=tag, rank=tag + of.cost + given(of.rank))


async def leave_queue(connection: AsyncConnection, held: StoredJob) -> None:
    """Take a held job out: what its account has waiting behind it moves up."""
    await connection.execute(
        update(flow).where(flow.c.user_key == held.share_key).values(held=flow.c.held - 1)
    )
    await _shift(connection, held.share_key, -held.cost, held.seq)
    found = await _flow(connection, held.share_key)
    since = 0 if found is None else found.since_ms
    if held.rank == rank_of(held.tag, held.cost, since, fresh=True):
        await _pass_on_first_place(connection, held, since)


async def _pass_on_first_place(connection: AsyncConnection, gone: StoredJob, since: int) -> None:
    """Let the next job of a fresh account be its first one."""
    others = (*_own_held(gone.share_key), job.c.seq != gone.seq)
    query = select(job).where(*others).order_by(job.c.seq).limit(1)
    head = (await connection.execute(query)).first()
    if head is not None and head.seq > gone.seq:
        rank = rank_of(head.tag, head.cost, since, fresh=True)
        await connection.execute(update(job).where(job.c.id == head.id).values(rank=rank))


async def take_place(
    connection: AsyncConnection, old: StoredJob, weight: int, cost: int
) -> QueuePlace:
    """Let a job of the same account stand where a waiting one stood; its cost alone moves it.

    What the account has waiting behind it moves by the difference of their costs.

    Returns:
        The place of the new job; its seq is the caller's to take over.
    """
    found = await _flow(connection, old.share_key)
    since = 0 if found is None else found.since_ms
    by = cost - old.cost
    changes: dict[str, Any] = {"weight": weight}
    if old.state is JobState.HELD:
        fresh = old.rank == rank_of(old.tag, old.cost, since, fresh=True)
        rank = rank_of(old.tag, cost, since, fresh=True) if fresh else old.waiting_rank + by
        behind = old.seq
    else:  # promoted: its cost is part of where the account's next job starts
        rank, behind = old.waiting_rank + max(0, by), 0
        changes["finish"] = flow.c.finish + by
    await connection.execute(update(flow).where(flow.c.user_key == old.share_key).values(changes))
    await _shift(connection, old.share_key, by, behind)
    return QueuePlace(old.state, old.tag, rank, old.above_limit)


def settle(batch: WriteBatch, started: StoredJob, actual_ms: int) -> None:
    """Take a promoted job out, and replace its estimate by what it really took."""
    values = {"user_key": started.share_key, "finish": actual_ms * ORDINARY, "cost": started.cost}
    batch.fill(_ended_account, values)
    batch.fill(_behind_ended, values)


def _ended_account(given: Placeholders) -> Update:
    own, by = _measured(given)
    return update(flow).where(own).values(finish=flow.c.finish + by, active=flow.c.active - 1)


def _behind_ended(given: Placeholders) -> Update:
    own, by = _measured(given)
    moved = select(by).where(own).scalar_subquery()
    held = update(job).where(*_own_held(given(flow.c.user_key)))
    return held.values(tag=job.c.tag + moved, rank=job.c.rank + moved)


def _measured(given: Placeholders) -> tuple[ColumnElement[bool], ColumnElement[int]]:
    """Return whose account it is, and by how much the real cost is above the estimated one."""
    really = given(flow.c.finish) // flow.c.weight  # as of cost_of
    return flow.c.user_key == given(flow.c.user_key), really - given(job.c.cost)


async def ahead_of(connection: AsyncConnection, waiting: StoredJob) -> WorkAhead:
    """Sum up what waits before a job, from the index ``job_line_of`` alone."""
    query = select(
        func.count(),
        total(job.c.estimate_ms),
        total(job.c.spread_ms * job.c.spread_ms),
    ).where(
        WAITING,
        job.c.pool == waiting.pool,
        tuple_(job.c.rank, job.c.seq) < tuple_(waiting.rank, waiting.seq),
    )
    count, sum_ms, squares = (await connection.execute(query)).one()
    return WorkAhead(count, sum_ms, squares)


async def ahead_of_all(
    connection: AsyncConnection, user_key: str
) -> tuple[dict[str, tuple[JobLoad, WorkAhead]], dict[str, str]]:
    """Sum up, for every waiting job of an account, its own load and what waits before it.

    Returns:
        That, and the pool of each.
    """
    front = job.alias("front")
    before = tuple_(front.c.rank, front.c.seq) < tuple_(job.c.rank, job.c.seq)
    same_pool = front.c.pool == job.c.pool
    query = (
        select(
            job.c.id,
            job.c.pool,
            job.c.estimate_ms,
            job.c.spread_ms,
            func.count(front.c.seq),
            total(front.c.estimate_ms),
            total(front.c.spread_ms * front.c.spread_ms),
        )
        .outerjoin(front, front.c.rank.is_not(None) & same_pool & before)
        .where(job.c.user_key == user_key, job.c.state.in_(WAITING_STATES), WAITING)
        .group_by(job.c.id, job.c.pool, job.c.estimate_ms, job.c.spread_ms)
    )
    loads: dict[str, tuple[JobLoad, WorkAhead]] = {}
    pools: dict[str, str] = {}
    for job_id, pool, own_ms, spread_ms, count, sum_ms, squares in await connection.execute(query):
        loads[job_id] = JobLoad(own_ms, spread_ms), WorkAhead(count, sum_ms, squares)
        pools[job_id] = pool
    return loads, pools


async def _flow(connection: AsyncConnection, user_key: str) -> Row[Any] | None:
    return (await connection.execute(select(flow).where(flow.c.user_key == user_key))).first()


async def _vtime_now(connection: AsyncConnection, found: Row[Any] | None) -> int:
    """Read virtual time; where nothing is live, everybody starts level again."""
    vtime: int = (await connection.execute(select(sched.c.vtime))).scalar_one()
    if found is not None and found.active > 0:
        return vtime
    live = select(or_(exists().where(WAITING), exists().where(RUNNING)))
    if (await connection.execute(live)).scalar_one():
        return vtime
    last: int | None = (await connection.execute(select(func.max(flow.c.finish)))).scalar()
    vtime = max(vtime, last or 0)
    await connection.execute(update(sched).values(vtime=vtime))
    return vtime


async def _end_of_own_queue(connection: AsyncConnection, user_key: str) -> int:
    query = (
        select(job.c.tag + job.c.cost)
        .where(job.c.share_key == user_key, WAITING, job.c.state == "held")
        .order_by(job.c.seq.desc())
        .limit(1)
    )
    return (await connection.execute(query)).scalar_one()


async def _shift(connection: AsyncConnection, user_key: str, by: int, after_seq: int) -> None:
    if by:
        moved = update(job).where(*_own_held(user_key), job.c.seq > after_seq)
        await connection.execute(moved.values(tag=job.c.tag + by, rank=job.c.rank + by))


def _own_held(user_key: str | ColumnElement[str]) -> tuple[ColumnElement[bool], ...]:
    return (job.c.share_key == user_key, *held_in(job))
