"""How many statements the life of a job takes, and how long each move has the turn.

    PYTHONPATH=. python bench/cluster.py --statements [--waiting N] [--jobs N]

Method: one process and one task at a time, so nobody waits for anybody: N jobs go from submit to
their end through the product's own queue, while others wait, on a file of SQLite and on a real
PostgreSQL. Statements are counted where SQLAlchemy hands them to the driver, and timed there until
the driver has the answer; the turn from having it to the end of its commit. What they cost the
processors of this process and of the server does not depend on what else the machine does.
"""

import contextvars
import itertools
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.jobs import Failure, Job, ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.domain.requests import Request
from core.errors import Cancelled
from core.queue.job_queue import JobQueue, NewJob, QueueRules
from core.runtime.clock import now_ms
from core.storage.database import Database
from core.storage.invariants import check
from core.storage.migration_files import MIGRATIONS
from core.storage.migrations import migrate
from core.testing.doubles import t2v
from tests.support.postgres import PostgresServer

WARM_UP = 12  # lives: psycopg prepares a statement at its sixth use, the server plans five times
_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK")
_move: contextvars.ContextVar[str] = contextvars.ContextVar("move", default="")
_in_turn: contextvars.ContextVar[bool] = contextvars.ContextVar("in_turn", default=False)


@dataclass
class Ledger:
    """What was noted, by move."""

    calls: Counter[str] = field(default_factory=Counter)
    statements: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    spent_ms: dict[tuple[str, str, bool], float] = field(default_factory=lambda: defaultdict(float))
    holds_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    takes_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def note(self, move: str, call: Awaitable[Any]) -> Any:  # what it gives
        """Await ``call``; what it says to the database belongs to ``move``."""
        token, began = _move.set(move), time.perf_counter()
        try:
            return await call
        finally:
            self.takes_ms[move].append((time.perf_counter() - began) * 1000)
            self.calls[move] += 1
            _move.reset(token)


class CountedDatabase(Database):
    """Notes every statement, and how long a turn is had."""

    def __init__(self, url: str) -> None:
        """Take the address."""
        super().__init__(url)
        self.ledger = Ledger()
        engine = self.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    @asynccontextmanager
    async def transaction(self, *, turn: bool = True) -> AsyncGenerator[AsyncConnection]:
        """Give a connection inside a transaction, as :class:`Database` does."""
        token = _in_turn.set(turn)
        began = 0.0
        try:
            async with super().transaction(turn=turn) as connection:
                began = time.perf_counter()
                yield connection
        finally:
            if turn and began:
                self.ledger.holds_ms[_move.get()].append((time.perf_counter() - began) * 1000)
            _in_turn.reset(token)

    def _before(self, connection: Any, *_: object) -> None:  # SQLAlchemy's
        connection.info["bench_began"] = time.perf_counter()

    def _after(
        self, connection: Any, _: object, statement: str, *__: object
    ) -> None:  # SQLAlchemy's
        if not _move.get() or statement.lstrip().startswith(_TRANSACTION):
            return
        took_ms = (time.perf_counter() - connection.info["bench_began"]) * 1000
        key = _move.get(), _named(statement), _in_turn.get()
        self.ledger.statements[key] += 1
        self.ledger.spent_ms[key] += took_ms


def _named(statement: str) -> str:
    """Return the verb of a statement and its first table."""
    words = statement.replace("(", " ").split()
    for before in ("INTO", "FROM", "UPDATE"):
        if words[0] == before or before in words:
            return f"{words[0]} {words[words.index(before) + 1]}"
    return " ".join(words[:3])


def _new(number: int, account: int) -> NewJob:
    name = f"{number:032x}"
    return NewJob(name, Requester("bench", str(account)), t2v(), ReplyTo("bench"), 10_000, name)


def _every_third() -> Callable[[Request], bool]:
    """Return the models of every third request as loaded."""
    asked = itertools.count(1)
    return lambda _: next(asked) % 3 == 0


