"""The optional tables beside the file of settings: what they say, and what wins over them."""

from pathlib import Path

import pytest

from core.errors.setup import BadConfiguration
from core.i18n.messages import explain
from core.settings import (
    SettingOrigin,
    Settings,
    load_settings,
    look_at_names,
    settings_in_force,
)


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    return tmp_path / "clapper.toml"


def test_tables_set_what_the_variables_of_their_names_set(tables: Path) -> None:
    tables.write_text(
        'quota_minutes = 7\nstudio.port = 7999\noperators = ["discord:1", "telegram:2"]\n'
        '[discord]\ntoken = "secret"\n[telegram]\nlocal = true\n'
    )

    settings = load_settings()

    assert settings.quota.minutes == 7
    assert settings.studio.port == 7999
    assert settings.people.operators == "discord:1,telegram:2"
    assert settings.discord.token is not None
    assert settings.discord.token.get_secret_value() == "secret"
    assert settings.telegram.local is True


def test_the_environment_wins_over_the_file_and_that_over_the_tables(
    tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.write_text("max_seconds = 5\nmax_queued = 5\nquota_minutes = 5\n")
    tables.with_name(".env").write_text("CLAPPER_MAX_SECONDS=6\nCLAPPER_MAX_QUEUED=6\n")
    monkeypatch.setenv("CLAPPER_MAX_SECONDS", "7")

    settings = load_settings()
    found = {one.name: one for one in settings_in_force(settings)}

    assert settings.requests.max_seconds == 7
    assert settings.queue.max_queued == 6
    assert settings.quota.minutes == 5
    assert found["CLAPPER_MAX_SECONDS"].origin is SettingOrigin.ENVIRONMENT
    assert found["CLAPPER_MAX_QUEUED"].file == tables.with_name(".env")
    assert found["CLAPPER_QUOTA_MINUTES"].file == tables
    assert found["CLAPPER_MIN_SECONDS"].origin is SettingOrigin.DEFAULT


def test_a_name_that_nothing_reads_is_found_in_tables_too(tables: Path) -> None:
    tables.write_text('[discord]\ntokn = "x"\n')

    (unknown,) = look_at_names().unknown

    assert (unknown.name, unknown.nearest) == ("CLAPPER_DISCORD_TOKN", "CLAPPER_DISCORD_TOKEN")


@pytest.mark.parametrize("text", ["max_seconds = ", "a = 1\na = 2", "[discord", "\0"])
def test_what_is_no_toml_is_refused_with_its_place(tables: Path, text: str) -> None:
    tables.write_text(text)

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    assert str(tables) in explain(caught.value)
    assert str(tables) in explain(caught.value, "de")


def test_a_value_out_of_range_is_refused_as_everywhere(tables: Path) -> None:
    tables.write_text("max_seconds = -3\n")

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    assert "CLAPPER_MAX_SECONDS" in explain(caught.value)


def test_a_secret_is_never_shown(tables: Path) -> None:
    tables.write_text('[discord]\ntoken = "very-secret"\n')

    shown = str(settings_in_force(load_settings()))

    assert "CLAPPER_DISCORD_TOKEN" in shown
    assert "very-secret" not in shown


@pytest.mark.parametrize("name", ["max_seconds", "CLAPPER_MAX_SECONDS", "clapper_max_seconds"])
def test_a_whole_name_means_what_it_does_elsewhere(tables: Path, name: str) -> None:
    tables.write_text(f"{name} = 7\n")

    assert load_settings().requests.max_seconds == 7
    assert look_at_names().unknown == ()


@pytest.mark.parametrize(
    ("env", "toml", "repeated"),
    [
        ("CLAPPER_MAX_SECONDS=7\nclapper_max_seconds=8\n", "", "CLAPPER_MAX_SECONDS"),
        ("CLAPPER_MAX_SECONDS=7\nexport CLAPPER_MAX_SECONDS=8\nA=1\nA=2\n", "",
         "CLAPPER_MAX_SECONDS"),
        ("", "studio_port = 1\n[studio]\nport = 2\n", "CLAPPER_STUDIO_PORT"),
        ("", "max_seconds = 7\nMAX_SECONDS = 8\n", "CLAPPER_MAX_SECONDS"),
    ],
)  # fmt: skip
def test_what_stands_twice_in_one_file_is_told(
    tables: Path, env: str, toml: str, repeated: str
) -> None:
    dotenv = tables.with_name(".env")
    dotenv.write_text(env)
    tables.write_text(toml)

    assert look_at_names().repeated == ((repeated, dotenv if env else tables),)


def test_what_two_places_say_is_no_repetition(tables: Path) -> None:
    tables.with_name(".env").write_text("CLAPPER_MAX_SECONDS=7\n")
    tables.write_text("max_seconds = 8\n")

    assert look_at_names().repeated == ()


def test_marks_and_ends_of_lines_of_windows_are_understood(tables: Path) -> None:
    tables.write_bytes(b"\xef\xbb\xbfmax_seconds = 7\r\n[studio]\r\nport = 7861\r\n")

    assert load_settings().requests.max_seconds == 7
    assert load_settings().studio.port == 7861
