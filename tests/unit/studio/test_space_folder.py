"""The folder of a Space: configuration that the platform reads, files that the workflows use."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from core.cli.space import APP, MOST_ENTRIES, PRELOAD_LIMIT, preload, requirements
from core.models.family import Profile, files_for

VALID = {
    *("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version"),
    *("app_file", "startup_duration_timeout", "license", "short_description", "preload_from_hub"),
    "hf_oauth",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = CliRunner().invoke(APP, ["build", "--out", str(tmp_path / "space")])
    assert built.exit_code == 0, built.output
    assert "in all" in built.output
    return tmp_path / "space"


def test_the_pages_configuration_has_valid_keys_and_pinned_files(folder: Path) -> None:
    head = yaml.safe_load((folder / "README.md").read_text().split("---")[1])

    assert set(head) == VALID
    assert head["python_version"] == "3.12"
    assert len(head["short_description"]) <= 60
    assert len(head["preload_from_hub"]) <= MOST_ENTRIES
    for entry in head["preload_from_hub"]:
        repo, files, commit = entry.split(" ")
        assert repo.count("/") == 1
        assert files
        assert len(commit) == 40


@pytest.mark.parametrize("profile", list(Profile))
def test_every_profile_fits_and_preloads_each_file_once(profile: Profile) -> None:
    files = files_for(None, profile)

    named = [name for entry in preload(files) for name in entry.split(" ")[1].split(",")]
    assert sorted(named) == sorted(file.path for file in files)
    assert sum(file.size_bytes for file in files) < PRELOAD_LIMIT


def test_requirements_leave_out_what_the_platform_brings_and_chat_libraries() -> None:
    names = " ".join(requirements())

    for absent in ("spaces", "gradio", "discord", "telegram"):
        assert absent not in names
    assert "torch==" in names
    bare = [line.split("=")[0].split("[")[0].lower() for line in requirements()]
    assert len(set(bare)) == len(bare)


def test_the_folder_imports_by_itself_and_is_not_overwritten(folder: Path) -> None:
    code = "import webui.space, core.settings; print(core.settings.PROJECT_ROOT)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip().endswith("space")
    assert CliRunner().invoke(APP, ["build", "--out", str(folder)]).exit_code != 0
