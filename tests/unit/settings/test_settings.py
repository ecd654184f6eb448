import pytest

from core.domain.limits import MediaLimits, RequestLimits
from core.errors.setup import BadConfiguration
from core.i18n.messages import explain
from core.settings import Settings, load_settings


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
