"""Moves of a job's row: one compare-and-set each, together with what moves beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Update,
    exists,
    insert,
    null,
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
from core.storage.write_batch import Placeholders, WriteBatch

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
        batch.insert(job_media, {"name": name, "job_id": new.id})
    note(batch, new.id, new.created_at_ms, (place.state.value, ""))
    return job_alone((await batch.send(connection, added)).one())


def move(batch: WriteBatch, seen: StoredJob, to: JobState, values: Mapping[str, Any]) -> None:
    """Move the job that was read as ``seen``, if nobody moved it since.

    It returns one row; none inside the transaction that read it is a defect.
    """
    was = {"was_id": seen.id, "was_state": seen.state.value}
    if seen.token is not None:
        was["was_token"] = seen.token
    emptied = tuple(name for name, value in values.items() if value is None)
    changes = {name: value for name, value in values.items() if value is not None}
    changes["state"] = to.value
    batch.fill(_moved, was | changes, tuple(changes), emptied, "was_token" in was)


def _moved(
    given: Placeholders,
    columns: tuple[str, ...],
    emptied: tuple[str, ...],
    owned: bool,  # noqa: FBT001  # part of a shape
) -> Update:
    of = job.c
    same_token = of.token == given(of.token, "was_token") if owned else of.token.is_(None)
    still = of.id == given(of.id, "was_id"), of.state == given(of.state, "was_state"), same_token
    changes = {name: null() for name in emptied} | {name: given(of[name]) for name in columns}
    return update(job).where(*still).values(changes).returning(of.seq)


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
    move(batch, row, JobState.RUNNING, changes)
    (await batch.send(connection)).one()
    known = {"state": JobState.RUNNING, "above_limit": bool(changes.get("above_limit"))}
    return replace(row, **changes | known)


async def note_device(connection: AsyncConnection, job_id: str, token: str, now: int) -> bool:
    """Note that a running job has the device from ``now`` on; False where ``token`` lost it."""
    batch, owned = WriteBatch(), {"job_id": job_id, "token": token}
    event = {"at_ms": now, "what": JobState.RUNNING.value, "detail": "has the device"}
    batch.fill(_device_event, owned | event)
    batch.fill(_device_since, owned | {"started_at_ms": now})
    return (await batch.send(connection)).rowcount == 1


def _owner(given: Placeholders) -> ColumnElement[bool]:
    return (job.c.id == given(job.c.id, "job_id")) & (job.c.token == given(job.c.token))


def _device_event(given: Placeholders) -> Insert:
    of = job_event.c
    event = select(job.c.id, given(of.at_ms), given(of.what), given(of.detail))
    return insert(job_event).from_select(_EVENT, event.where(_owner(given)))


def _device_since(given: Placeholders) -> Update:
    return update(job).where(_owner(given)).values(started_at_ms=given(job.c.started_at_ms))


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
    move(batch, lost, JobState.QUEUED, values)
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
        batch.insert(artifact, {"job_id": seen.id, **clip})
    told = how.told or await _ends_later(connection, seen)
    batch.insert(outbox, _owed(seen, now, told=told))
    move(batch, seen, how.state, values)
    (await batch.send(connection)).one()


async def _ends_later(connection: AsyncConnection, ended: StoredJob) -> bool:
    """Tell whether a draft is told of later: with the last one of its group that ends."""
    if ended.group_id is None:
        return False
    others = job.c.group_id == ended.group_id, job.c.id != ended.id, job.c.finished_at_ms.is_(None)
    return bool((await connection.execute(select(exists().where(*others)))).scalar())


def note(batch: WriteBatch, job_id: str, now: int, *events: tuple[str, str]) -> None:
    """Append to the history of a job: what happened, and a detail."""
    values = {"job_id": job_id, "at_ms": now}
    for number, (what, detail) in enumerate(events):
        values |= {f"what_{number}": what, f"detail_{number}": detail}
    batch.fill(_events, values, len(events))


def _events(given: Placeholders, count: int) -> Insert:
    of = job_event.c
    same = given(of.job_id), given(of.at_ms)
    rows = [
        select(*same, given(of.what, f"what_{number}"), given(of.detail, f"detail_{number}"))
        for number in range(count)
    ]
    return insert(job_event).from_select(_EVENT, rows[0] if count == 1 else union_all(*rows))


def _owed(ended: StoredJob, now: int, *, told: bool) -> dict[str, Any]:
    """Return the promise to tell the requester: the one outbox row of a job and its destination.

    ``told``: the promise is kept already.
    """
    return {
        "job_id": ended.id,
        "dest": ended.reply_platform,
        "state": "sent" if told else "pending",
        "nonce": ended.id[:NONCE_LENGTH],
        "attempts": 0,
        "next_at_ms": None if told else now,
        "ambiguous": 0,
    }
