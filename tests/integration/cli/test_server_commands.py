"""Commands for operators where PostgreSQL keeps the rows."""

import json

import pytest
from typer.testing import CliRunner

from core.cli.app import APP
from core.cli.exit_codes import ExitStatus
from core.storage.addresses import postgres_address
from core.storage.claim import claim
from core.storage.postgres_migrations import migrate_server


@pytest.fixture
def clapper(settings, monkeypatch, empty_postgres):
    claim(settings.data_dir)
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("CLAPPER_EXECUTOR", "draft")
    monkeypatch.setenv("CLAPPER_DATABASE_URL", empty_postgres)
    return lambda *typed: CliRunner().invoke(APP, typed)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_backup_and_restore_name_the_programs_of_postgresql(clapper, tmp_path, command):
    refused = clapper(command, str(tmp_path / "backup"))

    assert refused.exit_code == ExitStatus.SETUP
    assert "pg_dump" in refused.output
    assert "pg_restore" in refused.output
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("command", ["invariants", "accept-database"])
def test_command_works_with_a_server_that_was_migrated_and_never_migrates_one(
    clapper, empty_postgres, command
):
    refused = clapper(command)
    assert refused.exit_code == ExitStatus.SETUP
    assert "clapper db migrate" in refused.output

    migrate_server(postgres_address(empty_postgres))
    done = clapper(command)
    assert done.exit_code == 0, done.output


def test_doctor_says_what_the_schema_of_a_server_lacks(clapper, empty_postgres):
    def look():
        found = json.loads(clapper("doctor", "--json").stdout)["findings"]
        return next(one for one in found if one["what"] == "Database")

    assert "clapper db migrate" in look()["detail"]
    migrate_server(postgres_address(empty_postgres))
    assert look()["health"] == "good"


def test_estimate_reads_no_runs_from_a_server_without_tables(clapper, empty_postgres):
    assert clapper("estimate", "t2v").exit_code == 0
    migrate_server(postgres_address(empty_postgres))
    assert clapper("estimate", "t2v").exit_code == 0
