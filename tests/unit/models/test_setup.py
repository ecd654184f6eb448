"""From the environment to a store."""

from pathlib import Path

import pytest

from core.models.setup import open_store
from core.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for variable in ("HF_TOKEN", "CLAPPER_HF_TOKEN", "HF_ENDPOINT", "CLAPPER_HUB_ENDPOINT"):
        monkeypatch.delenv(variable, raising=False)


def test_the_usual_variables_of_the_hub_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")

    settings = load_settings()

    assert settings.models.hf_token is not None
    assert settings.models.hf_token.get_secret_value() == "hf_secret"
    assert settings.models.hub_endpoint == "https://mirror.example"


def test_our_own_variables_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    monkeypatch.setenv("CLAPPER_HUB_ENDPOINT", "https://ours.example")

    assert load_settings().models.hub_endpoint == "https://ours.example"
    assert load_settings(hub_endpoint="https://given.example").models.hub_endpoint.endswith(
        "given.example"
    )


def test_the_token_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    settings = load_settings()

    assert "hf_secret" not in repr(settings) + repr(vars(open_store(settings)))


def test_folders_come_from_the_settings(tmp_path: Path) -> None:
    store = open_store(load_settings(data_dir=tmp_path, hub_preloaded=tmp_path / "baked"))

    assert store.places.models == tmp_path / "models"
    assert store.places.preloaded == tmp_path / "baked"
    assert store.places.cache.name == "hub"
    assert not any(tmp_path.iterdir())
