"""Group nodes of older editors become the nodes that they stand for.

The expected values are what ComfyUI's own editor exported for files of this shape (1.16 and 1.23).
"""

import json
from typing import Any

import pytest

from core.workflow.editor import convert
from core.workflow.errors import EditorGroupBroken

INPUTS: dict[str, dict[str, Any]] = {
    "Load": {"image": [["a.png"], {"image_upload": True}]},
    "Text": {"text": ["STRING", {}], "clip": ["CLIP", {}]},
    "Sample": {
        "latent": ["LATENT", {}],
        "positive": ["COND", {}],
        "seed": ["INT", {"control_after_generate": True}],
        "steps": ["INT", {}],
        "sampler": [["euler", "heun"], {}],
    },
    "Empty": {"width": ["INT", {}]},
    "Clip": {"name": [["c"], {}]},
    "Save": {"latent": ["LATENT", {}], "prefix": ["STRING", {}]},
    "Wide": {f"w{number}": ["INT", {}] for number in range(12)},
}
CLASSES: dict[str, dict[str, Any]] = {
    kind: {"input": {"required": required}, "output_node": kind == "Save"}
    for kind, required in INPUTS.items()
}


def socket(name: str, link: int | None = None, kind: str = "*", *, widget: bool = False) -> Any:
    made = {"name": name, "type": kind, "link": link}
    return {**made, "widget": {"name": name}} if widget else made


def entry(key: int, kind: str, values: object = None, *inputs: Any, **more: Any) -> Any:
    made = {"id": key, "type": kind, "mode": 0, "inputs": list(inputs), "outputs": [{"type": "*"}]}
    return made | more if values is None else {**made, "widgets_values": values, **more}


TEXT = entry(-1, "Text", ["inner"], socket("clip"))
SAMPLE = entry(-1, "Sample", [5, "fixed", 20, "euler"], socket("latent"), socket("positive"))
PAIR = {"nodes": [TEXT, SAMPLE], "links": [[0, 0, 1, 1, 7, "COND"]], "external": []}
AROUND = [entry(1, "Empty", [64]), entry(2, "Clip", ["c"])]
WIRED = (socket("clip", 2), socket("latent", 1))
LINKS = [[1, 1, 0, 3, 1, "*"], [2, 2, 0, 3, 0, "*"], [3, 3, 0, 4, 0, "*"]]
SAVE = entry(4, "Save", ["x"], socket("latent", 3))


def converted(
    group: Any, node: Any, *more: Any, links: Any = (), name: str = "Pair", **others: Any
) -> dict[str, Any]:
    drawn = {
        "nodes": [*AROUND, node, SAVE, *more],
        "links": [*LINKS, *links],
        "extra": {"groupNodes": {name: group, **others}},
    }
    return convert(json.dumps(drawn), "mine.json", CLASSES).to_prompt()


def inputs(graph: dict[str, Any], key: str) -> dict[str, Any]:
    return graph[key]["inputs"]


@pytest.mark.parametrize("kind", ["workflow>Pair", "workflow/Pair"])
def test_a_group_becomes_its_nodes_with_what_is_typed_into_the_group(kind: str) -> None:
    node = entry(3, kind, ["outer", 77, "randomize", 9, "heun"], *WIRED)

    graph = converted(PAIR, node)

    assert graph.keys() == {"1", "2", "3:0", "3:1", "4"}
    assert inputs(graph, "3:0") == {"text": "outer", "clip": ["2", 0]}
    assert inputs(graph, "3:1") == {
        "latent": ["1", 0], "positive": ["3:0", 0], "seed": 77, "steps": 9, "sampler": "heun"
    }  # fmt: skip
    assert inputs(graph, "4")["latent"] == ["3:1", 0]


def test_what_a_group_does_not_say_stays_as_its_nodes_have_it() -> None:
    graph = converted(PAIR, entry(3, "workflow>Pair", ["outer"], *WIRED))

    assert inputs(graph, "3:0")["text"] == "outer"
    assert (inputs(graph, "3:1")["seed"], inputs(graph, "3:1")["steps"]) == (5, 20)


