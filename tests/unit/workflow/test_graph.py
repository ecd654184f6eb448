import json

import pytest

from core.workflow.graph import Graph, Link, Literal, parse

TEXT = json.dumps(
    {
        "1": {"class_type": "A", "inputs": {"x": 1, "rows": {"on": True}}, "_meta": {"title": "T"}},
        "2:3": {"class_type": "B", "inputs": {"a": ["1", 0], "list": ["1", "0"], "gone": ["9", 1]}},
    }
)


@pytest.fixture
def graph() -> Graph:
    return parse(TEXT, "x.json")


def test_a_graph_survives_reading_and_writing(graph: Graph) -> None:
    again = parse(json.dumps(graph.to_prompt()), "x.json")

    assert again == graph


def test_only_a_name_and_a_number_make_a_link(graph: Graph) -> None:
    inputs = graph.nodes["2:3"].inputs

    assert inputs["a"] == Link("1", 0)
    assert inputs["list"] == Literal.of(["1", "0"])


def test_what_comes_out_is_a_copy(graph: Graph) -> None:
    graph.to_prompt()["1"]["inputs"]["rows"]["on"] = False

    assert graph.to_prompt()["1"]["inputs"]["rows"] == {"on": True}


def test_upstream_ignores_links_into_nothing(graph: Graph) -> None:
    assert graph.upstream("2:3") == {"1", "2:3"}
    assert list(graph.pruned("1").nodes) == ["1"]
