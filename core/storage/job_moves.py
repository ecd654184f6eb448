"""Moves of a job's row: one compare-and-set each, together with what moves beside it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Select,
    Update,
    exists,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import JobState
from core.storage.due_jobs import DueJob
from core.storage.fair_order import promote
from core.storage.heartbeats import NO_PROGRESS
from core.storage.mapping import clip_values, failure_values, job_alone, job_values
from core.storage.records import JobCompletion, JobToAdd, QueuePlace, StoredJob
from core.storage.tables import artifact, job, job_event, job_media, outbox
from core.storage.write_batch import WriteBatch

_EVENT = ("job_id", "at_ms", "what", "detail")
NOT_OVERTAKEN = {"overtaken": 0, "overtaken_since_ms": None}
NONCE_LENGTH = 25  # what the strictest platform takes


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """Who begins an attempt, and how long it is theirs without a sign of life."""

    token: str
    lease_until_ms: int  # epoch
    has_device: bool
    node_id: str | None = None


async def add(
    connection: AsyncConnection, batch: WriteBatch, new: JobToAdd, place: QueuePlace
) -> StoredJob:
    """Insert a waiting job and which files it needs; ``batch``, what changes beside it, is sent."""
    added = insert(job).values(job_values(new, place)).returning(job)
    batch.add(added)
    for name in sorted({file.name for file in new.request.media().values()}):
        batch.add(insert(job_media).values(name=name, job_id=new.id))
    note(batch, new.id, new.created_at_ms, (place.state.value, ""))
    return job_alone((await batch.send(connection, added)).one())


def moved(seen: StoredJob, to: JobState, values: dict[str, Any]) -> Update:
    """Build the move of the job that was read as ``seen``, if nobody moved it since.

    It returns one row; none inside the transaction that read it is a defect.
    """
    same_token = job.c.token.is_(None) if seen.token is None else job.c.token == seen.token
    still = job.c.id == seen.id, job.c.state == seen.state.value, same_token
    return update(job).where(*still).values(state=to.value, **values).returning(job.c.seq)


async def start(
    connection: AsyncConnection, due: DueJob, attempt: NewAttempt, now: int, *, above_limit: bool
) -> StoredJob:
    """Begin the next attempt of a job whose turn it is; a held one is promoted.

    Returns:
        The row as it is now.
    """
    batch, row = WriteBatch(), due.row
    events = [(JobState.RUNNING.value, f"attempt {row.attempt + 1}")]
    changes: dict[str, Any] = {
        **NOT_OVERTAKEN,
        "node_id": attempt.node_id,
        "token": attempt.token,
        "attempt": row.attempt + 1,
        "rank": None,
        "started_at_ms": now if attempt.has_device else None,
        "lease_until_ms": attempt.lease_until_ms,
    }
    if row.state is JobState.HELD:  # its place in the fair order is final now
        changes |= {"tag": promote(batch, due, now), "above_limit": int(above_limit)}
        events.insert(0, (JobState.QUEUED.value, ""))
    note(batch, row.id, now, *events)
    batch.add(moved(row, JobState.RUNNING, changes))
    (await batch.send(connection)).one()
    known = {"state": JobState.RUNNING, "above_limit": bool(changes.get("above_limit"))}
    return replace(row, **changes | known)


async def note_device(connection: AsyncConnection, job_id: str, token: str, now: int) -> bool:
    """Note that a running job has the device from ``now`` on; False where ``token`` lost it."""
    batch, owned = WriteBatch(), (job.c.id == job_id, job.c.token == token)
    event = _event(job.c.id, now, JobState.RUNNING.value, "has the device")
    batch.add(insert(job_event).from_select(_EVENT, event.where(*owned)))
    batch.add(update(job).where(*owned).values(started_at_ms=now))
    return (await batch.send(connection)).rowcount == 1


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
    batch = WriteBatch()
    note(batch, lost.id, now, (JobState.QUEUED.value, detail))
    batch.add(moved(lost, JobState.QUEUED, values))
    (await batch.send(connection)).one()


async def complete(
    connection: AsyncConnection,
    batch: WriteBatch,
    seen: StoredJob,
    how: JobCompletion,
    clips_folder: Path,
    now: int,
) -> None:
    """Bring a job to its terminal state, with its clip and the promise to tell the requester.

    ``batch`` is what changes beside it; it is sent.

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
    note(batch, seen.id, now, (how.state.value, "" if how.failure is None else how.failure.code))
    if how.clip is not None:
        clip = clip_values(how.clip, clips_folder)
        batch.add(insert(artifact).values(job_id=seen.id, **clip))
    told = how.told or await _ends_later(connection, seen)
    batch.add(_owed(seen, now, told=told), moved(seen, how.state, values))
    (await batch.send(connection)).one()


async def _ends_later(connection: AsyncConnection, ended: StoredJob) -> bool:
    """Tell whether a draft is told of later: with the last one of its group that ends."""
    if ended.group_id is None:
        return False
    others = job.c.group_id == ended.group_id, job.c.id != ended.id, job.c.finished_at_ms.is_(None)
    return bool((await connection.execute(select(exists().where(*others)))).scalar())


def note(batch: WriteBatch, job_id: str, now: int, *events: tuple[str, str]) -> None:
    """Append to the history of a job: what happened, and a detail."""
    rows = [_event(literal(job_id, job.c.id.type), now, *one) for one in events]
    query = rows[0] if len(rows) == 1 else union_all(*rows)
    batch.add(insert(job_event).from_select(_EVENT, query))


def _event(
    job_id: ColumnElement[str], now: int, what: str, detail: str
) -> Select[*tuple[Any, ...]]:
    of = job_event.c
    values = literal(now, of.at_ms.type), literal(what, of.what.type)
    return select(job_id, *values, literal(detail, of.detail.type))


def _owed(ended: StoredJob, now: int, *, told: bool) -> Insert:
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
    return insert(outbox).values(values)
