"""From SQLite to PostgreSQL: every row, once, checked on both sides, never over other rows."""

import asyncio
import json
import sqlite3
from contextlib import closing, suppress

import psycopg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from core.app.database_move import move_rows
from core.cli.app import APP
from core.errors.moving import (
    RowNotMovable,
    RowsContradict,
    SourceAbsent,
    SourceNotDrained,
    TargetInUse,
    TargetTaken,
)
from core.errors.setup import CopyUnfinished, DataDirectoryBusy
from core.settings import DATABASE_NAME
from core.storage import database_copy
from core.storage.addresses import postgres_address
from core.storage.claim import claim
from core.storage.database import Database, open_database
from core.storage.every_table import TABLES
from core.storage.lock import lock
from core.storage.migrations import migrate
from core.storage.postgres_migrations import migrate_server
from core.storage.postgres_schema import SchemaDuty

NOW = 1_700_000_000_000
JOBS = 60
REQUEST = json.dumps({"mode": "t2v", "prompt": "ein Drachen über München \u0000 🪁"})


def add_jobs(db):
    """A crowd whose jobs are over, and one person whose jobs wait."""
    for number in range(JOBS):
        waits = number % 10 == 0
        who = "discord:anna" if waits else f"telegram:{number}"
        state = (
            ("held", number, None, None, None, None)
            if waits
            else ("failed", None, NOW, 0, "worker_lost", '{"attempts": 3}')
        )
        db.execute(
            "INSERT INTO job (id, user_key, idem_key, request, reply_platform, reply_address,"
            " estimate_ms, spread_ms, cost, tag, above_limit, attempt, created_at_ms, share_key,"
            " state, rank, finished_at_ms, charged_ms, failure_code, failure_data)"
            " VALUES (?, ?, ?, ?, 'd', '{}', 1000, 0, 1000, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?)",
            (f"job{number}", who, f"k{number}", REQUEST, NOW, who, *state),
        )
        db.execute(
            "INSERT INTO account VALUES ('own', ?, 1, ?, 0, ?, 0)"
            " ON CONFLICT DO UPDATE SET reserved = reserved + excluded.reserved",
            (who, NOW, 1000 if waits else 0),
        )
        for kind in ("reserve",) if waits else ("reserve", "refund"):
            db.execute(
                "INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount,"
                " at_ms) VALUES (?, ?, 'own', ?, 1, 'gpu_ms', 1000, ?)",
                (f"job{number}", kind, who, NOW),
            )
        db.execute("INSERT INTO job_event VALUES (NULL, ?, ?, 'held', '')", (f"job{number}", NOW))
        db.execute("INSERT INTO job_media VALUES (?, ?)", (f"{number}.png", f"job{number}"))
        if not waits:
            db.execute(
                "INSERT INTO outbox (job_id, dest, state, nonce, attempts, next_at_ms, ambiguous)"
                " VALUES (?, 'd', 'pending', 'n', 0, 0, 0)",
                (f"job{number}",),
            )
    db.execute(f"INSERT INTO flow VALUES ('discord:anna', 0, 5, 100, {JOBS // 10}, 0)")
    db.execute("UPDATE sched SET vtime = 77")