async def _lives(database: CountedDatabase, queue: JobQueue, numbers: "itertools.count[int]",
                 lives: int) -> None:  # fmt: skip
    """Take ``lives`` jobs through each kind of end."""
    note = database.ledger.note
    clip = Path("clips/a.mp4")
    for _ in range(lives):
        for end in ("settle", "fail", "requeue"):
            number = next(numbers)
            await note("submit", queue.submit(_new(number, 10**6 + number)))
            loaded = _every_third() if end == "requeue" else None
            move = "claim by models" if loaded else "claim"
            job: Job = await note(move, queue.claim(loaded, ahead=True))
            token = job.token or ""
            await note("begin", queue.begin(job.id, token))
            await note("beat", queue.beat(job.id, token))
            if end == "settle":
                made = Clip(clip, clip.with_suffix(".png"), "5" * 64, 1, 64, 64, 9, 24.0, True)  # noqa: FBT003
                await note(end, queue.settle(job.id, token, made, 9_000))
            elif end == "fail":
                await note(end, queue.fail(job.id, token, Failure.of(Cancelled("owner")), 2_000))
            else:
                await note(end, queue.requeue(job.id, token))
                await note("cancel waiting", queue.cancel(job.id, job.requester))


async def count(url: str, waiting: int, lives: int, server: int | None) -> None:
    """Count on the rows at ``url``, and print; ``server`` is the process of the rows."""
    database = CountedDatabase(url)
    try:
        queue = JobQueue(database, QueueRules(max_queued=10**6), Path("clips"))
        for number in range(waiting):
            await queue.submit(_new(number, number // 5))
        numbers = itertools.count(waiting)
        await _lives(database, queue, numbers, WARM_UP)
        database.ledger = Ledger()
        own, theirs = time.process_time(), _spent_s(server)
        await _lives(database, queue, numbers, lives)
        own, theirs = time.process_time() - own, _spent_s(server) - theirs
        async with database.snapshot() as connection:
            broken = await check(connection)
        _print(url, database.ledger, waiting)
        each = 1000 / (3 * lives)
        print(f"processor: {own * each:.1f} ms a life here, {theirs * each:.1f} ms in the server;"
              f" {len(broken)} rows that contradict")  # fmt: skip
    finally:
        await database.close()


def _spent_s(server: int | None) -> float:
    """Return the processor time of the processes of the server that live."""
    if server is None:
        return 0.0
    parent = psutil.Process(server)
    times = [one.cpu_times() for one in (parent, *parent.children())]
    return sum(one.user + one.system for one in times)


def _print(url: str, ledger: Ledger, waiting: int) -> None:
    print(f"\n{url.partition(':')[0]}, {waiting} waiting")
    print(f"{'move':18}{'statements':>11}{'in turn':>9}{'of them ms':>11}"
          f"{'turn held ms, p50':>19}{'p99':>7}{'whole ms, p50':>15}")  # fmt: skip
    for move, calls in ledger.calls.items():
        own = {key: number for key, number in ledger.statements.items() if key[0] == move}
        turn = sum(number for key, number in own.items() if key[2])
        spent = sum(ledger.spent_ms[key] for key in own if key[2])
        holds = ledger.holds_ms.get(move, [])
        p99 = quantiles(holds, n=100, method="inclusive")[98] if len(holds) > 1 else 0.0
        print(f"{move:18}{sum(own.values()) / calls:>11.1f}{turn / calls:>9.1f}"
              f"{spent / calls:>11.2f}{median(holds) if holds else 0:>19.2f}{p99:>7.2f}"
              f"{median(ledger.takes_ms[move]):>15.2f}")  # fmt: skip
    print("\nmove              statement                      a call   ms each")
    for (move, name, turn), number in ledger.statements.items():
        where = "" if turn else "  (no turn)"
        print(f"{move:18}{name:30}{number / ledger.calls[move]:>7.2f}"
              f"{ledger.spent_ms[move, name, turn] / number:>10.2f}{where}")  # fmt: skip


async def count_both(waiting: int, lives: int, server: PostgresServer) -> None:
    """Count on a file of SQLite and on ``server``."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "clapper.sqlite"
        migrate(path, now_ms, MIGRATIONS)
        await count(f"sqlite+aiosqlite:///{path}", waiting, lives, None)
    server.make_tables()
    await count(server.url(), waiting, lives, server.pid)
