"""Exports that could be read in two ways: told apart by a title, or refused with what there is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from core.cli.exit_codes import ExitStatus
from core.cli.workflow import APP
from core.domain.modes import MODES, Mode
from core.i18n.messages import explain
from core.models.catalog import Profile, names
from core.workflow.adopt import adopt
from core.workflow.bind import bind
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, parse
from core.workflow.guides import guides_of
from core.workflow.input_files import inputs_of
from core.workflow.prompt_phrases import prompt_text
from core.workflow.validation import defects
from tests.workflows.conftest import asked, filled
from tests.workflows.disguise import disguised

if TYPE_CHECKING:
    from tests.workflows.conftest import Export

# a film goes on by a graph of its own alone
ADOPTABLE = [mode for mode in Mode if not MODES[mode].continues]


def graph_of(nodes: dict[str, Any]) -> Graph:
    return parse(json.dumps(nodes), "export.json")


def node(kind: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": title}}


@pytest.mark.parametrize("mode", ADOPTABLE)
def test_odd_ids_empty_titles_and_linked_numbers_are_seen_through(mode: Mode) -> None:
    workflow = adopt(graph_of(disguised(filled(asked(mode)).graph)), mode).workflow
    request = asked(mode, width=1280, height=704, frames=49, fps=30, seed=99, prompt="an owl")
    staged = {item.role: f"{item.role}.bin" for item in inputs_of(workflow, request)}

    bound = bind(workflow, request, names(Profile.FP8), staged, "job-1").graph

    assert defects(workflow) == []
    values = {
        (entry["class_type"], name, value)
        for entry in bound.values()
        for name, value in entry["inputs"].items()
        if not isinstance(value, list)
    }
    canvas = 768 if guides_of(mode).clip_shrink else 704  # whole latents at a quarter
    assert values >= {
        ("EmptyLTXVLatentVideo", "width", 640),
        ("EmptyLTXVLatentVideo", "height", canvas // 2),
        ("EmptyLTXVLatentVideo", "length", 49),
        ("LTXVConditioning", "frame_rate", 30.0),
        ("CLIPTextEncode", "text", prompt_text("an owl", mode, {})),
    }
    files = {value for _, _, value in values if str(value).endswith(".bin")}
    assert files == set(staged.values())


def combined(export: "Export", *titles: str) -> dict[str, Any]:
    nodes = export(Mode.T2V)
    for number, title in enumerate(titles):
        nodes[f"text{number}"] = node("CLIPTextEncode", title, text="x", clip=["146", 0])
    nodes["both"] = node(
        "ConditioningCombine", conditioning_1=["text0", 0], conditioning_2=["text1", 0]
    )
    nodes["cond"]["inputs"]["positive"] = ["both", 0]
    return nodes


def test_of_two_texts_together_the_one_called_prompt_is_filled(export: "Export") -> None:
    found = adopt(graph_of(combined(export, "my style", "The Prompt!")), Mode.T2V)

    rows = [row for row in found.findings if row.binding.value == "prompt"]
    assert [(row.binding.node, row.how) for row in rows] == [("text1", "by_title")]
    assert found.workflow.graph.to_prompt()["text0"]["inputs"]["text"] == "x"


@pytest.mark.parametrize(
    "titles",
    [("style", "subject"), ("prompt 1", "prompt 2"), ("style", "CLIP Text Encode (Prompt)")],
)
def test_two_texts_that_nothing_tells_apart_are_refused_by_name(
    export: "Export", titles: tuple[str, str]
) -> None:
    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(combined(export, *titles)), Mode.T2V)

    assert caught.value.reason == "several_prompts"
    for title in titles:
        assert title in explain(caught.value)


def test_a_text_for_each_stage_gets_the_prompt_and_is_told(export: "Export") -> None:
    nodes = export(Mode.T2V)
    nodes["later"] = node("CLIPTextEncode", "detail", text="sharp", clip=["146", 0])
    nodes["guider2"]["inputs"]["positive"] = ["later", 0]

    found = adopt(graph_of(nodes), Mode.T2V)

    filled_in = {row.binding.node for row in found.findings if row.binding.value == "prompt"}
    assert filled_in == {"5536", "later"}
    (told,) = [notice for notice in found.notices if notice.code == "adopt_prompts"]
    assert "later detail" in str(told.data["nodes"])


def test_a_preview_of_stage_1_does_not_confuse(export: "Export") -> None:
    nodes = export(Mode.T2V)
    nodes["look"] = node("VAEDecode", samples=["crop", 2], vae=["174", 0])
    nodes["early"] = node("VHS_VideoCombine", "preview", images=["look", 0], frame_rate=24)

    graph = adopt(graph_of(nodes), Mode.T2V).workflow.graph

    assert graph.to_prompt()["clapper_output"]["inputs"]["images"] == ["217", 0]
    assert "look" not in graph.nodes


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_only_shown_is_not_the_clip_where_another_one_is_kept(
    export: "Export", *, kept: bool
) -> None:
    nodes = export(Mode.T2V)
    nodes["188"]["inputs"]["save_output"] = kept
    nodes["beside"] = node("ImageScaleBy", image=["217", 0], upscale_method="area", scale_by=2.0)
    nodes["shown"] = node("VHS_VideoCombine", "compare", images=["beside", 0], audio=["218", 0],
                          frame_rate=24, save_output=False)  # fmt: skip

    graph = adopt(graph_of(nodes), Mode.T2V).workflow.graph

    assert ("beside" in graph.nodes) is not kept  # where nothing is kept the last one is the clip


def twice(export: "Export") -> dict[str, Any]:
    nodes = export(Mode.T2V)
    nodes["sampler9"] = node("SamplerCustomAdvanced", **nodes["sampler1"]["inputs"])
    nodes["look"] = node("VAEDecode", samples=["sampler9", 0], vae=["174", 0])
    nodes["other"] = node("VHS_VideoCombine", "[B] side", images=["look", 0], frame_rate=24)
    return nodes


def test_two_videos_made_apart_from_each_other_are_refused_by_name(export: "Export") -> None:
    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(twice(export)), Mode.T2V)

    assert caught.value.reason == "several_savers"
    assert "188 Video Combine, other [B] side" in explain(caught.value)


def test_a_refusal_comes_with_a_table_of_what_the_graph_has(
    export: "Export", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "export.json"
    path.write_text(json.dumps(twice(export)), "utf-8")

    result = CliRunner().invoke(APP, ["adopt", str(path), "--mode", "t2v"])

    assert result.exit_code == ExitStatus.SETUP
    for row in ("other [B] side", "188 Video Combine", "sampler9", "5536 positive", "149 Load"):
        assert row in result.output
    assert "Delete all but the one that saves the clip" in result.output
