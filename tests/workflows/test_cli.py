"""``clapper workflow``, as somebody at a terminal sees it."""

import json
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner, Result

from core.cli.exit_codes import ExitStatus
from core.cli.workflow import APP
from core.domain.modes import Mode
from core.errors import ClapperError
from core.i18n.messages import languages, sentences
from core.workflow import errors

if TYPE_CHECKING:
    from tests.workflows.conftest import Export

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, ClapperError)
    and kind.__module__ == errors.__name__
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLAPPER_WORKFLOWS_DIR", str(tmp_path / "custom"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "custom"


def run(*words: str) -> Result:
    return CliRunner().invoke(APP, words)


def saved(folder: Path, nodes: object) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.parent / "export.json"
    path.write_text(json.dumps(nodes), "utf-8")
    return str(path)


def test_an_adopted_export_is_shown_kept_listed_and_forgotten(
    folder: Path, export: "Export"
) -> None:
    adopted = run("adopt", saved(folder, export(Mode.I2V)), "--mode", "i2v")

    assert adopted.exit_code == 0, adopted.output
    assert "149 Load Image1" in adopted.output
    assert "ComfyUI-VideoHelperSuite" not in adopted.output
    assert "rgthree-comfy" in adopted.output
    assert (folder / "i2v.json").is_file()
    assert "your own" in run("list").output
    assert run("check").exit_code == 0
    assert run("remove", "i2v").exit_code == 0
    assert "your own" not in run("list").output


def test_a_dry_run_keeps_nothing(folder: Path, export: "Export") -> None:
    path = saved(folder, export(Mode.T2V))

    assert run("adopt", path, "--mode", "t2v", "--dry-run").exit_code == 0
    assert not (folder / "t2v.json").exists()


def test_the_editors_format_is_answered_with_how_to_export(folder: Path) -> None:
    result = run("adopt", saved(folder, {"nodes": [], "links": []}), "--mode", "t2v")

    assert result.exit_code == ExitStatus.SETUP
    assert "Export (API)" in result.output


def test_a_refusal_says_what_is_missing(folder: Path, export: "Export") -> None:
    result = run("adopt", saved(folder, export(Mode.T2V)), "--mode", "i2v")

    assert result.exit_code == ExitStatus.SETUP
    assert "loads an image" in result.output
    assert "adopt it for another mode" in result.output
    assert not (folder / "i2v.json").exists()


def test_check_finds_a_workflow_that_was_changed_by_hand(folder: Path, export: "Export") -> None:
    run("adopt", saved(folder, export(Mode.T2V)), "--mode", "t2v")
    kept = json.loads((folder / "t2v.json").read_text("utf-8"))
    del kept["noise"]
    (folder / "t2v.json").write_text(json.dumps(kept), "utf-8")

    assert run("check").exit_code == ExitStatus.SETUP


def test_the_schema_is_drawn_from_object_info(folder: Path) -> None:
    target = folder.parent / "nodes.json"
    spec = {
        "input": {"required": {"noise_seed": ["INT", {}]}},
        "output": ["NOISE"],
        "output_node": False,
    }
    info = saved(folder, {"RandomNoise": spec})

    result = run("schema", "--info", info, "--version", "0.27.0", "--target", str(target))

    assert result.exit_code == 0, result.output
    assert json.loads(target.read_text("utf-8"))["nodes"]


@pytest.mark.parametrize("nodes", [{}, [], "text", {"nodes": []}])
def test_what_is_no_object_info_leaves_the_schema_alone(folder: Path, nodes: object) -> None:
    target = folder.parent / "nodes.json"

    result = run(
        "schema", "--info", saved(folder, nodes), "--version", "1", "--target", str(target)
    )

    assert result.exit_code == ExitStatus.SETUP
    assert "/object_info" in result.output
    assert not target.exists()


@pytest.mark.parametrize("text", ["xx[", "x = 5", "output = 5\nvalues = 5\nstages = 5"])
def test_bindings_changed_by_hand_are_told_and_can_be_forgotten(
    folder: Path, export: "Export", text: str
) -> None:
    run("adopt", saved(folder, export(Mode.T2V)), "--mode", "t2v")
    (folder / "t2v.bindings.toml").write_text(text, "utf-8")

    checked = run("check")

    assert checked.exit_code == ExitStatus.SETUP
    assert "clapper workflow remove" in checked.output
    assert run("remove", "t2v").exit_code == 0
    assert run("check").exit_code == 0


def test_a_folder_that_cannot_be_written_is_named_with_its_setting(
    folder: Path, export: "Export"
) -> None:
    path = saved(folder, export(Mode.T2V))
    folder.rmdir()
    folder.write_text("in the way")

    result = run("adopt", path, "--mode", "t2v")

    assert result.exit_code == ExitStatus.SETUP
    assert "CLAPPER_WORKFLOWS_DIR" in result.output


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_problem_has_a_sentence_with_its_own_fields(
    kind: type[ClapperError], language: str
) -> None:
    known = {item.name for item in fields(kind)}  # pyright: ignore[reportArgumentType]  # errors are dataclasses
    used = {name for _, name, _, _ in Formatter().parse(sentences(language)[kind.code]) if name}

    assert used <= known


def test_the_files_of_a_graph_are_listed_found_or_missing(
    folder: Path, export: "Export", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAPPER_MODELS_DIR", str(tmp_path / "models"))
    upscaler = tmp_path / "models" / "latent_upscale_models" / "up-x2.safetensors"
    upscaler.parent.mkdir(parents=True)
    save_file({"x": np.zeros(1, np.float32)}, upscaler)

    adopted = run("adopt", saved(folder, export(Mode.I2V)), "--mode", "i2v")

    lines = [line.split("│") for line in adopted.output.splitlines()]
    rows = [[cell.strip() for cell in cells[1:4]] for cells in lines if len(cells) == 5]
    told = {file: (place, state) for file, place, state in rows}
    assert told["up-x2.safetensors"] == ("latent_upscale_models", "found")
    assert told["te.safetensors"] == ("text_encoders", "missing")
    assert "workflow try" in adopted.output
    checked = run("check").output
    assert "model.gguf is not in" in checked
    assert "up-x2.safetensors is not in" not in checked
    upscaler.write_bytes(b"<html>")
    assert "up-x2.safetensors in" in run("check").output
    assert "is damaged" in run("check").output


def test_of_several_savers_one_is_named(folder: Path, export: "Export") -> None:
    nodes = export(Mode.T2V)
    sampler = {**nodes["sampler1"], "_meta": {"title": "again"}}
    look = {"class_type": "VAEDecode", "inputs": {"samples": ["again", 0], "vae": ["174", 0]}}
    saver = {"class_type": "SaveWEBM", "inputs": {"images": ["look", 0]}}
    path = saved(folder, {**nodes, "again": sampler, "look": look, "side": saver})

    refused = run("adopt", path, "--mode", "t2v")
    taken = run("adopt", path, "--mode", "t2v", "--output", "188")

    assert refused.exit_code == ExitStatus.SETUP
    assert "--output NODE" in " ".join(refused.output.split())
    assert taken.exit_code == 0, taken.output


def test_an_editors_file_without_a_comfyui_is_refused_with_both_ways_out(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAPPER_COMFYUI_DIR", str(tmp_path / "nowhere"))
    path = saved(folder, {"nodes": [], "links": [], "version": 0.4})

    refused = run("adopt", path, "--mode", "t2v")

    assert refused.exit_code == ExitStatus.SETUP
    text = " ".join(refused.output.split())
    assert "clapper comfy install" in text
    assert "Export (API)" in text
