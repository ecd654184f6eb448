import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from core.errors.setup import BadConfiguration, DataDirectoryBusy
from core.errors.storage import StorageUnavailable
from core.storage.database import Database, open_database
from core.storage.lock import lock
from core.storage.tables import setting
from core.storage.uncut_connection import whole
from tests.support.databases import unwritable

# most of a second of work that no signal ends
LONG = """
    WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 2000000)
    SELECT count(*) FROM t
"""


@pytest.fixture
async def database(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'clapper.sqlite'}"
    async with open_database(url, tmp_path) as database:
        yield database


async def put(connection, name):
    await connection.execute(setting.insert().values(name=name, value="1"))


async def count(database):
    async with database.transaction() as connection:
        return await connection.scalar(select(func.count()).select_from(setting))


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
async def test_connection_is_prepared(database, pragma, value):
    async with database.transaction() as connection:
        assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar() == value


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


async def test_write_lock_is_taken_at_the_beginning(database, tmp_path):
    async with database.transaction():
        with (
            closing(sqlite3.connect(tmp_path / "clapper.sqlite", timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")


async def test_transactions_never_interleave(database):
    seen = []

    async def work(number):
        async with database.transaction() as connection:
            seen.append(number)
            await put(connection, str(number))
            seen.append(number)

    await asyncio.gather(*(work(number) for number in range(20)))

    assert seen[::2] == seen[1::2]
    assert await count(database) == 20


@pytest.mark.parametrize("times", [1, 3])
async def test_cancel_inside_a_statement_rolls_back_and_leaves_no_lock(database, times):
    inside = asyncio.Event()

    async def work():
        async with database.transaction() as connection:
            await put(connection, "lost")
            inside.set()
            await connection.exec_driver_sql(LONG)

    task = asyncio.create_task(work())
    await inside.wait()
    for _ in range(times):
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await count(database) == 0


async def test_cancel_while_waiting_for_the_turn_changes_nothing(database):
    async def work():
        async with database.transaction() as connection:
            await put(connection, "lost")

    async with database.transaction():
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await count(database) == 0


async def test_cancel_at_every_point_of_a_transaction_is_all_or_nothing(database):
    async def work(number):
        async with database.transaction() as connection:
            await put(connection, f"a{number}")
            await put(connection, f"b{number}")

    for number in range(40):
        task = asyncio.create_task(work(number))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})

    async with database.transaction() as connection:
        names = {row.name for row in await connection.execute(select(setting))}
    for number in range(40):
        assert (f"a{number}" in names) == (f"b{number}" in names)


async def test_whole_reports_the_error_of_the_call_even_when_cancelled():
    started = asyncio.Event()

    async def fails():
        started.set()
        await asyncio.sleep(0)
        raise KeyError

    task = asyncio.create_task(whole(fails()))
    await started.wait()
    task.cancel()

    with pytest.raises(KeyError):
        await task


async def test_errors_do_not_show_what_was_written(database):
    with pytest.raises(OperationalError) as refused:
        async with database.transaction() as connection:
            await connection.exec_driver_sql("INSERT INTO nothing VALUES (?)", ("a red kite",))

    assert "a red kite" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "sqlite:///x.sqlite", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"],
)
def test_other_databases_are_refused(url):
    with pytest.raises(BadConfiguration):
        Database(url)


async def test_second_instance_on_one_data_directory_is_refused(database, tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'clapper.sqlite'}"
    with pytest.raises(DataDirectoryBusy) as refused:
        async with open_database(url, tmp_path):
            pass

    assert refused.value.path == str(tmp_path)


def test_lock_is_free_again_after_its_block(tmp_path):
    with lock(tmp_path / "new"), pytest.raises(DataDirectoryBusy), lock(tmp_path / "new"):
        pass

    with lock(tmp_path / "new"):
        pass


async def test_the_version_moves_with_every_change_and_only_then(database):
    versions = [database.version]
    for name in ("first", "second"):
        async with database.transaction() as connection:
            await put(connection, name)
        versions.append(database.version)
        await count(database)
        assert database.version == versions[-1]

    assert len(set(versions)) == 3


async def test_that_writes_fail_is_known_until_one_succeeds_however_many_reads_do(database):
    with unwritable(database.engine):
        with pytest.raises(StorageUnavailable):
            async with database.transaction() as connection:
                await put(connection, "refused")
        assert await count(database) == 0
        await database.examine()
        assert database.trouble == "storage_full"

    assert await count(database) == 0
    assert database.trouble == "storage_full"
    await database.examine()
    assert database.trouble is None
    assert await count(database) == 0, "it left something behind"


async def test_a_lock_that_kept_everybody_out_is_over_once_somebody_reads(database, tmp_path):
    async with database.transaction() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=0")
    with closing(sqlite3.connect(tmp_path / "clapper.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable):
            await count(database)
        assert database.trouble == "database_locked"
        other.execute("ROLLBACK")

    assert await count(database) == 0
    assert database.trouble is None


async def test_where_nothing_is_known_to_be_wrong_nothing_is_written_to_find_out(database):
    await count(database)
    before = database.version

    await database.examine()

    assert database.version == before