def add_others(db):
    """A row or two of every other table."""
    over = "state = 'succeeded', failure_code = NULL, failure_data = NULL"
    db.execute(f"UPDATE job SET {over} WHERE id = 'job2'")
    clip = "('job2', 'a.mp4', 'a.jpg', 'ab', 10, 64, 64, 9, 23.976, 1, 'longer')"
    for statement in (
        f"artifact VALUES {clip}",
        "bucket_wish VALUES ('w', 'q', 1, NULL)",
        "run VALUES ('r', 1, 1, 'cpu', 'bf16', 'p', 't2v', 'fast', 1, 1, 1, 1, 1, 1, 1, 0, 2, 'x',"
        " 'default')",
        "run_part VALUES ('r', 1, 'stage1', 1.5, 1.2345678901234567e18, 0, 1, 0, 1)",
        "fit VALUES ('cpu', 'bf16', 'p', 1, 0.1, 3, 'default')",
        "fit_rate VALUES ('cpu', 'bf16', 'p', 'stage1', 0.1, 0, 1e-300, 0)",
        "policy VALUES ('discord:1', '{}', 1)",
        "blocked VALUES ('discord:1', 'spam', 1, 'discord:1')",
        "audit VALUES (NULL, 1, 'a', 'block', 'b', '')",
        "identity VALUES ('telegram:1', 'discord:1', 1)",
        "link_code VALUES ('ab', 'discord:1', 1)",
        "link_try VALUES (7, 'discord:1', 1)",
        "notice VALUES (NULL, 'discord:1', 'linked', '{}', 1)",
        "carried VALUES ('own', 'discord:1', 'discord:2', 5, 6)",
        "pseudonym VALUES ('own', 'ab', 'telegram:1')",
        "memory VALUES ('telegram', 'Zoë', '\"x\"', 1)",
        "memory VALUES ('telegram', 'zoe', '\"x\"', 1)",
        "memory VALUES ('telegram', '~', '\"x\"', 1)",
        "file_hold VALUES ('media/a.png', 'upload', 'discord:1', 1)",
        "setting VALUES ('intake', 'open')",
        "node(id, name, role, pool, device, profile, vram_bytes, pin, version, resident, job_id,"
        " state, beat_at_ms, started_at_ms) VALUES ('n', 'a', 'serve', 'default', 'cpu', 'bf16', 1,"
        " '', '1', '', NULL, 'idle', 1, 1)",
        "gate_node VALUES ('rented', 'ab', 1, NULL)",
        "access VALUES ('discord:user:1', 'asked', 'Zoë', 'discord:2', 1, '')",
        "term VALUES ('chores', 'n', 't', 1)",
        "shown_clip(job_id, post, place, link) VALUES ('job0', '1', 'discord:2', '')",
        "style(place, name, body, updated_at_ms) VALUES ('discord:2', 'noir', '{}', 1)",
        "option_default(place, channel, body, updated_at_ms) VALUES ('discord:2', 'fps', '9', 1)",
        "star(job_id, at_ms) VALUES ('job0', 1)",
        "feed_channel(place, kind, platform, body, updated_at_ms)"
        " VALUES ('*', 'feed', 'discord', '{}', 1)",
        "feed_post(id, job_id, target_key, maker_key, source, dest, body, state, nonce, attempts,"
        " ambiguous, created_at_ms, case_state) VALUES ('p', 'job0', 'k', 'discord:1',"
        " 'discord:2', 'discord', '{}', 'sent', 'n', 1, 0, 1, '')",
        "feed_report(post_id, reporter_key, reason, at_ms) VALUES ('p', 'discord:3', '', 1)",
        "program_token(name, prefix, digest, scopes, webhook, webhook_secret, created_at_ms,"
        " created_by) VALUES ('site', 'ab', 'cd', 'read', '', '', 1, 'discord:1')",
    ):
        db.execute(f"INSERT INTO {statement}")


@pytest.fixture
def source(settings):
    """A database of a service that ended in order, with rows in every table."""
    claim(settings.data_dir)
    path = settings.data_dir / DATABASE_NAME
    migrate(path)
    with closing(sqlite3.connect(path)) as db:
        add_jobs(db)
        add_others(db)
        db.commit()
    return path


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(database_copy, "BATCH", 20)


def change(path, statement, *values):
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement, values)
        db.commit()


def rows(engine):
    with engine.connect() as connection:
        return {
            table.name: connection.execute(sa.select(table).order_by(*table.primary_key)).all()
            for table in TABLES
        }


def rows_of(source, target):
    found = []
    for url in (f"sqlite:///{source}", postgres_address(target).url):
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        found.append(rows(engine))
        engine.dispose()
    return found


def query(target, statement):
    address = postgres_address(target).url.set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as db:
        found = db.execute(statement)
        return found.fetchall() if found.description else []


async def move(settings, source, target, tell=lambda *_: None):
    return await move_rows(settings, source, target, tell)


