"""The engine's tables: made with ours, brought to what is installed, never somebody else's."""

import shutil

import pytest

from core.errors.setup import BadConfiguration, SchemaBehind
from core.storage import engine_schema
from core.storage.addresses import postgres_address
from core.storage.database import open_database
from core.storage.postgres_migrations import migrate_server
from tests.unit.storage.test_postgres_migrations import query

pytestmark = pytest.mark.postgres

LATER = "99.00.00_01_later"


@pytest.fixture
def newer_engine(tmp_path, monkeypatch):
    """An engine with one migration more than the installed one."""
    folder = shutil.copytree(engine_schema._folder(), tmp_path / "engine")
    statement = "ALTER TABLE procrastinate_workers ADD COLUMN later TEXT DEFAULT '100%';"
    (folder / f"{LATER}.sql").write_text(statement)

    def install():
        monkeypatch.setattr(engine_schema, "_folder", lambda: folder)

    return install


async def test_newer_engine_is_asked_for_and_migrated_once(empty_postgres, newer_engine, tmp_path):
    address = postgres_address(empty_postgres)
    migrate_server(address)
    newer_engine()

    with pytest.raises(SchemaBehind):
        async with open_database(empty_postgres, tmp_path):
            pass

    assert migrate_server(address) == [f"procrastinate {LATER}"]
    assert migrate_server(address) == []
    query(empty_postgres, "SELECT later FROM procrastinate_workers")
    async with open_database(empty_postgres, tmp_path):
        pass


def test_engine_of_another_program_is_left_alone(empty_postgres):
    query(empty_postgres, "CREATE TABLE procrastinate_jobs (theirs TEXT)")

    with pytest.raises(BadConfiguration, match="procrastinate_jobs"):
        migrate_server(postgres_address(empty_postgres))

    assert query(empty_postgres, "SELECT to_regclass('job')") == [(None,)]
