"""How an attempt or a job ends: everything that moves with the row, in its transaction.

Money, fairness, clip, promise to tell and history go together or not at all. Functions on a
connection; :class:`core.queue.job_queue.JobQueue` owns the transactions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.accounts.limit_ledger import LimitLedger
from core.accounts.limits import QuotaRules
from core.domain.fairness import FairRules, rank_of
from core.domain.jobs import Failure, JobState, RequeueReason
from core.domain.media import Clip
from core.domain.time_units import DAY_MS
from core.errors import WorkerLost
from core.queue.model_affinity import AffinityRules
from core.storage import fair_order, job_moves
from core.storage import jobs as rows
from core.storage.database import Connection
from core.storage.job_moves import complete
from core.storage.ledger import reservations_of
from core.storage.records import JobCompletion, Reservation, StoredJob
from core.storage.write_batch import WriteBatch

ENDING = "ending"  # the switch that tells the next start whether this one ended on purpose


@dataclass(frozen=True, slots=True)
class QueueRules:
    """Limits of the queue. Times in milliseconds."""

    quota: QuotaRules = field(default_factory=QuotaRules)
    fair: FairRules = field(default_factory=FairRules)
    affinity: AffinityRules = field(default_factory=AffinityRules)
    max_queued: int = 5  # waiting jobs of one account
    max_attempts: int = 3
    lease_ms: int = 30_000
    wait_limit_ms: int = DAY_MS
    slots: int = 1  # devices, for forecasts


@dataclass(frozen=True, slots=True)
class End:
    """How a job ends: what its account is asked for, and how long it had the device (both ms)."""

    state: JobState
    charge_ms: int = 0
    used_ms: int = 0
    failure: Failure | None = None
    clip: Clip | None = None
    told: bool = False  # the requester knows already; no delivery is owed


def device_ms(row: StoredJob, now: int, off_device_ms: int = 0) -> int:
    """Measure how long the running attempt of ``row`` has had the device; 0 while it waits.

    ``off_device_ms`` is the part of it in which models were fetched or loaded, or a clip encoded.
    """
    if row.state != JobState.RUNNING or row.started_at_ms is None:
        return 0
    return max(0, now - row.started_at_ms - off_device_ms)


async def end(
    connection: Connection,
    rules: QueueRules,
    clips_folder: Path,
    row: StoredJob,
    how: End,
    now: int,
    held: Sequence[Reservation] | None = None,
) -> None:
    """Bring the job that was read as ``row`` to a terminal state.

    ``held`` is what is set aside for it, where that was read with it.

    Raises:
        ValueError: its clip does not lie in the clips folder.
    """
    batch = WriteBatch()
    if row.state == JobState.HELD:
        await fair_order.leave_queue(connection, row)
    else:
        fair_order.settle(batch, row, how.used_ms)
    await close(connection, rules, clips_folder, row, how, now, held, batch)


async def close(
    connection: Connection,
    rules: QueueRules,
    clips_folder: Path,
    row: StoredJob,
    how: End,
    now: int,
    held: Sequence[Reservation] | None = None,
    batch: WriteBatch | None = None,
) -> None:
    """End a job that is out of the queue already: money, row, clip and promise to tell.

    Raises:
        ValueError: its clip does not lie in the clips folder.
    """
    batch = WriteBatch() if batch is None else batch
    held = await reservations_of(connection, row.id) if held is None else held
    limits = LimitLedger(connection, rules.quota, now)
    charged = limits.settle(batch, row.id, held, how.charge_ms)
    completion = JobCompletion(how.state, charged, how.failure, how.clip, told=how.told)
    await complete(connection, batch, row, completion, clips_folder, now)
    await limits.forget_unused(held)


async def put_back(
    connection: Connection,
    rules: QueueRules,
    clips_folder: Path,
    row: StoredJob,
    now: int,
    why: RequeueReason = RequeueReason.LOST,
) -> bool:
    """Queue a running job again, or fail it after too many losses.

    It keeps its fair start, and what it waited since it was made counts: it is among the next.
    Where the device died with it, it goes behind everybody who waits: they are not held up by it,
    and show whether the device works. An attempt that never had the device counts nothing.

    Returns:
        Whether it was queued.
    """
    begun = row.started_at_ms is not None
    last = await rows.last_rank(connection)
    if why is RequeueReason.DOUBTED and last is None:
        # nobody else can show it, and without a count it would never end
        why = RequeueReason.DEVICE
    losses = row.losses + (begun and why in _LOSSES)
    if losses > row.losses and losses >= rules.max_attempts:
        failure = Failure.of(WorkerLost(losses))
        lost = End(JobState.FAILED, used_ms=device_ms(row, now), failure=failure)
        await end(connection, rules, clips_folder, row, lost, now)
        return False
    rank = rank_of(row.tag, 0, row.created_at_ms)
    if why in _TO_THE_END and last is not None:
        rank = max(rank, last + 1)
    attempt = row.attempt if begun else row.attempt - 1
    detail = f"attempt {row.attempt} {why.name.lower() if begun else 'not begun'}"
    await job_moves.put_back(connection, row, rank, (attempt, losses), now, detail)
    return True


_LOSSES = frozenset({RequeueReason.LOST, RequeueReason.DIED, RequeueReason.DEVICE})
_TO_THE_END = frozenset({RequeueReason.DEVICE, RequeueReason.DOUBTED})