async def test_every_row_of_every_table_arrives_as_it_was(
    settings, source, empty_postgres, small_batches
):
    copied = await move(settings, source, empty_postgres)

    here, there = rows_of(source, empty_postgres)
    assert there == here
    assert all(here.values()), "a table without a row proves nothing"
    assert copied.written == copied.total == sum(map(len, here.values()))


async def test_second_run_changes_nothing(settings, source, empty_postgres):
    await move(settings, source, empty_postgres)
    before = query(empty_postgres, "SELECT xmin, * FROM job ORDER BY seq")

    copied = await move(settings, source, empty_postgres)

    assert (copied.written, copied.total > JOBS) == (0, True)
    assert query(empty_postgres, "SELECT xmin, * FROM job ORDER BY seq") == before


@pytest.mark.parametrize("steps", [1, 9])
async def test_copy_that_was_broken_off_goes_on_and_is_not_served_before_its_end(
    settings, source, empty_postgres, small_batches, steps
):
    done = []

    def tell(table, count):
        done.append((table, count))
        if len(done) == steps:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        await asyncio.to_thread(asyncio.run, move(settings, source, empty_postgres, tell))
    assert len(done) == steps
    with pytest.raises(CopyUnfinished):
        async with open_database(empty_postgres, settings.data_dir, duty=SchemaDuty.MIGRATE):
            pass

    copied = await move(settings, source, empty_postgres, lambda *step: done.append(step))

    here, there = rows_of(source, empty_postgres)
    assert there == here
    assert copied.written < copied.total
    assert sum(count for _, count in done) == copied.total, "each row was written once"
    async with open_database(empty_postgres, settings.data_dir):
        pass


async def test_numbers_go_on_after_those_that_were_copied(settings, source, empty_postgres):
    await move(settings, source, empty_postgres)

    numbered = [table for table in TABLES if table.autoincrement_column is not None]
    assert len(numbered) == 6
    for table in numbered:
        column = table.autoincrement_column.name
        sequence = f"pg_get_serial_sequence('{table.name}', '{column}')"
        [(newest, following)] = query(
            empty_postgres, f"SELECT max({column}), nextval({sequence}) FROM {table.name}"
        )
        assert following == newest + 1, table.name


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO memory VALUES ('f', 'theirs', '1', 1)",
        "INSERT INTO setting VALUES ('database_name', 'another')",
        "UPDATE sched SET vtime = 78",
    ],
)
async def test_other_rows_of_the_target_are_left_alone(settings, source, empty_postgres, statement):
    migrate_server(postgres_address(empty_postgres))
    query(empty_postgres, statement)

    with pytest.raises(TargetTaken):
        await move(settings, source, empty_postgres)

    assert query(empty_postgres, "SELECT count(*) FROM job") == [(0,)]
    assert query(empty_postgres, "SELECT count(*) FROM sched") == [(1,)]


async def test_nothing_is_copied_over_what_a_service_has_done_since(
    settings, source, empty_postgres
):
    await move(settings, source, empty_postgres)
    query(empty_postgres, "UPDATE notice SET code = 'later'")

    with pytest.raises(TargetTaken) as refused:
        await move(settings, source, empty_postgres)

    assert refused.value.table == "notice"


async def test_running_job_or_delivery_under_way_is_not_moved(settings, source, empty_postgres):
    change(source, "UPDATE outbox SET state = 'sending', next_at_ms = NULL WHERE job_id = 'job1'")

    with pytest.raises(SourceNotDrained) as refused:
        await move(settings, source, empty_postgres)

    assert (refused.value.running, refused.value.sending) == (0, 1)


async def test_rows_that_contradict_each_other_are_not_moved(settings, source, empty_postgres):
    change(source, "UPDATE account SET used = 5 WHERE account_key = 'telegram:1'")

    with pytest.raises(RowsContradict) as refused:
        await move(settings, source, empty_postgres)

    assert "telegram:1" in refused.value.first
    assert query(empty_postgres, "SELECT to_regclass('job')") == [(None,)]


