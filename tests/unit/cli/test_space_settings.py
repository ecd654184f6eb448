"""The settings of whoever builds a Space reach it; what belongs to their machine does not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from core.cli.space import APP
from core.cli.space.carried_settings import ALWAYS, carried, goes, left_behind, settings_file
from core.settings import Settings, load_settings, variables

# what has no meaning, or no business, on a Space, by its first variable: decide for a new one
STAYS = re.compile(
    r"CLAPPER_(C2PA_\w+|NODE|POOL|WORKER|NOTICE_S|GATE_\w+|SCALE_\w+"
    r"|DATA_DIR|DATABASE_\w+|ARTEFACTS|ARTEFACTS_SHARED|S3_\w+|CACHE_GIGABYTES|WORKFLOWS_DIR|EXECUTOR|LOG_\w+|OPERATORS|ALLOWED|METRICS_\w+|HEALTH_\w+"
    r"|ALERTS?\w*|RESTARTS|COMFYUI_\w+|TORCH_INDEX|MODELS_DIR|HUB_\w+|HF_TOKEN|ACCEPT_MODEL_LICENCES"
    r"|DISCORD_\w+|TELEGRAM_\w+|STUDIO|STUDIO_(URL|HOSTS?|PORT|KEY|USERS|OAUTH_\w+|WEBHOOK_\w+))|SPACE_\w+"
)
SET = {
    "CLAPPER_MODEL_PROFILE": "bf16",
    "CLAPPER_VRAM": "high",
    "CLAPPER_STUDIO_TIER": "free",
    "CLAPPER_MAX_SECONDS": "7.5",
    "CLAPPER_PROMPT_IN_METADATA": "yes",
    "CLAPPER_SHARES": "operators=200, role:42=150",
    "CLAPPER_STUDIO_HF_ACCOUNTS": "it's me, back\\slash #1",
    "CLAPPER_STUDIO_MCP": "true",
    "CLAPPER_PLACE_MINUTES": "3",
}
READ = "from core.settings import *; use_settings_of(PROJECT_ROOT); print(load_settings().values())"


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in os.environ:
        if name.startswith("CLAPPER_"):
            monkeypatch.delenv(name)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of somebody who set something of every kind."""
    for name, value in SET.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(APP, ["build", "--out", str(tmp_path / "space")])
    assert result.exit_code == 0, result.output
    return tmp_path / "space"


def as_there(folder: Path, **its_variables: str) -> dict[str, object]:
    """Return the settings as the Space reads them, with its variables."""
    done = subprocess.run(
        [sys.executable, "-c", READ],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **its_variables},
        capture_output=True,
        text=True,
        check=True,
    )
    names = {"PosixPath": Path, "SecretStr": SecretStr}
    return eval(done.stdout, names)  # our own print


def test_a_space_has_the_settings_of_its_builder(built: Path) -> None:
    here, there = load_settings().values(), as_there(built)

    changed = {name for name, value in Settings().values().items() if here[name] != value}
    assert len(changed) == len(SET)
    assert {name: there[name] for name in changed} == {name: here[name] for name in changed}


def test_a_variable_of_the_space_wins(built: Path) -> None:
    there = as_there(built, CLAPPER_MODEL_PROFILE="low", CLAPPER_MAX_SECONDS="9")

    assert (there["model_profile"], there["max_seconds"]) == ("low", 9)
    assert there["studio_tier"] == "free"


def test_a_folder_whose_settings_were_deleted_has_the_usual_ones(built: Path) -> None:
    (built / "clapper.env").unlink()

    assert as_there(built)["model_profile"] == "fp8"


def test_the_page_tells_the_limits_that_were_set(built: Path) -> None:
    page = (built / "README.md").read_text()

    assert "A clip lasts up to 7.5 s" in page
    assert "Model files: bf16" in page
    assert "also written into the finished file" in page


def test_secrets_paths_and_addresses_stay_and_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "s" * 34)
    monkeypatch.setenv("CLAPPER_TELEGRAM_TOKEN", "123456:" + "t" * 35)
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path / "mine"))
    monkeypatch.setenv("CLAPPER_OPERATORS", "hf:64ada")
    monkeypatch.setenv("CLAPPER_STUDIO_USERS", str(tmp_path / "users"))
    settings = load_settings()

    assert set(carried(settings)) == set(ALWAYS)
    text = settings_file(settings)
    assert not any(word in text for word in ("hf_s", "tttt", "mine", "64ada"))
    assert set(left_behind(settings)) == {
        *("CLAPPER_HF_TOKEN", "CLAPPER_TELEGRAM_TOKEN", "CLAPPER_DATA_DIR"),
        *("CLAPPER_OPERATORS", "CLAPPER_STUDIO_USERS"),
    }


def test_every_setting_was_decided_about() -> None:
    known = variables(Settings)
    sent = {name for name, variable in known.items() if goes(name, variable)}
    stays = {name for name, variable in known.items() if STAYS.fullmatch(variable.names[0])}

    assert sent.isdisjoint(stays)
    assert sent | stays == set(known)
