"""A database of the version before goes on: every balance is what it was."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.accounts.quotas import QuotaRules, Quotas
from core.domain.jobs import JobState
from core.domain.people import Payer, Requester
from core.domain.quota import LimitBalance
from core.domain.time_units import HOUR_MS
from core.queue.job_queue import QueueRules
from core.queue.recovery import Recovery
from core.storage.database import Database, open_database
from core.storage.invariants import check
from core.storage.migration_files import MIGRATIONS
from core.storage.migrations import migrate
from core.testing.doubles import ManualClock

NOW = 1_700_000_000_000
BEGAN = NOW - HOUR_MS
RESETS = BEGAN + 24 * HOUR_MS
RULES = QuotaRules(limit_ms=100_000, guests_ms=50_000, network_ms=9_000)
ANNA, BEN = Requester("discord", "anna"), Requester("telegram", "ben")
CORA, DORA = Requester("discord", "cora"), Requester("discord", "dora")
GUEST = Requester("studio", "guest-a")

BEFORE = f"""
    INSERT INTO account VALUES
      ('discord:anna', 1, {NOW - 90 * HOUR_MS}, 0, 0, 77000),
      ('discord:anna', 2, {BEGAN}, 30000, 1000, 2500),
      ('telegram:ben', 1, NULL, -4000, 0, 0),
      ('studio:guests', 1, {NOW - 90 * HOUR_MS}, 0, 0, 4000),
      ('studio:guests', 2, {BEGAN}, 0, 3000, 6000);
    INSERT INTO ledger (job_id, kind, user_key, period, amount_ms, at_ms) VALUES
      ('old', 'reserve', 'discord:anna', 1, 77000, 1),
      ('old', 'commit', 'discord:anna', 1, 77000, 2),
      (NULL, 'grant', 'discord:anna', 2, 30000, 3),
      ('done', 'reserve', 'discord:anna', 2, 2000, 4),
      ('done', 'commit', 'discord:anna', 2, 2500, 5),
      ('back', 'reserve', 'discord:anna', 2, 9000, 4),
      ('back', 'refund', 'discord:anna', 2, 9000, 5),
      ('live', 'reserve', 'discord:anna', 2, 1000, 6),
      (NULL, 'grant', 'telegram:ben', 1, -4000, 7),
      ('g0', 'reserve', 'studio:guests', 1, 4000, 8), ('g0', 'commit', 'studio:guests', 1, 4000, 9),
      ('g1', 'reserve', 'studio:guests', 2, 5000, 8), ('g1', 'commit', 'studio:guests', 2, 5500, 9),
      ('g2', 'reserve', 'studio:guests', 2, 500, 8), ('g2', 'commit', 'studio:guests', 2, 500, 9),
      ('g3', 'reserve', 'studio:guests', 2, 3000, 8);
    INSERT INTO network_use VALUES
      ('g1', 'home', 2, 5500), ('g2', 'cafe', 2, 500), ('g3', 'home', 2, 3000),
      ('g0', 'gone', 1, 4000);
    INSERT INTO carried VALUES ('discord:cora', 'discord:anna', 1700, {RESETS});
    INSERT INTO identity VALUES ('discord:dora', 'telegram:ben', 1);
    INSERT INTO flow VALUES ('discord:anna', 0, 5, 100, 1, 0), ('studio:guests', 0, 5, 100, 1, 0);
    INSERT INTO job (id, user_key, share_key, idem_key, state, request, reply_platform,
        reply_address, estimate_ms, spread_ms, cost, tag, rank, above_limit, attempt, created_at_ms)
      VALUES
      ('live', 'discord:anna', 'discord:anna', 'k', 'held', :request, 'discord', '{{}}', 1000, 0,
        1000, 0, 1000, 0, 0, {NOW}),
      ('g3', 'studio:guest-a', 'studio:guests', 'k', 'held', :request, 'studio', '{{}}', 3000, 0,
        3000, 0, 1000, 0, 0, {NOW});
"""
REQUEST = '{"mode": "broken"}'


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def file(tmp_path: Path, clock: ManualClock) -> Iterator[Path]:
    before = tmp_path / "before"
    before.mkdir()
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < "0007":
            (before / path.name).write_text(path.read_text("utf-8"), "utf-8")
    file = tmp_path / "clapper.sqlite"
    migrate(file, clock, before)
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(BEFORE.replace(":request", f"'{REQUEST}'"))
    return file


@pytest.fixture
async def database(file: Path, clock: ManualClock):
    async with open_database(f"sqlite+aiosqlite:///{file}", file.parent, clock) as database:
        yield database


async def balances(
    database: Database, clock: ManualClock, who: Requester, payer: Payer | None = None
) -> tuple[LimitBalance, ...]:
    return (await Quotas(database, RULES, clock).quota(who, payer)).balances


async def test_every_balance_is_kept(database: Database, clock: ManualClock) -> None:
    assert await balances(database, clock, ANNA) == (
        LimitBalance("own", 130_000, 2500, 1000, RESETS),
    )
    for who in (BEN, DORA):  # joined
        assert await balances(database, clock, who) == (LimitBalance("own", 96_000),)
    assert await balances(database, clock, CORA) == (LimitBalance("own", 100_000, 1700, 0, RESETS),)
    for network, used, reserved in (("home", 5500, 3000), ("cafe", 500, 0), ("new", 0, 0)):
        assert await balances(database, clock, GUEST, Payer.guest(network)) == (
            LimitBalance("guests", 50_000, 6000, 3000, RESETS),
            LimitBalance("network", 9_000, used, reserved, RESETS),
        )
    assert (await balances(database, clock, GUEST, Payer.guest("gone")))[1].used == 0
    async with database.transaction() as connection:
        assert await check(connection) == []


async def test_jobs_of_before_have_no_place_and_end_as_they_would_have(
    database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    recovery = Recovery(database, QueueRules(quota=RULES), tmp_path / "clips", clock)
    assert (await recovery.recover()).violations == ()
    clock.forward(25 * 3600)

    assert set(await recovery.expire()) == {"live", "g3"}

    async with database.transaction() as connection:
        assert await check(connection) == []
        rows = await connection.exec_driver_sql("SELECT state, place, charged_ms FROM job")
        assert set(map(tuple, rows)) == {(JobState.EXPIRED, "", 0)}
        left = await connection.exec_driver_sql("SELECT subject FROM pseudonym")
        assert list(left) == []


async def test_the_migrated_ledger_stays_append_only(database: Database) -> None:
    async with database.transaction() as connection:
        found = await connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger'"
        )
        assert {row.name for row in found} == {"ledger_no_update", "ledger_no_delete"}
        leftovers = await connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE name LIKE '%_before' OR name LIKE 'network%'"
        )
        assert list(leftovers) == []