async def test_row_that_the_target_does_not_take_is_named_and_the_copy_goes_on_after_it(
    settings, source, empty_postgres
):
    change(source, "INSERT INTO job_event VALUES (NULL, 'nobody', 1, 'held', 'a secret')")

    with pytest.raises(RowNotMovable) as refused:
        await move(settings, source, empty_postgres)
    assert refused.value.table == "job_event"
    assert "secret" not in refused.value.detail

    change(source, "DELETE FROM job_event WHERE job_id = 'nobody'")
    await move(settings, source, empty_postgres)
    here, there = rows_of(source, empty_postgres)
    assert there == here


async def test_text_that_postgresql_cannot_hold_arrives_as_the_service_would_write_it(
    settings, source, empty_postgres
):
    change(source, "UPDATE job_event SET detail = ? WHERE id = 1", "a\0b")
    change(source, "UPDATE job_event SET detail = CAST(x'61ff62' AS TEXT) WHERE id = 2")

    await move(settings, source, empty_postgres)
    again = await move(settings, source, empty_postgres)

    query_ = "SELECT detail FROM job_event WHERE id <= 2 ORDER BY id"
    assert query(empty_postgres, query_) == [("a\ufffdb",), ("a\ufffdb",)]
    assert again.written == 0


async def test_key_that_postgresql_cannot_hold_is_named(settings, source, empty_postgres):
    change(source, "INSERT INTO memory VALUES ('f', ?, '1', 1)", "a\0b")

    with pytest.raises(RowNotMovable) as refused:
        await move(settings, source, empty_postgres)

    assert refused.value.table == "memory"


async def test_running_service_is_not_moved(settings, source, empty_postgres):
    with lock(settings.data_dir), pytest.raises(DataDirectoryBusy):
        await move(settings, source, empty_postgres)


async def test_target_of_a_running_service_is_left_alone(settings, source, empty_postgres):
    migrate_server(postgres_address(empty_postgres))
    service = Database(empty_postgres)
    try:
        async with service.snapshot():
            with pytest.raises(TargetInUse):
                await move(settings, source, empty_postgres)
    finally:
        await service.close()


async def test_absent_file_is_not_made(settings, tmp_path, empty_postgres):
    claim(settings.data_dir)
    with pytest.raises(SourceAbsent):
        await move(settings, tmp_path / "nothing.sqlite", empty_postgres)

    assert not (tmp_path / "nothing.sqlite").exists()


@pytest.fixture
def clapper(settings, monkeypatch):
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(settings.data_dir))
    return lambda *typed: CliRunner().invoke(APP, ["db", *typed])


def test_the_whole_way_by_commands(clapper, source, empty_postgres, monkeypatch):
    monkeypatch.setenv("CLAPPER_DATABASE_URL", empty_postgres)
    assert clapper("status").exit_code == 5
    migrated, again = clapper("migrate"), clapper("migrate")
    assert "0010_base.sql" in migrated.output
    assert "as it should be" in again.output

    copied = clapper("copy", "--from", f"sqlite:{source}")
    assert copied.exit_code == 0, copied.output
    assert "CLAPPER_DATABASE_URL" in copied.output
    assert "there already" in clapper("copy", "--from", str(source)).output

    status = clapper("status", "--json")
    found = json.loads(status.stdout)
    assert (status.exit_code, found["dialect"], found["pending"]) == (0, "postgresql", [])
    assert "postgres@" not in found["database"]


def test_file_is_migrated_by_the_command_too_and_looked_at_beside_a_service(clapper, settings):
    assert clapper("status").exit_code == 5
    assert "0001_jobs.sql" in clapper("migrate").output
    with lock(settings.data_dir):
        assert "as it should be" in clapper("status").output
        assert clapper("migrate").exit_code == 5


@pytest.mark.parametrize(
    ("typed", "option"),
    [(("--from", "a.sqlite"), "--to"), (("--to", "postgresql://127.0.0.1/a"), "")],
)
def test_copy_wants_a_file_and_a_server(clapper, typed, option):
    refused = clapper("copy", *typed)

    assert refused.exit_code != 0
    assert option in refused.output
