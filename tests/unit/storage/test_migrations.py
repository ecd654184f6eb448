import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise

import pytest
import sqlalchemy

from core.errors.setup import DatabaseDamaged, MigrationChanged, SchemaTooNew
from core.settings import PROJECT_ROOT
from core.storage.migration_files import MIGRATIONS, read_migrations
from core.storage.migrations import migrate, statements
from core.testing.doubles import ManualClock

ONE = "CREATE TABLE one (a INTEGER) STRICT;\nINSERT INTO one VALUES (1);\n"
TWO = "CREATE TABLE two (b TEXT) STRICT;\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_one.sql").write_text(ONE)
    return folder


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data" / "clapper.sqlite"


def query(file, sql):
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchall()


def test_every_migration_is_applied_once_in_order(file, folder):
    (folder / "0003_three.sql").write_text(TWO)
    clock = ManualClock(7)

    first = migrate(file, clock, folder)
    second = migrate(file, clock, folder)

    assert (first, second) == (["0001_one.sql", "0003_three.sql"], [])
    assert query(file, "SELECT number, name, at_ms FROM migration") == [
        (1, "0001_one.sql", 7),
        (3, "0003_three.sql", 7),
    ]
    assert query(file, "PRAGMA user_version") == [(3,)]


def test_database_is_copied_before_it_is_changed(file, folder):
    migrate(file, folder=folder)
    assert list(file.parent.glob("*before*")) == []
    (folder / "0002_two.sql").write_text(TWO)
    (folder / "0003_three.sql").write_text("DROP TABLE one;")

    migrate(file, folder=folder)

    [copy] = file.parent.glob("*before*")
    assert copy.name == "clapper.sqlite.before-0002"
    assert query(copy, "SELECT a FROM one") == [(1,)]
    assert query(copy, "PRAGMA user_version") == [(1,)]
    with pytest.raises(sqlite3.OperationalError):
        query(file, "SELECT a FROM one")


def test_migration_that_fails_halfway_leaves_nothing_of_itself(file, folder):
    migrate(file, folder=folder)
    broken = folder / "0002_two.sql"
    broken.write_text(TWO + "INSERT INTO one VALUES ('text');")

    with pytest.raises(sqlite3.IntegrityError):
        migrate(file, folder=folder)

    assert query(file, "PRAGMA user_version") == [(1,)]
    assert query(file, "SELECT number FROM migration") == [(1,)]
    assert query(file, "SELECT name FROM sqlite_master WHERE name = 'two'") == []
    broken.write_text(TWO)
    assert migrate(file, folder=folder) == ["0002_two.sql"]


def test_earlier_migrations_of_a_failed_run_stay(file, folder):
    (folder / "0002_two.sql").write_text("CREATE TABLE one (again INTEGER);")

    with pytest.raises(sqlite3.OperationalError):
        migrate(file, folder=folder)

    assert query(file, "SELECT number FROM migration") == [(1,)]


def test_changed_migration_is_refused(file, folder):
    migrate(file, folder=folder)
    (folder / "0001_one.sql").write_text(ONE + "-- a word more\n")

    with pytest.raises(MigrationChanged) as refused:
        migrate(file, folder=folder)

    assert refused.value.name == "0001_one.sql"


def test_missing_migration_is_refused(file, folder):
    migrate(file, folder=folder)
    (folder / "0001_one.sql").rename(folder / "0002_one.sql")

    with pytest.raises(MigrationChanged):
        migrate(file, folder=folder)


