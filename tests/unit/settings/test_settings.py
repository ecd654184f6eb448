import pytest

from core.domain.limits import MediaLimits, RequestLimits
from core.errors.setup import BadConfiguration
from core.i18n.messages import explain
from core.settings import Settings, load_settings, settings_in_force


def test_defaults_are_the_product_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    settings = load_settings()

    assert settings.requests.limits() == RequestLimits()
    assert settings.media.limits() == MediaLimits()


def test_the_environment_is_read_with_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAPPER_MAX_SECONDS", "9")

    assert load_settings().requests.limits().max_seconds == 9


def test_a_bad_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAPPER_MAX_QUEUED", "none")

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    assert "CLAPPER_MAX_QUEUED" in explain(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLAPPER_DISCORD_TOKEN", '"abc.def"'),
        ("CLAPPER_DATA_DIR", "'/srv/data'"),
        ("CLAPPER_STUDIO_HOST", '"0.0.0.0"'),
        ("CLAPPER_QUOTA_MINUTES", "'20'"),
        ("CLAPPER_DATABASE_URL", '"sqlite+aiosqlite:////srv/rows.sqlite"'),
    ],
)
def test_quotes_that_a_container_kept_are_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    assert f"{name} stands in quotes" in explain(caught.value)
    assert "abc.def" not in explain(caught.value)


@pytest.mark.parametrize("value", ["$HOME/data", "${HOME}/data", "%APPDATA%/x", "file:///srv/data"])
@pytest.mark.parametrize("name", ["CLAPPER_DATA_DIR", "CLAPPER_MODELS_DIR", "CLAPPER_C2PA_KEY"])
def test_a_path_that_another_program_would_have_replaced_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    assert f"{name} is “" in explain(caught.value)


def test_a_password_in_an_address_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAPPER_HUB_ENDPOINT", "https://ada:secret@hub.example")

    shown = {one.name: one.value for one in settings_in_force(load_settings())}
    assert shown["CLAPPER_HUB_ENDPOINT"] == "https://…@hub.example"

    monkeypatch.setenv("CLAPPER_TELEGRAM_API_URL", "ftp://ada:secret@hub.example")
    with pytest.raises(BadConfiguration) as caught:
        load_settings()
    assert "secret" not in explain(caught.value)
