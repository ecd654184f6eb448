"""``clapper settings``: what it says of each value, in words and as JSON."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli.app import APP


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "my settings.env"
    path.write_text(
        "CLAPPER_MAX_SECONDS=7\nCLAPPER_MAX_SECONDS=8\nCLAPPER_MAX_SECUNDS=9\n"
        "CLAPPER_TELEGRAM_TOKEN=1:very-secret\n"
    )
    monkeypatch.setenv("CLAPPER_ENV_FILE", str(path))
    monkeypatch.setenv("CLAPPER_MAX_QUEUED", "5")
    monkeypatch.setenv("COLUMNS", "300")
    return path


def said(*options: str) -> str:
    done = CliRunner().invoke(APP, ["settings", *options])
    assert done.exit_code == 0, done.output
    assert "very-secret" not in done.output
    return done.output


def test_what_is_set_is_told_with_where_it_comes_from(file: Path) -> None:
    lines = said("--set").splitlines()

    seconds = next(line for line in lines if line.startswith("CLAPPER_MAX_SECONDS "))
    assert seconds.split(maxsplit=2) == ["CLAPPER_MAX_SECONDS", "8.0", str(file)]
    assert any(line.split()[:3] == ["CLAPPER_MAX_QUEUED", "5", "environment"] for line in lines)
    assert not any("CLAPPER_QUOTA_MINUTES" in line for line in lines)
    assert any("CLAPPER_MAX_SECUNDS" in line and "CLAPPER_MAX_SECONDS" in line for line in lines)
    assert any("more than once" in line and str(file) in line for line in lines)


def test_without_an_option_defaults_are_told_too(file: Path) -> None:
    assert "CLAPPER_QUOTA_MINUTES" in said()


def test_programs_read_the_same(file: Path) -> None:
    found = json.loads(said("--json", "--set"))

    rows = {row["name"]: row for row in found["settings"]}
    assert rows["CLAPPER_MAX_SECONDS"]["value"] == "8.0"
    assert rows["CLAPPER_MAX_SECONDS"]["file"] == str(file)
    assert rows["CLAPPER_MAX_QUEUED"]["from"] == "environment"
    assert found["unknown"] == ["CLAPPER_MAX_SECUNDS"]
    assert found["repeated"] == ["CLAPPER_MAX_SECONDS"]
