"""``clapper models`` as a person types it, against the loopback hub."""

import errno
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

import core.cli.models as command
from core.models.catalog import Profile


@pytest.fixture
def small(small_family, hub, tmp_path, monkeypatch):
    """Point the commands at the small family, the fake hub and empty folders."""
    monkeypatch.setattr(command, "FAMILY", small_family)
    for variable, value in {
        "CLAPPER_DATA_DIR": tmp_path / "data",
        "CLAPPER_HUB_CACHE": tmp_path / "hub",
        "CLAPPER_HUB_ENDPOINT": hub.endpoint,
        "CLAPPER_MIN_FREE_MEGABYTES": 0,
        "COLUMNS": 200,
    }.items():
        monkeypatch.setenv(variable, str(value))
    for variable in ("HF_TOKEN", "CLAPPER_HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(variable, raising=False)
    return small_family


def run(*arguments, code=0):
    result = CliRunner().invoke(command.APP, arguments)
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def test_nothing_is_fetched_before_the_terms_are_accepted(small, hub):
    output = run("pull", code=5)

    assert "LTX-2 Community License Agreement" in output
    assert "Gemma is provided under and subject to the Gemma Terms of Use" in output
    assert "--accept-licences" in output
    assert hub.heads == 0


def test_from_nothing_to_ready_and_back(small, hub, tmp_path):
    files = small.files_for(None, Profile.FP8)

    assert "missing" in run("status")
    assert "ready" in run("pull", "--accept-licences")
    assert "All files are here" in run("status")
    assert "ready" in run("pull")
    assert len(hub.bodies) == len(files)
    assert run("verify").count("as published") == len(files)
    assert "Nothing to remove" in run("prune", "--yes")

    run("pull", "--profile", "bf16")
    assert "not used any more" in run("prune", "--profile", "fp8", "--yes")
    assert "pull --profile bf16" in run("status", "--profile", "bf16")
    assert "All files are here" in run("status")


def test_pull_for_one_mode_leaves_out_what_it_does_not_need(small, hub):
    run("pull", "--mode", "t2v", "--accept-licences")

    assert len(hub.bodies) == 4
    assert "to fetch" in run("status")
    assert "All files are here" in run("status", "--mode", "lipsync")


def test_damage_is_told_and_repaired(small, tmp_path):
    run("pull", "--accept-licences")
    file = small.files_for(None, Profile.FP8)[0]
    blob = (tmp_path / "data" / "models" / file.folder / file.name).resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"\xa5")

    assert "damaged" in run("verify", code=5)
    assert "was removed" in run("verify", "--remove-damaged", code=5)
    run("pull")
    assert "damaged" not in run("verify")


def test_a_problem_is_one_sentence_and_the_status_of_an_installation(small, hub):
    hub.gated |= {repo for repo, _ in hub.files}

    output = run("pull", "--accept-licences", code=5)

    assert "accept them, and set HF_TOKEN" in output
    assert "Traceback" not in output


def test_damage_that_is_not_ours_to_remove_is_told_with_its_place(small, tmp_path, monkeypatch):
    run("pull", "--accept-licences")
    own, *others = small.files_for(None, Profile.FP8)
    (tmp_path / "hub").rename(tmp_path / "preloaded")
    monkeypatch.setenv("CLAPPER_HUB_PRELOADED", str(tmp_path / "preloaded"))
    run("pull")
    links = [tmp_path / "data" / "models" / file.folder / file.name for file in (own, others[0])]
    broken = [link.read_bytes()[:-1] + b"\xa5" for link in links]
    links[0].unlink()
    for link, content in zip(links, broken, strict=True):
        link.write_bytes(content)  # the second through its link, into the preloaded cache

    output = run("verify", "--remove-damaged", code=5)

    assert f"{links[0]} lies in the models folder" in output
    assert "unset CLAPPER_HUB_PRELOADED" in output
    assert "was removed" not in output
    assert all(link.exists() for link in links)


def test_terms_that_cannot_be_written_down_name_the_setting(small, tmp_path):
    (tmp_path / "data").write_text("in the way")

    output = run("pull", "--accept-licences", code=5)

    assert "CLAPPER_DATA_DIR" in output
    assert "Traceback" not in output


def test_what_the_system_refuses_to_remove_is_named(small, monkeypatch):
    run("pull", "--profile", "bf16", "--accept-licences")

    def refuse(path, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "unlink", refuse)

    output = run("prune", "--profile", "fp8", "--yes", code=5)

    assert "cannot be removed: Permission denied" in output
