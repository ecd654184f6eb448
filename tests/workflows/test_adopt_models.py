"""A graph of another model is refused by its true cause, or its owner is told."""

from typing import TYPE_CHECKING

import pytest

from core.domain.modes import Mode
from core.workflow.adopt import adopt
from core.workflow.errors import EditorFormat, ModelTooNew, NotAWorkflow
from core.workflow.graph import parse
from tests.workflows.test_adopt_reach import codes, graph_of, node, prompt_of, refusal

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Export

LATER = ("ltx-2.4-dev.gguf", "folder\\LTX_2.5_distilled.safetensors", "ltx-3-40b.safetensors")


@pytest.mark.parametrize("file", LATER)
def test_a_model_that_came_later_is_refused_by_its_file(export: "Export", file: str) -> None:
    nodes = export(Mode.T2V)
    nodes["366"]["inputs"]["unet_name"] = file

    with pytest.raises(ModelTooNew) as caught:
        adopt(graph_of(nodes), Mode.T2V)

    assert caught.value.file == file.rpartition("\\")[2]
    assert caught.value.family == "LTX-2.3"


def test_a_later_model_is_refused_for_every_mode_before_anything_else(export: "Export") -> None:
    nodes = export(Mode.I2V)
    nodes["366"]["inputs"]["unet_name"] = LATER[0]

    with pytest.raises(ModelTooNew):
        adopt(graph_of(nodes), Mode.LIPSYNC)  # it has no sound that is heard, either


def test_a_newer_comfyui_runs_a_later_model_and_its_owner_is_told(export: "Export") -> None:
    nodes = export(Mode.T2V)
    nodes["366"]["inputs"]["unet_name"] = LATER[1]

    assert "adopt_other_model" in codes(adopt(graph_of(nodes), Mode.T2V, newer=True))


def test_a_later_model_that_the_clip_does_not_need_is_no_reason_to_refuse(
    export: "Export",
) -> None:
    nodes = export(Mode.T2V)
    nodes["spare"] = node("UnetLoaderGGUF", unet_name=LATER[1])

    adopt(graph_of(nodes), Mode.T2V)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("ltx-2-19b-dev.safetensors", True),
        ("wan2.2_t2v_high_noise_14B.safetensors", True),
        ("ltx-2.3-22b-dev.safetensors", False),
        ("model.gguf", False),
    ],
)
def test_a_model_of_another_family_is_told(export: "Export", file: str, *, told: bool) -> None:
    nodes = export(Mode.T2V)
    nodes["366"]["inputs"]["unet_name"] = file

    assert ("adopt_other_model" in codes(adopt(graph_of(nodes), Mode.T2V))) is told


def test_a_graph_whose_sampler_cannot_be_followed_is_refused_by_that(export: "Export") -> None:
    nodes = export(Mode.T2V)
    for key in ("sampler1", "sampler2"):
        nodes[key] = node("SomebodysSampler", text=nodes[f"guider{key[-1]}"]["inputs"]["positive"])

    assert refusal(nodes, Mode.T2V) == "no_sampler"


def test_words_of_a_sampler_are_no_prompt(export: "Export", ask: "Ask") -> None:
    """One that begins a film takes frames as words, and hands conditionings on to the next."""
    nodes = export(Mode.T2V)
    first = nodes["guider1"]["inputs"]
    nodes["begun"] = node(
        "LTXVBaseSampler", model=["700", 0], vae=["174", 0], guider=["guider1", 0],
        sampler=["euler", 0], sigmas=["sigmas1", 0], noise=["noise", 0], width=768, height=512,
        num_frames=["5387", 0], optional_cond_indices="0", strength=0.9, crop="disabled", crf=35,
        blur=0,
    )  # fmt: skip
    assert first["positive"] == ["cond", 0]
    nodes["guider2"]["inputs"] |= {"positive": ["begun", 1], "negative": ["begun", 2]}

    found = adopt(graph_of(nodes), Mode.T2V)

    graph = prompt_of(found, ask, negative_prompt="rain")
    assert graph["begun"]["inputs"]["optional_cond_indices"] == "0"
    assert graph["5537"]["inputs"]["text"] == "rain"


@pytest.mark.parametrize(
    "remarks",
    [
        {"_meta": {"title": "mine"}},
        {"_comment": "read me", "comment_stage2": "=== then twice the size ==="},
        {"//": "made by hand"},
    ],
)
def test_notes_beside_the_nodes_are_no_reason_to_refuse(
    export: "Export", remarks: dict[str, object]
) -> None:
    nodes = export(Mode.T2V)

    assert graph_of({**remarks, **nodes}) == graph_of(nodes)


@pytest.mark.parametrize("odd", [{"7": {"inputs": {}}}, {"_7": 5}, {"7": ["a", 0]}])
def test_what_is_neither_a_node_nor_a_note_is_refused(
    export: "Export", odd: dict[str, object]
) -> None:
    with pytest.raises(NotAWorkflow) as caught:
        graph_of({**export(Mode.T2V), **odd})

    assert caught.value.reason == "not_a_graph"


def test_an_editor_file_is_still_known_as_one() -> None:
    with pytest.raises(EditorFormat):
        parse('{"nodes": [], "links": [], "version": 0.4}', "mine.json")
