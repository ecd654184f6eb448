"""``clapper comfy`` as it is typed, against a local repository."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import comfy
from core.comfy.install.pins import Pin, Pins

RUNNER = CliRunner()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pins: Pins) -> Path:
    monkeypatch.setenv("CLAPPER_COMFYUI_DIR", str(tmp_path / "checkout"))
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(comfy, "load_pins", lambda: pins)
    return tmp_path


def typed(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(comfy.APP, list(arguments))
    return result.exit_code, result.output


def test_install_says_what_it_does_and_what_comes_next(here: Path) -> None:
    code, text = typed("install", "--no-packages")

    assert code == 0
    assert "ComfyUI" in text
    assert "done" in text
    assert re.search("Next: (clapper|CLAPPER_EXECUTOR=comfy)", text)  # the latter beside torch
    assert (here / "checkout" / "comfyui_version.py").is_file()


def test_install_again_says_that_it_is_there(here: Path) -> None:
    typed("install", "--no-packages")

    _, text = typed("install", "--no-packages")

    assert "already there" in text


def test_status_names_everything_missing_with_its_command(here: Path) -> None:
    code, text = typed("status", "--json")

    found = json.loads(text)
    assert code == 5
    assert found["version"] is None
    assert found["packs"] == {"a-pack": "not installed"}
    assert {"what": "ComfyUI 0.27.0", "command": "clapper comfy install"} in found["missing"]
    commands = {gap["what"]: gap["command"] for gap in found["missing"]}
    assert any(command.startswith("clapper models pull") for command in commands.values())


def test_status_shows_the_commit_beside_its_pin(here: Path, pins: Pins) -> None:
    typed("install", "--no-packages", "--packs")

    _, text = typed("status", "--json")

    found = json.loads(text)
    assert found["commit"] == pins.comfyui.commit
    assert found["packs"]["a-pack"].startswith("at its pin")


def test_update_follows_a_moved_pin_also_for_packs_that_are_there(
    here: Path,
    pins: Pins,
    pin: Callable[..., Pin],
    commit: Callable[[Path, str], str],
    upstream: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    typed("install", "--no-packages", "--packs")
    newer = commit(upstream, "0.28.0")
    moved = replace(pins, comfyui=pin(newer), packs=(pin(newer, "a-pack"),))
    monkeypatch.setattr(comfy, "load_pins", lambda: moved)

    code, _ = typed("update", "--no-packages")

    assert code == 0
    assert "0.28.0" in (here / "checkout" / "comfyui_version.py").read_text()
    assert "0.28.0" in (here / "packs" / "a-pack" / "comfyui_version.py").read_text()


def test_no_network_is_a_sentence_and_not_a_traceback(
    here: Path, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = replace(pins.comfyui, repository=(here / "nowhere").as_uri())
    monkeypatch.setattr(comfy, "load_pins", lambda: replace(pins, comfyui=nowhere))

    code, text = typed("install", "--no-packages")

    assert code == 5
    assert "Traceback" not in text
    assert "Check the network" in text
    assert "what is already here is kept" in text


def test_status_shows_what_was_changed_and_what_is_not_pinned_any_more(
    here: Path, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("install", "--no-packages", "--packs")
    (here / "checkout" / "comfyui_version.py").write_text('__version__ = "0.27.0"  # mine')
    (here / "packs" / "of-my-own").mkdir()
    monkeypatch.setattr(comfy, "load_pins", lambda: replace(pins, packs=()))

    code, text = typed("status", "--json")

    found = json.loads(text)
    assert code == 5
    assert found["changed"] == 1
    assert found["missing"][0] == {
        "what": "files changed or missing: 1",
        "command": "clapper comfy install",
    }
    assert found["packs"] == {"a-pack": "not pinned any more; delete its folder"}


def test_install_says_where_it_keeps_an_edit(here: Path) -> None:
    typed("install", "--no-packages")
    (here / "checkout" / "comfyui_version.py").write_text("mine")

    code, text = typed("install", "--no-packages")

    assert code == 0
    assert str(here / "checkout-edits-1.patch") in text.replace("\n", "")


def test_an_edit_that_was_kept_is_never_written_over(here: Path) -> None:
    typed("install", "--no-packages")
    kept = here / "checkout-edits-2.patch"  # the first was applied and deleted
    kept.write_text("an older edit")
    for text in ("mine", "mine again"):
        (here / "checkout" / "comfyui_version.py").write_text(text)
        typed("install", "--no-packages")

    assert kept.read_text() == "an older edit"
    assert len(list(here.glob("checkout-edits-*.patch"))) == 3
