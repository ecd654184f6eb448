"""The waiting jobs whose turn it is, in the order of :mod:`core.storage.fair_order`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.requests import FORMAT
from core.storage.mapping import job_alone
from core.storage.records import StoredJob
from core.storage.tables import WAITING, flow, job


@dataclass(frozen=True, slots=True)
class Lines:
    """From which waiting jobs one is taken: those of one pool, and of others where it has none."""

    pool: str
    not_from: tuple[str, ...] = ()  # pools whose jobs do not fit
    format: int = FORMAT  # of requests, the newest that can be read

    def conditions(self) -> tuple[tuple[ColumnElement[bool], ...], ...]:
        """Return what narrows the queue, the own pool first."""
        readable = job.c.format <= self.format
        others = job.c.pool.not_in((self.pool, *self.not_from))
        return (job.c.pool == self.pool, readable), (others, readable)


@dataclass(frozen=True, slots=True)
class DueJob:
    """A waiting job that may run next, and where its account's part of the queue starts."""

    row: StoredJob
    start: int  # virtual time; of a held job


async def next_jobs(
    connection: AsyncConnection,
    max_running: int,
    *,
    relax: bool,
    limit: int = 1,
    lines: Lines | None = None,
) -> tuple[list[DueJob], bool]:
    """Find the jobs whose turn it is, at most ``limit``, and whether above their account's limit.

    Walks the index ``job_line`` (of a pool ``job_line_of``) from its front and steps over the jobs
    of accounts at their limit: at most as many accounts as jobs run, each with at most as many jobs
    as it may have waiting. Without ``lines`` all jobs are one line.
    """
    queues = _queues(limit, lines)
    for one in queues:
        found = await _due(connection, _below(one, max_running))
        if found:
            return found, False
    for one in queues if relax else ():
        found = await _due(connection, one)
        if found:
            return found, True
    return [], False


@lru_cache(32)  # building them anew takes a fifth of a claim; a process asks from one pool or two
def _queues(limit: int, lines: Lines | None) -> tuple[Select[Any], ...]:
    """Return what finds the first ``limit`` waiting jobs, a query for each part of ``lines``."""
    first = job.alias("first")
    own_held = (first.c.share_key == job.c.share_key, *held_in(first))
    start = select(func.min(first.c.tag)).where(*own_held).scalar_subquery()
    queue = (
        select(job, func.coalesce(start, job.c.tag).label("start"))
        .join(flow, flow.c.user_key == job.c.share_key)
        .where(WAITING)
        .order_by(job.c.rank, job.c.seq)
        .limit(limit)
    )
    if lines is None:
        return (queue,)
    return tuple(queue.where(*one) for one in lines.conditions())


@lru_cache(32)
def _below(queue: Select[Any], max_running: int) -> Select[Any]:
    return queue.where(or_(job.c.state == "queued", flow.c.active < max_running))


async def _due(connection: AsyncConnection, query: Select[Any]) -> list[DueJob]:
    return [DueJob(job_alone(row), row.start) for row in await connection.execute(query)]


def held_in(of: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Return what holds for the waiting jobs in ``of`` whose place may still change."""
    return of.c.rank.is_not(None), of.c.state == "held"
