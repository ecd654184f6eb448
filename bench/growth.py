"""How long nobody can submit while a large database is checked, pruned, shrunk and opened.

Run: ``.venv/bin/python bench/growth.py [--finished N] [--waiting N] [--folder DIR]``

Method: a real database file with so many finished jobs (ledger, outbox, history, clip, run) and so
many waiting ones, written by SQL after the pattern of one real job of each kind; 1 000 accounts.
While a chore runs, another task submits one job after the other; printed is the longest submit, and
how long the chore took. "At once" is the way of before: one question to everything, 500 jobs a
transaction, ``VACUUM``. "In steps" is what the service does. A start submits nothing: there its
whole length counts. The target is 100 ms. "CPU" is what the process computed in the chore's longest
transaction: on a busy machine the figure to look at. "Nothing" is the longest submit of 20 seconds
beside no chore: what the disk and the machine do by themselves.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.interfaces.delivery import Receipt
from core.queue.job_queue import NewJob
from core.settings import Settings, load_settings
from core.storage import invariants
from core.storage.database import Connection, Database
from core.storage.engines import TransactionKind
from core.testing.doubles import QuickExecutor, t2v

ACCOUNTS = 1_000
OLD = 5_000  # jobs whose time is over
OLD_MS = 20 * 86_400_000
NOTHING_S = 20.0  # what the disk and the machine alone make of the longest submit
COPIES = {  # how the columns of a copy differ; {n} numbers it, {id} names it, {who} pays
    "account": {"account_key": "{who}"},
    "flow": {"user_key": "{who}"},
    "job": {
        "seq": "{n}",
        "id": "{id}",
        "user_key": "{who}",
        "share_key": "{who}",
        "idem_key": "{id}",
        "created_at_ms": "created_at_ms - {age}",
        "finished_at_ms": "finished_at_ms - {age}",
    },
    "ledger": {"id": "NULL", "job_id": "{id}", "account_key": "{who}"},
    "artifact": {"job_id": "{id}", "path": "{id} || '.mp4'", "poster": "{id} || '.png'"},
    "outbox": {"job_id": "{id}"},
    "job_event": {"id": "NULL", "job_id": "{id}"},
    "run": {"job_id": "{id}"},
}


def copy(rows: sqlite3.Connection, job_id: str, first: int, count: int, age_ms: int) -> None:
    """Copy everything of one job ``count`` times."""
    names = {
        "n": "number.n",
        "id": "printf('%032x', number.n)",
        "who": f"'bench:' || (number.n % {ACCOUNTS})",
        "age": str(age_ms),
    }
    numbers = f"""WITH RECURSIVE number (n) AS
        (VALUES ({first}) UNION ALL SELECT n + 1 FROM number WHERE n < {first + count - 1})"""
    owner = rows.execute("SELECT user_key FROM job WHERE id = ?", (job_id,)).fetchone()[0]
    for table, changes in COPIES.items():
        columns = [row[1] for row in rows.execute(f"PRAGMA table_info({table})")]
        values = ", ".join(changes.get(name, name).format(**names) for name in columns)
        key, value = (
            next(
                (name, job_id if name != "user_key" else owner)
                for name in ("job_id", "id", "user_key", "account_key")
                if name in columns
            )
            if table not in {"account", "flow"}
            else (("account_key" if table == "account" else "user_key"), owner)
        )
        rows.execute(
            f"INSERT OR IGNORE INTO {table} {numbers} SELECT {values} FROM {table}, number"
            f" WHERE {table}.{key} = ?",
            (value,),
        )


def fill(path: Path, finished: int, waiting: int) -> None:
    with sqlite3.connect(path) as rows:
        rows.execute("PRAGMA foreign_keys=OFF")
        done = rows.execute("SELECT id FROM job WHERE finished_at_ms IS NOT NULL").fetchone()[0]
        held = rows.execute("SELECT id FROM job WHERE rank IS NOT NULL").fetchone()[0]
        old = min(OLD, finished // 2)
        copy(rows, done, 1_000, old, OLD_MS)
        copy(rows, done, 1_000 + old, finished - old, 0)
        copy(rows, held, 1_000_000, waiting, 0)
    rows.close()


async def seed(core: Core) -> None:
    for key in ("done", "held"):
        await submit(core, key)
        if key == "done":
            job = await core.queue.claim()
            assert job is not None
            clip = core.settings.clips_folder / "a.mp4"
            record = {"path": clip, "poster": clip.with_suffix(".png"), "sha256": "5" * 64}
            from core.domain.media import Clip

            made = Clip(**record, size_bytes=1, width=64, height=64, frames=9, fps=24.0,
                        has_sound=True)  # fmt: skip
            await core.queue.settle(job.id, job.token or "", made, 900)
            [owed] = await core.outbox.due()
            claim = await core.outbox.begin(owed.job.id)
            assert claim is not None
            await core.outbox.sent(claim, Receipt("1"))


async def submit(core: Core, key: str) -> None:
    name = key.encode().hex().zfill(32)
    who = Requester("bench", f"fresh-{key}")
    await core.queue.submit(NewJob(name, who, t2v(), ReplyTo("bench", {}), 1_000, key))


class Turns:
    """The CPU time of the longest transaction of a chore, in seconds."""

    def __init__(self, database: Database) -> None:
        self.longest = 0.0
        self._plain = database.transaction
        database.__dict__["transaction"] = self.transaction

    @asynccontextmanager
    async def transaction(self, *, turn: bool = True) -> AsyncGenerator[Connection]:
        """Time one transaction."""
        async with self._plain(turn=turn) as connection:
            began = time.process_time()
            yield connection
            if asyncio.current_task() is not self.submits:
                self.longest = max(self.longest, time.process_time() - began)

    submits: "asyncio.Task[None] | None" = None


async def beside(
    core: Core, turns: Turns, name: str, chore: Callable[[], Awaitable[object]]
) -> None:
    """Run ``chore`` beside submits, and print the longest of them."""
    longest, stop = 0.0, asyncio.Event()

    async def submits() -> None:
        nonlocal longest
        number = 0
        while not stop.is_set():
            began = time.perf_counter()
            await submit(core, f"{name}{number}")
            longest = max(longest, time.perf_counter() - began)
            number += 1

    turns.submits = task = asyncio.create_task(submits())
    turns.longest = 0.0
    await asyncio.sleep(0.1)
    began = time.perf_counter()
    await chore()
    took = time.perf_counter() - began
    stop.set()
    await task
    cpu = turns.longest * 1000
    print(f"{name:28} {longest * 1000:14.0f} {cpu:8.0f} {took:12.2f}", flush=True)


async def check_at_once(core: Core) -> None:
    async with core.database.transaction() as connection:
        await invariants.check(connection)


async def prune_at_once(core: Core) -> None:
    for _ in range(3):
        await core.queue.prune(core.queue._clock() - 14 * 86_400_000, 500)  # noqa: SLF001


async def vacuum_at_once(core: Core) -> None:
    async with core.database._storage.queue(TransactionKind.TURN):  # noqa: SLF001
        await asyncio.to_thread(_vacuum, core.settings.data_dir / "clapper.sqlite")


def _vacuum(path: Path) -> None:
    rows = sqlite3.connect(path, isolation_level=None)
    rows.execute("VACUUM")
    rows.close()


async def repair_and_check(core: Core) -> None:
    async with core.database.transaction() as connection:
        await invariants.repair(connection)
        await invariants.check(connection)


async def main(settings: Settings, finished: int, waiting: int) -> None:
    async with open_core(settings, QuickExecutor()) as core:
        await seed(core)
    path = settings.data_dir / "clapper.sqlite"
    fill(path, finished, waiting)
    print(f"{finished} finished, {waiting} waiting, {path.stat().st_size / 1e6:.0f} MB")
    print(f"{'':28} {'longest submit':>14} {'CPU':>8} {'took':>12}")
    print(f"{'':28} {'ms':>14} {'ms':>8} {'s':>12}")
    began = time.perf_counter()
    async with open_core(settings, QuickExecutor()) as core:
        print(f"{'start':28} {'':23} {time.perf_counter() - began:12.2f}")
        began = time.perf_counter()
        await core.recovery.recover()
        print(f"{'  of it, the rows':28} {'':23} {time.perf_counter() - began:12.2f}")
        began = time.perf_counter()
        await repair_and_check(core)
        print(f"{'  the same at once':28} {'':23} {time.perf_counter() - began:12.2f}")
        turns = Turns(core.database)
        await beside(core, turns, "nothing", lambda: asyncio.sleep(NOTHING_S))
        await beside(core, turns, "check at once", lambda: check_at_once(core))
        await beside(core, turns, "check in steps", core.housekeeping.check)
        await beside(core, turns, "prune at once", lambda: prune_at_once(core))
        await beside(core, turns, "prune and shrink in steps", core.housekeeping.prune)
        await beside(core, turns, "vacuum at once", lambda: vacuum_at_once(core))
        async with core.database.transaction() as connection:
            found = await invariants.check(connection)
    print(f"{path.stat().st_size / 1e6:.0f} MB, {len(found)} contradictions")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=int, default=100_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        made = load_settings(
            data_dir=Path(name) / "data", executor="draft", quota_minutes=1000, min_free_megabytes=0
        )
        asyncio.run(main(made, given.finished, given.waiting))