def test_hidden_widgets_have_values_and_hidden_inputs_no_place() -> None:
    config = {"0": {"input": {"text": {"visible": False}, "clip": {"visible": False}}}}
    node = entry(3, "workflow>Pair", ["outer", 77, "fixed", 9, "heun"], socket("latent", 1))
    # without the hidden one the latent is the first input
    links = [[1, 1, 0, 3, 0, "*"], LINKS[2]]
    text = json.dumps({"nodes": [*AROUND, node, SAVE], "links": links,
                       "extra": {"groupNodes": {"Pair": {**PAIR, "config": config}}}})  # fmt: skip

    graph = convert(text, "mine.json", CLASSES).to_prompt()

    assert inputs(graph, "3:0") == {"text": "outer"}
    assert inputs(graph, "3:1")["latent"] == ["1", 0]
    assert inputs(graph, "3:1")["seed"] == 77


@pytest.mark.parametrize(
    ("shown", "slot"),
    [([[0, 0, "COND"]], 1), ([], 0), ([[{"type": "Text"}, 0, "COND"]], 0)],
)
def test_an_output_that_is_used_inside_is_shown_only_where_somebody_outside_takes_it(
    shown: list[Any], slot: int
) -> None:
    node = entry(3, "workflow>Pair", [], *WIRED)
    group = {**PAIR, "external": shown}
    drawn = {"nodes": [*AROUND, node, SAVE], "links": [*LINKS[:2], [3, 3, slot, 4, 0, "*"]],
             "extra": {"groupNodes": {"Pair": group}}}  # fmt: skip

    graph = convert(json.dumps(drawn), "mine.json", CLASSES).to_prompt()

    assert inputs(graph, "4")["latent"] == ["3:1", 0]


def test_a_primitive_inside_is_a_widget_of_the_group() -> None:
    primitive = entry(-1, "PrimitiveNode", [1, "fixed"], title="Seed")
    sample = {**SAMPLE, "inputs": [*SAMPLE["inputs"], socket("seed", widget=True)]}
    group = {"nodes": [primitive, TEXT, sample],
             "links": [[0, 0, 2, 2, 9, "INT"], [1, 0, 2, 1, 7, "COND"]]}  # fmt: skip
    node = entry(3, "workflow>Pair", [4711, "increment", "outer", 9, "heun"], *WIRED)

    graph = converted(group, node)

    assert graph.keys() == {"1", "2", "3:1", "3:2", "4"}
    assert inputs(graph, "3:1")["text"] == "outer"
    assert (inputs(graph, "3:2")["seed"], inputs(graph, "3:2")["steps"]) == (4711, 9)


@pytest.mark.parametrize(("kind", "seed"), [("PrimitiveNode", 33), ("Empty", ["5", 0]), (None, 88)])
def test_a_widget_made_an_input_is_wired_or_typed_after_all_others(
    kind: str | None, seed: object
) -> None:
    sample = {**SAMPLE, "inputs": [*SAMPLE["inputs"], socket("seed", widget=True)]}
    group = {**PAIR, "nodes": [sample, TEXT], "links": [[1, 0, 0, 1, 7, "COND"]]}
    wired = socket("latent", 1), socket("clip", 2), socket("seed", 9 if kind else None, widget=True)
    node = entry(3, "workflow>Pair", [9, "heun", "outer", 88, "fixed"], *wired)
    more = [entry(5, kind, [33, "fixed"])] if kind else []
    links = [[1, 1, 0, 3, 0, "*"], [2, 2, 0, 3, 1, "*"], LINKS[2], [9, 5, 0, 3, 2, "INT"]]
    text = json.dumps({"nodes": [*AROUND, node, SAVE, *more], "links": links,
                       "extra": {"groupNodes": {"Pair": group}}})  # fmt: skip

    graph = convert(text, "mine.json", CLASSES).to_prompt()

    assert inputs(graph, "3:0")["seed"] == seed
    assert (inputs(graph, "3:0")["steps"], inputs(graph, "3:0")["sampler"]) == (9, "heun")
    assert inputs(graph, "3:1") == {"text": "outer", "clip": ["2", 0]}


def test_values_of_more_than_ten_inputs_are_in_the_editors_odd_order() -> None:
    # it sorts places as text: 10 and 11 come before 2
    sockets = [socket(f"w{number}", widget=True) for number in range(12)]
    group = {"nodes": [entry(-1, "Wide", list(range(12)), *sockets)], "links": []}
    order = [0, 1, 10, 11, *range(2, 10)]
    node = entry(3, "workflow>Wide", [100 + number for number in order])

    graph = converted(group, node, name="Wide")

    assert inputs(graph, "3:0") == {f"w{number}": 100 + number for number in range(12)}


