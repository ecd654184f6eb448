"""Transactions on PostgreSQL: turns, steps and snapshots, and what becomes of a cut connection."""

import asyncio
from contextlib import asynccontextmanager

import psycopg
import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.errors.setup import DatabaseDamaged
from core.errors.storage import (
    ServerBusy,
    ServerFaulty,
    ServerFull,
    ServerOverloaded,
    ServerReadOnly,
    ServerRefuses,
    ServerUnreachable,
    StorageUnavailable,
)
from core.storage import jobs as rows
from core.storage.database import Database
from core.storage.postgres_engine import SESSION
from core.storage.postgres_trouble import postgres_problem
from core.storage.tables import setting
from core.storage.trouble import storage_problem
from tests.support import postgres


@pytest.fixture
def url(postgres_server):
    postgres_server.empty()
    return postgres_server.url()


@asynccontextmanager
async def opened(url):
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def database(url):
    async with opened(url) as database:
        yield database


@pytest.fixture
async def other(url):
    """The database of another process."""
    async with opened(url) as database:
        yield database


async def put(connection, name="name", value="1"):
    await rows.write_setting(connection, name, value)


async def count(database):
    async with database.snapshot() as connection:
        return await connection.scalar(select(func.count()).select_from(setting))


async def test_session_has_limits_of_time(database):
    wanted = {
        "lock_timeout": "5s",
        "statement_timeout": "15s",
        "idle_in_transaction_session_timeout": "3s",
        "transaction_isolation": "read committed",
    }
    async with database.transaction() as connection:
        found = {name: await connection.scalar(text(f"SHOW {name}")) for name in wanted}

    assert found == wanted
    async with database.snapshot() as connection:  # who only reads may take a breath
        limit = await connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
    async with database.transaction() as connection:  # on the same one of the pool
        after = await connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
    assert (limit, after) == ("1min", "3s")


async def test_block_is_committed_at_its_end_and_rolled_back_by_an_error(database):
    async def fail():
        async with database.transaction() as connection:
            await put(connection, "lost")
            raise KeyError

    async with database.transaction() as connection:
        await put(connection, "kept")
    with pytest.raises(KeyError):
        await fail()

    assert await count(database) == 1


async def test_turn_excludes_turns_of_other_processes_and_nothing_else(database, other):
    order = []

    async def second():
        async with other.transaction() as connection:
            order.append("second")
            await put(connection, "second")

    async with database.transaction() as connection:
        waiting = asyncio.create_task(second())
        await put(connection, "first")
        async with other.transaction(turn=False) as step:
            await put(step, "step")
        assert await count(other) == 1  # the step; a snapshot sees what was committed
        order.append("first")
    await waiting

    assert order == ["first", "second"]
    assert await count(database) == 3


async def test_snapshot_stays_at_its_moment_and_takes_no_changes(database, other):
    async with database.snapshot() as connection:
        before = await connection.scalar(select(func.count()).select_from(setting))
        async with other.transaction() as writing:
            await put(writing)
        after = await connection.scalar(select(func.count()).select_from(setting))
    with pytest.raises(StorageUnavailable) as refused:
        async with database.snapshot() as connection:
            await put(connection)

    assert (before, after) == (0, 0)
    assert isinstance(refused.value.__cause__, ServerReadOnly)


async def test_turn_that_does_not_come_is_told(url, other, monkeypatch):
    monkeypatch.setitem(SESSION, "options", "-c lock_timeout=50ms")
    async with opened(url) as impatient, other.transaction():
        with pytest.raises(StorageUnavailable) as refused:
            async with impatient.transaction():
                raise AssertionError("it is the other's turn")

    assert isinstance(refused.value.__cause__, ServerBusy)


async def test_turn_of_one_that_stands_still_ends(url, other, monkeypatch):
    monkeypatch.setitem(SESSION, "options", "-c idle_in_transaction_session_timeout=100ms")

    async def stand_still(database):
        async with database.transaction() as connection:
            await put(connection, "lost")
            async with other.transaction() as going_on:  # waits until the server ends the first
                await put(going_on, "kept")
            await put(connection, "late")

    async with opened(url) as still:
        with pytest.raises(StorageUnavailable):
            await stand_still(still)
        assert await count(still) == 1


async def test_connections_that_were_cut_while_idle_are_replaced_unnoticed(
    database, postgres_server
):
    await asyncio.gather(*(count(database) for _ in range(5)))
    postgres_server.cut()

    async with database.transaction() as connection:
        await put(connection)
    assert await count(database) == 1


async def test_connection_that_is_cut_inside_changes_nothing(database, postgres_server):
    async def be_cut():
        async with database.transaction() as connection:
            await put(connection)
            postgres_server.cut()
            await put(connection, "second")

    with pytest.raises(StorageUnavailable) as refused:
        await be_cut()

    assert isinstance(refused.value.__cause__, ServerUnreachable)
    assert await count(database) == 0


