"""How a job is accepted: everything that may refuse it first, then row, reservation and place.

Functions on a connection; :class:`core.queue.job_queue.JobQueue` owns the transactions, so that a
refusal at any point leaves nothing behind.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from core.accounts.limit_ledger import LimitLedger
from core.accounts.moderation import refuse_blocked
from core.domain.fairness import ORDINARY, cost_of
from core.domain.jobs import Failure, Job, JobState, ReplyTo
from core.domain.lineage import DraftGroup, JobOrigin
from core.domain.nodes import DEFAULT_POOL
from core.domain.people import Payer, Requester
from core.domain.quota import NETWORK_LIMIT
from core.domain.requests import Request
from core.errors import (
    AlreadyFinished,
    Cancelled,
    IntakeClosed,
    KeyReused,
    NotYours,
    TooManyQueued,
)
from core.queue.intake import read_intake
from core.queue.transitions import End, QueueRules, close, end
from core.storage import fair_order, job_moves, pseudonyms
from core.storage import jobs as rows
from core.storage.database import Connection
from core.storage.records import JobToAdd, QueuePlace, StoredJob
from core.storage.write_batch import WriteBatch


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is submitted."""

    id: str  # 32 hex digits, unguessable
    requester: Requester
    request: Request
    reply_to: ReplyTo
    estimate_ms: int  # GPU-milliseconds
    idempotency_key: str  # of this requester; the same key always means the same job
    p95_ms: int | None = None  # None: one and a half estimates
    weight: int = ORDINARY  # percent of an ordinary share
    payer: Payer | None = None  # None: the requester itself, or all guests for a guest
    fingerprint: str = ""  # of what was asked; empty: the key alone says which job it is
    reserve_ms: int | None = None  # what the limits must hold; None: the estimate
    pool: str = DEFAULT_POOL  # of the devices that fit it
    origin: JobOrigin | None = None  # what it is made from
    group: DraftGroup | None = None  # the drafts that it is asked for with
    others: "tuple[NewJob, ...]" = ()  # further drafts, accepted or refused together with it

    @property
    def need_ms(self) -> int:
        """Return what the limits must hold for it and the others."""
        own = self.estimate_ms if self.reserve_ms is None else self.reserve_ms
        return own + sum(other.need_ms for other in self.others)

    @property
    def pays(self) -> Payer:
        """Return who pays, and whose share of the device it uses."""
        return self.payer or Payer.of(self.requester)

    @property
    def cost(self) -> int:
        """Return how far it moves its account in virtual time."""
        return cost_of(self.estimate_ms, self.weight)


@dataclass(frozen=True, slots=True)
class AcceptedJob:
    """A job that was accepted; ``duplicate`` where its key was known and nothing was made."""

    job: Job
    duplicate: bool


async def known_job(connection: Connection, new: NewJob, clips_folder: Path) -> AcceptedJob | None:
    """Find the job that the key of ``new`` made before.

    Raises:
        KeyReused: the key made a job of another request.
    """
    row = await rows.read_by_key(connection, [new.requester.key], new.idempotency_key)
    if row is None:
        return None
    if not row.was_asked_by(new.fingerprint, new.request):
        raise KeyReused(row.id)
    return AcceptedJob(row.job(clips_folder), duplicate=True)


async def accept(
    connection: Connection,
    rules: QueueRules,
    new: NewJob,
    now: int,
    check: Callable[[], None] | None = None,
) -> StoredJob:
    """Write a new job: held, with its reservation, at the end of its account's part of the queue.

    Raises:
        IntakeClosed: the operator paused or drains the queue.
        RequesterBlocked: an operator blocked this person meanwhile.
        TooManyQueued: the requester has as many waiting jobs as allowed.
        QuotaExceeded: it costs more than is left.
        TooManyJobs: a limit allows no more jobs.
    """
    await _ask(connection, rules, new, check)
    if new.others:  # refused as one, by what all of them cost
        await LimitLedger(connection, rules.quota, now).check(new.pays, new.need_ms)
    made = await _add(connection, rules, new, now)
    for other in new.others:
        await _add(connection, rules, other, now)
    return made


async def _add(connection: Connection, rules: QueueRules, new: NewJob, now: int) -> StoredJob:
    """Write a job that nothing refuses, unless a limit does."""
    batch = WriteBatch()
    await _reserve(connection, batch, rules, new, now)
    place = await _enter(connection, batch, new, now)
    return await job_moves.add(connection, batch, await _to_add(connection, new, now), place)


