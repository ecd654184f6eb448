"""The folder of a Space: configuration that the platform reads, files that the workflows use."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from core.cli.space import APP
from core.cli.space.command import PRELOAD_LIMIT
from core.cli.space.readme import MOST_ENTRIES, SpacePage, preload, readme
from core.cli.space.requirements import requirements
from core.i18n.messages import speak_in_terminal
from core.models.catalog import Profile, files_for
from core.settings import Settings, load_settings

# every key that the Hub reads from a Space's page, as its configuration reference lists them
HUB_KEYS = {
    *("title", "emoji", "colorFrom", "colorTo", "sdk", "python_version", "sdk_version"),
    *("suggested_hardware", "suggested_storage", "app_file", "app_port", "base_path", "fullWidth"),
    *("header", "short_description", "models", "datasets", "tags", "thumbnail", "pinned"),
    *("hf_oauth", "hf_oauth_scopes", "hf_oauth_expiration_minutes", "hf_oauth_authorized_org"),
    *("disable_embedding", "startup_duration_timeout", "custom_headers", "preload_from_hub"),
    "license",
}
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = CliRunner().invoke(APP, ["build", "--out", str(tmp_path / "space")])
    assert built.exit_code == 0, built.output
    assert "in all" in built.output
    return tmp_path / "space"


def test_the_pages_configuration_has_valid_keys_and_pinned_files(folder: Path) -> None:
    head = yaml.safe_load((folder / "README.md").read_text().split("---")[1])

    assert set(head) <= HUB_KEYS
    assert {head["colorFrom"], head["colorTo"]} <= COLOURS
    assert (head["sdk"], head["app_file"], head["hf_oauth"]) == ("gradio", "app.py", True)
    assert (folder / "app.py").is_file()
    assert head["python_version"] == "3.12.12"
    assert head["suggested_hardware"] == "zero-a10g"
    assert {entry.split(" ")[0] for entry in head["preload_from_hub"]} == set(head["models"])
    assert len(head["short_description"]) <= 60
    assert len(head["preload_from_hub"]) <= MOST_ENTRIES
    for entry in head["preload_from_hub"]:
        repo, files, commit = entry.split(" ")
        assert repo.count("/") == 1
        assert files
        assert len(commit) == 40


def test_a_title_with_a_colon_stays_one_title() -> None:
    page = readme(SpacePage('Clips: "now"'), files_for(None, Profile.FP8), load_settings())
    head = yaml.safe_load(page.split("---")[1])

    assert head["title"] == 'Clips: "now"'


@pytest.mark.parametrize("profile", list(Profile))
def test_every_profile_fits_and_preloads_each_file_once(profile: Profile) -> None:
    files = files_for(None, profile)

    named = [name for entry in preload(files) for name in entry.split(" ")[1].split(",")]
    assert sorted(named) == sorted(file.path for file in files)
    assert sum(file.size_bytes for file in files) < PRELOAD_LIMIT


def test_requirements_leave_out_what_the_platform_brings_and_chat_libraries() -> None:
    names = {line.split("==")[0] for line in requirements()}

    assert not names & {"spaces", "gradio", "discord-py", "python-telegram-bot"}
    assert {"torch", "transformers", "pydantic", "starlette"} <= names
    bare = [line.split("=")[0].split("[")[0].lower() for line in requirements()]
    assert len(set(bare)) == len(bare)


def test_the_folder_imports_by_itself_and_is_not_overwritten(folder: Path) -> None:
    code = "import webui.space, core.settings; print(core.settings.PROJECT_ROOT)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip().endswith("space")
    assert CliRunner().invoke(APP, ["build", "--out", str(folder)]).exit_code != 0


def test_the_page_is_english_whoever_builds_it(settings: Settings) -> None:
    english = readme(SpacePage(), (), settings)
    speak_in_terminal("de")
    try:
        assert readme(SpacePage(), (), settings) == english
    finally:
        speak_in_terminal(None)
