"""The schema on PostgreSQL: made once, by one program at a time, refused where it does not fit."""

import asyncio
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa

from core.errors.setup import (
    BadConfiguration,
    CopyUnfinished,
    MigrationChanged,
    SchemaBehind,
    SchemaTooNew,
)
from core.errors.storage import ServerRefuses, ServerUnreachable
from core.storage.addresses import postgres_address
from core.storage.database import Database, open_database
from core.storage.migration_files import MIGRATIONS, POSTGRESQL, read_migrations
from core.storage.postgres_migrations import migrate_server
from core.storage.postgres_schema import SchemaDuty, prepare_schema
from core.testing.doubles import ManualClock

NAMES = [migration.name for migration in read_migrations(dialect=POSTGRESQL)]
NEWEST = read_migrations(dialect=POSTGRESQL)[-1].number
NEXT = NEWEST + 1
ADDED = f"{NEXT:04d}_later.py"
LATER = """
import sqlalchemy as sa
from alembic import op

revision = "{number:04d}"
down_revision = "{before:04d}"
oldest = {oldest}


def upgrade():
    op.add_column("notice", sa.Column("more_{number}", sa.Text()))
"""


@pytest.fixture
def folder(tmp_path):
    """Our migrations, to which a test may add."""
    return shutil.copytree(MIGRATIONS, tmp_path / "migrations")


def add_revision(folder, number, *, oldest):
    text = LATER.format(number=number, before=number - 1, oldest=oldest)
    (folder / "versions" / f"{number:04d}_later.py").write_text(text)


def query(url, statement, *values):
    address = postgres_address(url).url.set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as db:
        found = db.execute(statement, values)
        return found.fetchall() if found.description else []


def test_schema_is_made_once_and_remembered_with_its_checksums(empty_postgres):
    address = postgres_address(empty_postgres)

    first = migrate_server(address, ManualClock(7))
    second = migrate_server(address, ManualClock(8))

    engine, *ours = first
    assert engine.startswith("procrastinate ")
    assert (ours, second) == (NAMES, [])
    known = read_migrations(dialect=POSTGRESQL)
    assert query(empty_postgres, "SELECT number, name, checksum, at_ms FROM migration") == [
        (migration.number, migration.name, migration.checksum, 7) for migration in known
    ]
    assert query(empty_postgres, "SELECT version_num FROM alembic_version") == [
        (f"{known[-1].number:04d}",)
    ]


def test_of_many_programs_one_migrates_and_the_others_find_it_done(empty_postgres):
    together = threading.Barrier(4)

    def start(_):
        together.wait()
        return migrate_server(postgres_address(empty_postgres))

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(start, range(4)))

    assert [names[1:] for names in sorted(done)] == [[], [], [], NAMES]


def test_revision_that_fails_halfway_leaves_nothing_of_itself(empty_postgres, folder):
    add_revision(folder, NEXT, oldest=10)
    broken = folder / "versions" / ADDED
    whole = broken.read_text()
    broken.write_text(whole + '    op.execute("SELECT nothing FROM nowhere")\n')
    address = postgres_address(empty_postgres)

    with pytest.raises(sa.exc.ProgrammingError):
        migrate_server(address, folder=folder)

    assert query(empty_postgres, "SELECT max(number) FROM migration") == [(NEWEST,)]
    broken.write_text(whole)
    assert migrate_server(address, folder=folder) == [ADDED]


@pytest.mark.parametrize("name", ["0010_base.sql", "0011_cluster.py"])
def test_changed_migration_is_refused(empty_postgres, folder, name):
    address = postgres_address(empty_postgres)
    migrate_server(address, folder=folder)
    [file] = folder.rglob(name)
    file.write_text(file.read_text() + "\n")

    with pytest.raises(MigrationChanged) as refused:
        migrate_server(address, folder=folder)

    assert refused.value.name == name


def test_tables_of_somebody_else_are_left_alone(empty_postgres):
    query(empty_postgres, "CREATE TABLE account (theirs TEXT)")

    with pytest.raises(BadConfiguration, match="account"):
        migrate_server(postgres_address(empty_postgres))

    assert query(empty_postgres, "SELECT to_regclass('job'), to_regclass('migration')") == [
        (None, None)
    ]


def test_account_without_rights_is_told_so(empty_postgres):
    query(empty_postgres, "DROP ROLE IF EXISTS reader")
    query(empty_postgres, "CREATE ROLE reader LOGIN")
    theirs = empty_postgres.replace("postgres@", "reader@")

    with pytest.raises(ServerRefuses, match="schema public"):
        migrate_server(postgres_address(theirs))


def test_absent_server_is_told_by_its_name_only(tmp_path):
    url = f"postgresql://anna:secret@/clapper?host={tmp_path}"

    with pytest.raises(ServerUnreachable) as refused:
        migrate_server(postgres_address(url))

    assert "secret" not in str(refused.value.data())


@pytest.mark.parametrize(("oldest", "fits"), [(10, True), (NEWEST, True), (NEXT, False)])
async def test_older_program_goes_on_as_long_as_a_newer_schema_only_adds(
    empty_postgres, folder, oldest, fits
):
    add_revision(folder, NEXT, oldest=oldest)
    migrate_server(postgres_address(empty_postgres), folder=folder)
    database = Database(empty_postgres)
    try:
        opening = prepare_schema(database, postgres_address(empty_postgres), SchemaDuty.MIGRATE)
        if fits:
            assert await opening
        else:
            with pytest.raises(SchemaTooNew) as refused:
                await opening
            assert (refused.value.found, refused.value.known) == (NEXT, NEWEST)
    finally:
        await database.close()


async def test_front_node_migrates_and_a_command_beside_it_does_not(empty_postgres, tmp_path):
    with pytest.raises(SchemaBehind) as refused:
        async with open_database(empty_postgres, tmp_path):
            pass
    assert (refused.value.found, refused.value.known) == (0, NEWEST)

    async with open_database(empty_postgres, tmp_path, duty=SchemaDuty.MIGRATE):
        pass
    async with open_database(empty_postgres, tmp_path):
        pass


async def test_worker_waits_until_somebody_migrated(empty_postgres, monkeypatch):
    monkeypatch.setattr("core.storage.postgres_schema.POLL_S", 0.02)
    address, database, told = postgres_address(empty_postgres), Database(empty_postgres), []
    waits = asyncio.Event()

    def tell(problem):
        told.append((problem.found, problem.known))
        waits.set()

    try:
        opening = asyncio.create_task(
            prepare_schema(database, address, SchemaDuty.AWAIT, tell=tell)
        )
        await waits.wait()
        await asyncio.to_thread(migrate_server, address)
        assert await opening
    finally:
        await database.close()
    assert told == [(0, NEWEST)]


async def test_database_that_rows_are_missing_from_is_not_served(empty_postgres, tmp_path):
    migrate_server(postgres_address(empty_postgres))
    query(empty_postgres, "DELETE FROM sched")

    with pytest.raises(CopyUnfinished):
        async with open_database(empty_postgres, tmp_path, duty=SchemaDuty.MIGRATE):
            pass
