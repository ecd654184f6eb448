"""Every control of an adopted graph reaches the clip, or the adoption says no."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from core.domain.modes import Mode
from core.models.catalog import Profile, names
from core.workflow.adopt import Adoption, adopt
from core.workflow.bind import bind
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, parse
from core.workflow.input_files import inputs_of

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Export

Nodes = dict[str, Any]


def graph_of(nodes: Nodes) -> Graph:
    return parse(json.dumps(nodes), "export.json")


def node(kind: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    plain = {name.replace("__", "."): value for name, value in inputs.items()}
    return {"class_type": kind, "inputs": plain, "_meta": {"title": title}}


def prompt_of(found: Adoption, ask: "Ask", **sampling: Any) -> Nodes:
    workflow = found.workflow
    request = ask(workflow.mode, **sampling)
    staged = {item.role: f"{item.role}.bin" for item in inputs_of(workflow, request)}
    return bind(workflow, request, names(Profile.FP8), staged, "job-1").graph


def codes(found: Adoption) -> list[str]:
    return [notice.code for notice in found.notices]


def refusal(nodes: Nodes, mode: Mode) -> str:
    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(nodes), mode)
    return caught.value.reason


def pictures(nodes: Nodes) -> list[dict[str, Any]]:
    return [one["inputs"] for one in nodes.values() if one["class_type"] == "LTXVImgToVideoInplace"]


def switched(nodes: Nodes, value: object) -> Nodes:
    """Wire the bypass of every picture to one switch, which stands at ``value``."""
    nodes["choice"] = node("PrimitiveBoolean", "Switch to text only?", value=value)
    for inputs in pictures(nodes):
        inputs["bypass"] = ["choice", 0]
    return nodes


def test_a_picture_that_a_switch_bypasses_is_switched_on_and_told(export: "Export") -> None:
    found = adopt(graph_of(switched(export(Mode.I2V), value=True)), Mode.I2V)

    graph = found.workflow.graph.to_prompt()
    assert graph["choice"]["inputs"]["value"] is False
    (told,) = [notice for notice in found.notices if notice.code == "adopt_switched"]
    assert told.data == {"node": "choice", "title": "Switch to text only?", "value": "false"}


def test_a_picture_that_every_node_bypasses_itself_is_switched_on(export: "Export") -> None:
    nodes = export(Mode.I2V)
    for inputs in pictures(nodes):
        inputs["bypass"] = True

    found = adopt(graph_of(nodes), Mode.I2V)

    kept = pictures(found.workflow.graph.to_prompt())
    assert kept
    assert all(inputs["bypass"] is False for inputs in kept)
    assert "adopt_switched" in codes(found)


@pytest.mark.parametrize("value", [True, False])
def test_a_graph_made_for_both_serves_text_alone_without_the_picture(
    export: "Export", ask: "Ask", *, value: bool
) -> None:
    found = adopt(graph_of(switched(export(Mode.I2V), value=value)), Mode.T2V)

    kinds = {one["class_type"] for one in prompt_of(found, ask).values()}
    assert not kinds & {"LoadImage", "LTXVImgToVideoInplace"}
    assert ("adopt_switched" in codes(found)) is not value


def test_a_switch_may_stand_behind_logic_and_arithmetic(export: "Export") -> None:
    nodes = switched(export(Mode.I2V), value=["not", 0])
    nodes["choice"] = node("ComfyNotNode", value=["long", 2])
    nodes["long"] = node("ComfyMathExpression", expression="a > 10", values__a=["many", 0])
    nodes["many"] = node("PrimitiveInt", value=3)  # not long: bypassed

    found = adopt(graph_of(nodes), Mode.T2V)

    assert "LoadImage" not in {one.kind for one in found.workflow.graph.nodes.values()}
    assert refusal(nodes, Mode.I2V)


@pytest.mark.parametrize(
    ("kind", "control", "inputs"),
    [
        ("ComfySwitchNode", "switch", ("on_true", "on_false")),
        ("LazySwitchKJ", "switch", ("on_true", "on_false")),
        ("ImpactConditionalBranch", "cond", ("tt_value", "ff_value")),
        ("Somebody's if", "boolean", ("if_true", "if_false")),
    ],
)
@pytest.mark.parametrize("stands", [True, False])
def test_the_branch_that_a_switch_does_not_take_is_not_there(
    export: "Export", kind: str, control: str, inputs: tuple[str, str], *, stands: bool
) -> None:
    nodes = export(Mode.T2V)
    nodes["other"] = node("VAEEncode", pixels=["149", 0], vae=["174", 0])
    sides = (["other", 0], ["latent", 0]) if not stands else (["latent", 0], ["other", 0])
    nodes["either"] = node(kind, **{control: stands}, **dict(zip(inputs, sides, strict=True)))
    nodes["both1"]["inputs"]["video_latent"] = ["either", 0]

    graph = adopt(graph_of(nodes), Mode.T2V).workflow.graph

    assert "other" not in graph.nodes
    assert graph.to_prompt()["both1"]["inputs"]["video_latent"] == ["latent", 0]


def test_a_numbered_switch_gives_the_input_of_its_number(export: "Export") -> None:
    nodes = export(Mode.T2V)
    nodes["other"] = node("VAEEncode", pixels=["149", 0], vae=["174", 0])
    nodes["either"] = node(
        "ImpactSwitch", select=2, sel_mode=False, input1=["other", 0], input2=["latent", 0]
    )
    nodes["both1"]["inputs"]["video_latent"] = ["either", 0]

    graph = adopt(graph_of(nodes), Mode.T2V).workflow.graph

    assert "149" not in graph.nodes


def test_a_picture_behind_a_switch_is_chosen_for_a_mode_that_has_one(export: "Export") -> None:
    nodes = export(Mode.I2V)
    first = next(one for one in pictures(nodes) if one["latent"] == ["latent", 0])
    nodes["held"] = node("LTXVImgToVideoInplace", **first)
    for key, one in list(nodes.items()):
        if one["class_type"] == "LTXVImgToVideoInplace" and key != "held":
            nodes[key] = node("ComfySwitchNode", "use the picture", switch=["use", 0],
                              on_true=["held", 0], on_false=one["inputs"]["latent"])  # fmt: skip
    nodes["use"] = node("PrimitiveBoolean", "picture?", value=False)

    found = adopt(graph_of(nodes), Mode.I2V)

    assert [n.data["title"] for n in found.notices if n.code == "adopt_switched"] == ["picture?"]
    assert "149" in found.workflow.graph.nodes


def test_a_picture_of_which_only_the_size_is_read_is_refused(export: "Export") -> None:
    nodes = export(Mode.T2V)
    nodes["seen"] = node("GetImageSize", image=["149", 0])
    nodes["wide"] = node("ImageScale", image=["frames", 0], upscale_method="area",
                         width=["seen", 0], height=["seen", 1], crop="center")  # fmt: skip
    nodes["217"]["inputs"] = {"any_01": ["wide", 0]}

    assert refusal(nodes, Mode.I2V) == "file_unreached"


@pytest.mark.parametrize("mode", [Mode.I2V, Mode.LIPSYNC])
def test_a_picture_taken_with_strength_0_is_refused(export: "Export", mode: Mode) -> None:
    nodes = export(mode)
    for inputs in pictures(nodes):
        inputs["strength"] = 0

    assert refusal(nodes, mode) == "file_unreached"


def test_guides_of_strength_0_are_refused(export: "Export") -> None:
    nodes = export(Mode.KEYFRAME)
    for one in nodes.values():
        if one["class_type"] == "LTXVAddGuideMulti":
            one["inputs"]["num_guides.strength_2"] = 0

    assert refusal(nodes, Mode.KEYFRAME) == "file_unreached"


def test_a_prompt_that_is_zeroed_is_no_prompt(export: "Export") -> None:
    nodes = export(Mode.T2V)
    nodes["zero"] = node("ConditioningZeroOut", conditioning=["5536", 0])
    nodes["cond"]["inputs"]["positive"] = ["zero", 0]

    assert refusal(nodes, Mode.T2V) == "no_prompt"


def test_a_prompt_at_cfg_0_is_refused(export: "Export") -> None:
    nodes = export(Mode.T2V)
    for one in nodes.values():
        if one["class_type"] == "CFGGuider":
            one["inputs"]["cfg"] = 0

    assert refusal(nodes, Mode.T2V) == "prompt_unreached"


@pytest.mark.parametrize(("cfg", "idle"), [(1, True), (3, False)])
def test_a_negative_prompt_that_does_nothing_is_told(
    export: "Export", cfg: int, *, idle: bool
) -> None:
    nodes = export(Mode.T2V)
    for one in nodes.values():
        if one["class_type"] == "CFGGuider":
            one["inputs"]["cfg"] = cfg

    assert ("adopt_negative_idle" in codes(adopt(graph_of(nodes), Mode.T2V))) is idle


def test_times_that_are_typed_move_the_pictures_of_a_foreign_graph(
    export: "Export", ask: "Ask"
) -> None:
    found = adopt(graph_of(export(Mode.KEYFRAME)), Mode.KEYFRAME)

    plain, moved = prompt_of(found, ask), prompt_of(found, ask, times="1, 4")

    for stage in ("guides1", "guides2"):
        at = [[graph[stage]["inputs"][f"num_guides.frame_idx_{n}"] for n in (1, 2)]
              for graph in (plain, moved)]  # fmt: skip
        assert at == [[0, -1], [24, 96]]