async def take_over(
    connection: Connection,
    rules: QueueRules,
    clips_folder: Path,
    old_id: str,
    owner: Requester,
    new: NewJob,
    now: int,
    check: Callable[[], None] | None = None,
) -> StoredJob:
    """Write a new job in the place of a waiting one, which ends cancelled and refunded.

    The budget is asked with the old reservation given back. The new job keeps the old one's fair
    start; what it costs more or less moves it, and what its account has behind it.

    Raises:
        JobUnknown: there is no old job.
        NotYours: it is not of ``owner``.
        AlreadyFinished: it is running or over.
        IntakeClosed: the operator paused or drains the queue.
        TooManyQueued: the requester has as many waiting jobs as allowed.
        QuotaExceeded: it costs more than is left.
        TooManyJobs: a limit allows no more jobs.
    """
    old = await rows.require(connection, old_id)
    if old.user_key != owner.key:
        raise NotYours(old_id)
    if not old.state.waiting:
        raise AlreadyFinished(old_id, old.state)
    await _ask(connection, rules, new, check, makes_room=old.user_key == new.requester.key)
    same = old.share_key == new.pays.key
    batch = WriteBatch()
    how = End(JobState.CANCELLED, failure=Failure.of(Cancelled("owner")), told=True)
    if same:
        place = await fair_order.take_place(connection, old, new.weight, new.cost)
        await close(connection, rules, clips_folder, old, how, now)
        place = replace(place, seq=await rows.give_up_seq(connection, old))
    else:
        await end(connection, rules, clips_folder, old, how, now)
        place = await _enter(connection, batch, new, now)
    await _reserve(connection, batch, rules, new, now)
    return await job_moves.add(connection, batch, await _to_add(connection, new, now), place)


async def _ask(
    connection: Connection,
    rules: QueueRules,
    new: NewJob,
    check: Callable[[], None] | None,
    *,
    makes_room: bool = False,
) -> None:
    """Ask whether the job is accepted; ``makes_room``: one that waits goes when it comes.

    Raises:
        IntakeClosed: the operator paused or drains the queue.
        RequesterBlocked: an operator blocked this person meanwhile.
        TooManyQueued: the requester has as many waiting jobs as allowed.
    """
    intake = await read_intake(connection)
    if intake != "open":
        raise IntakeClosed(intake)
    await refuse_blocked(connection, [new.requester.key])  # an operator may have been quicker
    if check is not None:
        check()
    waiting = await fair_order.waiting_of(connection, new.requester.key)
    if new.pays.network:
        there = await pseudonyms.waiting(connection, NETWORK_LIMIT, new.pays.network)
        waiting = max(waiting, there)
    if waiting + len(new.others) >= rules.max_queued and not makes_room:
        raise TooManyQueued(rules.max_queued)


async def _reserve(
    connection: Connection, batch: WriteBatch, rules: QueueRules, new: NewJob, now: int
) -> None:
    limits = LimitLedger(connection, rules.quota, now)
    need_ms = new.estimate_ms if new.reserve_ms is None else new.reserve_ms
    await limits.reserve(batch, new.pays, new.id, need_ms)


async def _enter(connection: Connection, batch: WriteBatch, new: NewJob, now: int) -> QueuePlace:
    who = new.pays.key
    return await fair_order.enter_queue(connection, batch, who, new.weight, new.cost, now)


async def _known_origin(connection: Connection, new: NewJob) -> JobOrigin | None:
    """Return what ``new`` is made from, without the name of a job that was deleted since."""
    origin = new.origin
    if origin is None or origin.parent_id is None:
        return origin
    known = await rows.exists_one(connection, origin.parent_id)
    return origin if known else replace(origin, parent_id=None)


async def _to_add(connection: Connection, new: NewJob, now: int) -> JobToAdd:
    late_ms = new.estimate_ms * 3 // 2 if new.p95_ms is None else new.p95_ms
    return JobToAdd(
        id=new.id,
        user_key=new.requester.key,
        share_key=new.pays.key,
        place=new.pays.place,
        idem_key=new.idempotency_key,
        request=new.request,
        reply_to=new.reply_to,
        estimate_ms=new.estimate_ms,
        spread_ms=max(0, late_ms - new.estimate_ms),
        cost=new.cost,
        created_at_ms=now,
        fingerprint=new.fingerprint,
        pool=new.pool,
        origin=await _known_origin(connection, new),
        group=new.group,
    )
