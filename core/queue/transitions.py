"""How an attempt or a job ends: everything that moves with the row, in its transaction.

Money, fairness, clip, promise to tell and history go together or not at all. Functions on a
connection; :class:`core.queue.job_queue.JobQueue` owns the transactions.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from core.accounts import quotas
from core.accounts.quotas import HOUR_MS, QuotaRules
from core.domain.fairness import FairRules, rank_of
from core.domain.jobs import Failure, JobState
from core.domain.media import Clip
from core.errors import WorkerLost
from core.queue.model_affinity import AffinityRules
from core.storage import fair_order
from core.storage import jobs as rows
from core.storage.mapping import clip_values, failure_values


@dataclass(frozen=True, slots=True)
class QueueRules:
    """Limits of the queue. Times in milliseconds."""

    quota: QuotaRules = field(default_factory=QuotaRules)
    fair: FairRules = field(default_factory=FairRules)
    affinity: AffinityRules = field(default_factory=AffinityRules)
    max_queued: int = 5  # waiting jobs of one account
    max_attempts: int = 3
    lease_ms: int = 30_000
    wait_limit_ms: int = 24 * HOUR_MS
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


def device_ms(row: Row[Any], now: int) -> int:
    """Return how long the running attempt of ``row`` has had the device; 0 while it waits."""
    if row.state != JobState.RUNNING or row.started_at_ms is None:
        return 0
    return max(0, now - row.started_at_ms)


async def end(
    connection: AsyncConnection,
    rules: QueueRules,
    clips_folder: Path,
    row: Row[Any],
    how: End,
    now: int,
) -> None:
    """Bring the job that was read as ``row`` to a terminal state.

    Raises:
        ValueError: its clip does not lie in the clips folder.
    """
    if row.state == JobState.HELD:
        await fair_order.leave_line(connection, row)
    else:
        await fair_order.settle(connection, row, how.used_ms)
    await close(connection, rules, clips_folder, row, how, now)


async def close(
    connection: AsyncConnection,
    rules: QueueRules,
    clips_folder: Path,
    row: Row[Any],
    how: End,
    now: int,
) -> None:
    """Do the same for a job that is out of the line already: money, row, clip and promise.

    Raises:
        ValueError: its clip does not lie in the clips folder.
    """
    charged = await quotas.settle(connection, rules.quota, row.id, how.charge_ms, now)
    values = {
        "rank": None,
        "token": None,
        "lease_until_ms": None,
        "finished_at_ms": now,
        "charged_ms": charged,
        **failure_values(how.failure),
    }
    detail = "" if how.failure is None else how.failure.code
    await rows.move(connection, row, how.state, now, values, detail)
    if how.clip is not None:
        await rows.add_clip(connection, row.id, clip_values(how.clip, clips_folder))
    await rows.owe(connection, row, now, told=how.told)


async def put_back(
    connection: AsyncConnection, rules: QueueRules, clips_folder: Path, row: Row[Any], now: int
) -> bool:
    """Queue a running job again, or fail it after its last attempt.

    It keeps its fair start, and what it waited since it was made counts: it is among the next. An
    attempt that never had the device is not counted.

    Returns:
        Whether it was queued.
    """
    begun = row.started_at_ms is not None
    if begun and row.attempt >= rules.max_attempts:
        failure = Failure.of(WorkerLost(row.attempt))
        lost = End(JobState.FAILED, used_ms=device_ms(row, now), failure=failure)
        await end(connection, rules, clips_folder, row, lost, now)
        return False
    values = {
        "token": None,
        "lease_until_ms": None,
        "rank": rank_of(row.tag, 0, row.created_at_ms),
        "attempt": row.attempt if begun else row.attempt - 1,
    }
    detail = f"attempt {row.attempt} {'lost' if begun else 'not begun'}"
    await rows.move(connection, row, JobState.QUEUED, now, values, detail)
    return True