async def test_server_may_end_and_come_again():
    if postgres.binaries() is None:
        pytest.skip(postgres.ABSENT)
    with postgres.serve() as server:
        server.make_tables()
        async with opened(server.url()) as database:
            assert await count(database) == 0
            server.stop()
            with pytest.raises(StorageUnavailable) as refused:
                await count(database)
            server.start()
            assert await count(database) == 0

    assert isinstance(refused.value.__cause__, ServerUnreachable)


async def test_statement_of_a_cancelled_caller_ends_and_its_connection_serves_on(database):
    begun = asyncio.Event()

    async def slow():
        async with database.transaction() as connection:
            await put(connection)
            begun.set()
            await connection.execute(text("SELECT pg_sleep(0.2)"))

    task = asyncio.create_task(slow())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await count(database) == 0
    assert database.engine.pool.checkedout() == 0


async def test_version_moves_with_rows_that_change_and_only_then(database):
    seen = [database.version]
    await count(database)
    async with database.transaction() as connection:
        await rows.read_setting(connection, "name")
    seen.append(database.version)
    async with database.transaction() as connection:
        await put(connection)
    seen.append(database.version)
    async with database.transaction(turn=False) as connection:
        await connection.execute(setting.delete().where(setting.c.name == "absent"))
    seen.append(database.version)

    assert seen[0] == seen[1] != seen[2] == seen[3]


async def test_text_with_a_null_character_is_kept_and_names_nobody_else(database):
    async with database.transaction() as connection:
        await put(connection, "a", "1")
        await put(connection, "b\0", "x\0y")
        assert await rows.read_setting(connection, "a\0") is None
        assert await rows.read_setting(connection, "b\0") == "x\ufffdy"
        assert await rows.read(connection, "\0" * 32) is None


async def test_errors_quote_no_row(database):
    async def insert_twice():
        async with database.transaction() as connection:
            for _ in range(2):
                await connection.execute(setting.insert().values(name="a prompt", value="1"))

    with pytest.raises(IntegrityError) as refused:
        await insert_twice()

    assert "duplicate key" in str(refused.value)
    assert "a prompt" not in str(refused.value) + str(refused.value.orig)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("08006", ServerUnreachable),
        ("08P01", ServerUnreachable),
        ("25006", ServerReadOnly),
        ("25P03", ServerBusy),
        ("28P01", ServerRefuses),
        ("28000", ServerRefuses),
        ("3D000", ServerRefuses),
        ("40001", ServerBusy),
        ("40P01", ServerBusy),
        ("42501", ServerRefuses),
        ("53100", ServerFull),
        ("53200", ServerOverloaded),
        ("53300", ServerOverloaded),
        ("55P03", ServerBusy),
        ("57014", ServerBusy),
        ("57P01", ServerUnreachable),
        ("57P03", ServerUnreachable),
        ("58030", ServerFaulty),
        ("XX001", DatabaseDamaged),
    ],
)
def test_cause_is_named_by_the_state_that_the_server_reports(state, kind):
    error = psycopg.errors.lookup(state)("first line\nDETAIL: a prompt")

    for told in (error, DBAPIError("SELECT", {}, error)):
        problem = postgres_problem(told, "db:5432/rows")
        assert type(problem) is kind
        assert "a prompt" not in str(problem)
    assert type(storage_problem(error)) is kind


@pytest.mark.parametrize("state", ["23505", "42601", "22P02"])
def test_defect_of_ours_is_no_trouble_of_the_storage(state):
    assert postgres_problem(psycopg.errors.lookup(state)("broken")) is None


async def test_one_statement_is_one_trip_on_a_connection_that_was_just_used(database):
    asked = []
    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    async with database.statement() as connection:  # a new connection begins as ever
        await put(connection, value="1")
    async with database.statement() as connection:
        await put(connection, value="2")

    assert [one.split()[0] for one in asked] == ["BEGIN", "INSERT", "INSERT"]
    async with database.snapshot() as connection:
        assert await rows.read_setting(connection, "name") == "2"


async def test_one_statement_takes_another_connection_where_an_idle_one_was_cut(
    database, postgres_server, monkeypatch
):
    async with database.statement() as connection:
        await put(connection, value="1")
    postgres_server.cut()
    monkeypatch.setattr("core.storage.postgres_engine.FRESH_S", 0.0)  # as if it had been idle
    before = database.version
    async with database.statement() as connection:
        await put(connection, value="2")

    assert database.version > before
    async with database.snapshot() as connection:
        assert await rows.read_setting(connection, "name") == "2"