def test_a_button_beside_a_widget_takes_its_value_too() -> None:
    group = {"nodes": [entry(-1, "Load", ["a.png", "image"]), TEXT], "links": []}
    node = entry(3, "workflow>Both", ["b.png", "image", "outer"], socket("clip", 2))

    graph = converted(group, node, name="Both")

    assert inputs(graph, "3:0")["image"] == "b.png"
    assert inputs(graph, "3:1")["text"] == "outer"


def test_a_reroute_inside_is_followed() -> None:
    reroute = entry(-1, "Reroute", None, socket(""))
    group = {"nodes": [reroute, TEXT, SAMPLE],
             "links": [[0, 0, 1, 0, 9, "CLIP"], [1, 0, 2, 1, 7, "COND"]]}  # fmt: skip

    graph = converted(group, entry(3, "workflow>Pair", ["outer"], *WIRED))

    assert inputs(graph, "3:1")["clip"] == ["2", 0]


def test_a_group_in_a_group_is_opened_too() -> None:
    inner = entry(-1, "workflow>Pair", ["kept", 1, "fixed", 2, "euler"],
                  socket("clip"), socket("latent"))  # fmt: skip
    outer = {"nodes": [inner, entry(-1, "Empty", [32])], "links": []}
    node = entry(3, "workflow>Outer", ["outer", 77, "fixed", 9, "heun", 48], *WIRED)

    graph = converted(outer, node, name="Outer", Pair=PAIR)

    assert inputs(graph, "3:0:0") == {"text": "outer", "clip": ["2", 0]}
    assert inputs(graph, "3:0:1")["seed"] == 77
    assert inputs(graph, "3:1") == {"width": 48}
    assert inputs(graph, "4")["latent"] == ["3:0:1", 0]


@pytest.mark.parametrize(("mode", "latent"), [(4, ["1", 0]), (2, None)])
@pytest.mark.parametrize("defined", [PAIR, None])
def test_a_group_is_bypassed_or_muted_as_a_whole(mode: int, latent: object, defined: Any) -> None:
    node = entry(3, "workflow>Pair", ["outer"], socket("latent", 1), mode=mode)
    drawn = {"nodes": [*AROUND, node, SAVE], "links": [[1, 1, 0, 3, 0, "*"], LINKS[2]],
             "extra": {"groupNodes": {"Pair": defined}}}  # fmt: skip

    graph = convert(json.dumps(drawn), "mine.json", CLASSES).to_prompt()

    assert graph.keys() == {"1", "2", "4"}
    assert inputs(graph, "4").get("latent") == latent


LOOP = {"nodes": [entry(-1, "workflow>Pair")], "links": []}


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({}, "group_absent"),
        (None, "group_absent"),
        ([], "group_absent"),
        ({"groupNodes": {"Other": PAIR}}, "group_absent"),
        ({"groupNodes": [PAIR]}, "group_absent"),
        ({"groupNodes": {"Pair": []}}, "group_absent"),
        ({"groupNodes": {"Pair": {}}}, "group_malformed"),
        ({"groupNodes": {"Pair": {"nodes": 5}}}, "group_malformed"),
        ({"groupNodes": {"Pair": {"nodes": [TEXT], "links": [[0, 0, 5, 0]]}}}, "group_malformed"),
        ({"groupNodes": {"Pair": {"nodes": [TEXT], "links": [[0]]}}}, "group_malformed"),
        ({"groupNodes": {"Pair": {"nodes": [{"id": 1}]}}}, "group_malformed"),
        ({"groupNodes": {"Pair": {**PAIR, "config": [1]}}}, "group_malformed"),
        ({"groupNodes": {"Pair": {**PAIR, "external": [[0]]}}}, "group_malformed"),
        ({"groupNodes": {"Pair": LOOP}}, "group_recursive"),
    ],
)
def test_a_group_whose_nodes_are_not_told_is_named(extra: object, reason: str) -> None:
    node = entry(3, "workflow>Pair", ["outer"], *WIRED)
    drawn = {"nodes": [*AROUND, node, SAVE], "links": LINKS, "extra": extra}

    with pytest.raises(EditorGroupBroken) as caught:
        convert(json.dumps(drawn), "mine.json", CLASSES)

    assert (caught.value.group, caught.value.reason) == ("Pair", reason)
