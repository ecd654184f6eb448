import os
from pathlib import Path

import pytest
from pydantic import BaseModel

from core.errors.setup import BadConfiguration
from core.settings import Settings, load_settings, variables

PLACES = ["data_dir", "comfyui_dir", "models_dir", "hub_cache", "hub_preloaded", "log_file",
          "c2pa_certificate", "c2pa_key", "gate_authority", "gate_certificate",
          "gate_certificate_key", "studio_users", "workflows_dir"]  # fmt: skip


def every_variable() -> list[str]:
    """Every variable that a setting is read from."""
    return [name for variable in variables(Settings).values() for name in variable.names]


def kinds_of(model: type[BaseModel]) -> dict[str, str]:
    """The type of every value by its flat name, as text."""
    kinds: dict[str, str] = {}
    for name, variable in variables(model).items():
        owner = model
        for area in variable.path[:-1]:
            owner = owner.model_fields[area].annotation
        kinds[name] = str(owner.model_fields[variable.path[-1]].annotation)
    return kinds


@pytest.mark.parametrize("nothing", ["", " ", "\t"])
def test_a_variable_that_is_set_to_nothing_is_not_set(
    monkeypatch: pytest.MonkeyPatch, nothing: str
) -> None:
    for name in every_variable():
        monkeypatch.delenv(name, raising=False)
    usual = load_settings()

    for name in every_variable():
        monkeypatch.setenv(name, nothing)

    assert load_settings() == usual


def test_a_line_without_a_value_in_a_file_is_not_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in every_variable():
        monkeypatch.delenv(name, raising=False)
    usual = load_settings()
    file = tmp_path / "lines"
    file.write_text(
        "".join(f"{name}=\n" for name in every_variable() if name.startswith("CLAPPER_"))
    )
    monkeypatch.setitem(Settings.model_config, "env_file", file)

    assert load_settings() == usual


@pytest.mark.parametrize("name", PLACES)
def test_every_path_is_whole_and_knows_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    variable = f"CLAPPER_{name.upper()}"

    monkeypatch.setenv(variable, "~/hub")
    assert load_settings().values()[name] == Path("/home/ann/hub")
    monkeypatch.setenv(variable, "hub")
    settings = load_settings()
    os.chdir("/")
    assert settings.values()[name] == tmp_path / "hub"


def test_every_setting_that_is_a_path_is_among_them() -> None:
    paths = [name for name, kind in kinds_of(Settings).items() if "Path" in kind]
    assert sorted(paths) == sorted(PLACES)


def test_a_database_address_is_whole_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAPPER_DATABASE_URL", "sqlite+aiosqlite:///rows.sqlite")

    assert load_settings().database == f"sqlite+aiosqlite:///{tmp_path}/rows.sqlite"


def test_the_home_of_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAPPER_DATA_DIR", "~nobody-here/data")

    with pytest.raises(BadConfiguration):
        load_settings()