def test_schema_of_a_newer_version_is_refused_untouched(file, folder):
    (folder / "0009_nine.sql").write_text(TWO)
    migrate(file, folder=folder)
    (folder / "0009_nine.sql").unlink()
    before = file.read_bytes()

    with pytest.raises(SchemaTooNew) as refused:
        migrate(file, folder=folder)

    assert (refused.value.found, refused.value.known) == (9, 1)
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is not a database at all" * 100, None])
def test_damaged_file_is_refused(file, folder, content):
    migrate(file, folder=folder)
    if content is None:
        with closing(sqlite3.connect(file)) as connection:
            connection.executemany("INSERT INTO one VALUES (?)", [(n,) for n in range(5000)])
            connection.commit()
        whole = bytearray(file.read_bytes())
        for page in range(3, len(whole) // 4096):
            whole[page * 4096 : page * 4096 + 200] = b"\xff" * 200
        content = bytes(whole)
    file.write_bytes(content)

    with pytest.raises(DatabaseDamaged):
        migrate(file, folder=folder)


def test_two_migrations_of_one_number_are_a_defect(folder):
    (folder / "0001_other.sql").write_text(TWO)

    with pytest.raises(ValueError, match="0001_other"):
        read_migrations(folder)


def test_statements_are_split_where_sqlite_splits_them():
    text = """
    -- a comment; with a semicolon
    CREATE TABLE a (b TEXT DEFAULT 'x;y');
    CREATE TRIGGER t BEFORE DELETE ON a BEGIN
        SELECT 1;
    END;
    -- the end
    """

    assert [part.split()[-1] for part in statements(text)] == ["'x;y');", "END;"]


def test_statement_without_an_end_is_a_defect():
    with pytest.raises(ValueError, match="semicolon"):
        list(statements("CREATE TABLE a (b TEXT)"))


def test_shipped_migrations_follow_each_other():
    known = read_migrations(MIGRATIONS)
    files = [migration.number for migration in known if not migration.is_revision]
    revisions = [migration for migration in known if migration.is_revision]

    assert files == list(range(1, len(files) + 1))
    for before, migration in pairwise([known[len(files) - 1], *revisions]):
        assert f'\nrevision = "{migration.number:04d}"\n' in migration.text
        assert f'\ndown_revision = "{before.number:04d}"\n' in migration.text


# Released: databases remember them. A new line comes with a new file; none of these ever changes.
RELEASED = {
    "0001_jobs.sql": "28d78449782030ab",
    "0002_runs.sql": "5dd36c5dd9a319d3",
    "0003_community.sql": "639e3c4a116ebca1",
    "0004_file_holds.sql": "8eed9ca59211e98b",
    "0005_accounts.sql": "5be17c1462446806",
    "0006_guests.sql": "25226d06d0fd6d83",
    "0007_limits.sql": "eaeea1961b694f7f",
    "0008_losses.sql": "24322d9016a5c525",
    "0009_fingerprint.sql": "c5c27cb6225d5947",
    "0010_upkeep.sql": "dd2562fae3727307",
}


def test_released_migrations_are_what_they_were():
    found = {migration.name: migration.checksum[:16] for migration in read_migrations(MIGRATIONS)}

    assert RELEASED.items() <= found.items()


NEWEST = read_migrations(MIGRATIONS)[-1].number
NEXT = NEWEST + 1
THREE = f"{NEXT:04d}_three.py"
ADDED = f"""
from alembic import op

revision = "{NEXT:04d}"
down_revision = "{NEWEST:04d}"
oldest = 10


def upgrade():
    op.execute("CREATE TABLE three (a INTEGER) STRICT")
"""


@pytest.fixture
def ours(tmp_path):
    """Our migrations, to which a test adds."""
    return shutil.copytree(MIGRATIONS, tmp_path / "ours")


def test_revision_is_applied_after_a_copy_and_remembered_like_a_file(file, ours):
    migrate(file, folder=ours)
    added = ours / "versions" / THREE
    added.write_text(ADDED)

    assert migrate(file, ManualClock(7), ours) == [THREE]

    [copy] = file.parent.glob("*before*")
    assert copy.name == f"clapper.sqlite.before-{NEXT:04d}"
    assert query(copy, "PRAGMA user_version") == [(NEWEST,)]
    assert query(file, "PRAGMA user_version") == [(NEXT,)]
    assert query(file, f"SELECT name, at_ms FROM migration WHERE number = {NEXT}") == [
        (added.name, 7)
    ]
    assert query(file, "SELECT version_num FROM alembic_version") == [(f"{NEXT:04d}",)]
    added.write_text(ADDED + "# a word more\n")
    with pytest.raises(MigrationChanged):
        migrate(file, folder=ours)


def test_revision_that_fails_halfway_leaves_nothing_of_itself_in_a_file(file, ours):
    migrate(file, folder=ours)
    broken = ours / "versions" / THREE
    broken.write_text(ADDED + "    op.execute(\"INSERT INTO three VALUES ('text')\")\n")

    with pytest.raises(sqlalchemy.exc.IntegrityError):
        migrate(file, folder=ours)

    assert query(file, "PRAGMA user_version") == [(NEWEST,)]
    assert query(file, "SELECT version_num FROM alembic_version") == [(f"{NEWEST:04d}",)]
    assert query(file, "SELECT name FROM sqlite_master WHERE name = 'three'") == []
    broken.write_text(ADDED)
    assert migrate(file, folder=ours) == [THREE]


def test_file_of_the_newest_schema_is_known_without_importing_alembic(file):
    migrate(file)
    code = (
        "import core.cli.app, pathlib, sys; from core.storage.migrations import migrate;"
        f"assert migrate(pathlib.Path({str(file)!r})) == [];"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT_ROOT
    )

    assert done.stdout.strip() == "False"
